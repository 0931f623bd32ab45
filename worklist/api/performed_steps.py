"""What scanners reported is read here, and never written."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from pylantir_site.rest.views import ApiView
from worklist.api.dates import DicomDate, DicomDateFilter, DicomTime
from worklist.models import (
    Evidence,
    PerformedSeries,
    PerformedStatus,
    PerformedStep,
    PerformedStepItem,
    Status,
)


class LinkSerializer(serializers.ModelSerializer):
    id = serializers.IntegerField(source="item_id", help_text="Of the item.")
    evidence = serializers.ChoiceField(Evidence.choices, help_text="What linked the step to it.")
    linked_by = serializers.CharField(help_text="A person's user name, or the device that reported.")
    status_before = serializers.ChoiceField(Status.choices)

    class Meta:
        model = PerformedStepItem
        fields: ClassVar[Any] = ("id", "evidence", "linked_by", "status_before")


class SeriesSerializer(serializers.ModelSerializer):
    class Meta:
        model = PerformedSeries
        fields: ClassVar[Any] = (
            "number",
            "series_instance_uid",
            "description",
            "protocol_name",
            "operators_name",
            "performing_physician_name",
            "image_count",
            "other_count",
        )


class StepSerializer(serializers.ModelSerializer):
    status = serializers.ChoiceField(PerformedStatus.choices)
    patient_birth_date = DicomDate(allow_null=True)
    start_date = DicomDate(allow_null=True)
    start_time = DicomTime(allow_null=True)
    end_date = DicomDate(allow_null=True)
    end_time = DicomTime(allow_null=True)
    deviations = serializers.ListField(child=serializers.CharField())
    remarks = serializers.ListField(child=serializers.CharField())
    items = LinkSerializer(source="links", many=True)

    class Meta:
        model = PerformedStep
        fields: ClassVar[tuple[str, ...]] = (
            "sop_instance_uid",
            "status",
            "patient_name",
            "patient_id",
            "patient_birth_date",
            "patient_sex",
            "study_instance_uid",
            "performed_procedure_step_id",
            "description",
            "modality",
            "performed_station_ae_title",
            "performed_station_name",
            "performed_location",
            "start_date",
            "start_time",
            "end_date",
            "end_time",
            "discontinuation_reason_code",
            "discontinuation_reason",
            "deviations",
            "remarks",
            "calling_ae_title",
            "created_at",
            "updated_at",
            "finished_at",
            "items",
        )


class WholeStepSerializer(StepSerializer):
    series = SeriesSerializer(many=True)
    dataset = serializers.DictField(help_text="All that was reported, in the DICOM JSON Model (PS3.18 F).")

    class Meta(StepSerializer.Meta):
        fields: ClassVar[tuple[str, ...]] = (*StepSerializer.Meta.fields, "series", "dataset")


class StepFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=PerformedStatus.choices, help_text="May be repeated.")
    patient_id = filters.CharFilter()
    study_instance_uid = filters.CharFilter()
    performed_station_ae_title = filters.CharFilter()
    calling_ae_title = filters.CharFilter()
    start_date = DicomDateFilter()
    start_date_from = DicomDateFilter(field_name="start_date", lookup_expr="gte")
    start_date_to = DicomDateFilter(field_name="start_date", lookup_expr="lte")
    linked = filters.BooleanFilter(
        field_name="links", lookup_expr="isnull", exclude=True, distinct=True, help_text="To an item."
    )

    class Meta:
        model = PerformedStep
        fields: ClassVar[tuple[str, ...]] = ()


class PerformedStepList(ApiView, GenericAPIView):
    permissions = {"GET": "worklist.view_performedstep"}
    queryset = PerformedStep.objects.defer("dataset").prefetch_related("links")
    serializer_class = StepSerializer
    filterset_class = StepFilter

    @extend_schema(
        summary="List performed steps", description="The newest first.", responses=StepSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        self.note(step.pk for step in page)
        return self.get_paginated_response(StepSerializer(page, many=True).data)


class PerformedStepOne(ApiView):
    permissions = {"GET": "worklist.view_performedstep"}

    @extend_schema(summary="Read a performed step", responses=WholeStepSerializer)
    def get(self, request: Request, sop_instance_uid: str) -> Response:
        steps = PerformedStep.objects.prefetch_related("links", "series")
        step = None if "\0" in sop_instance_uid else steps.filter(sop_instance_uid=sop_instance_uid).first()
        if step is None:
            raise Http404
        self.note([step.pk])
        return Response(WholeStepSerializer(step).data)
