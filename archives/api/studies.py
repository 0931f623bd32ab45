"""What archives answered of studies is read here, and never written."""

from __future__ import annotations

from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from archives.models import ArchiveCheck, ArchivedStudy, Finding
from pylantir_site.rest.views import ApiView
from worklist.api.dates import DicomDate, DicomDateFilter, DicomTime


class ArchivedStudySerializer(serializers.ModelSerializer):
    archive = serializers.CharField(source="archive.name", help_text="The archive's name.")
    item = serializers.IntegerField(source="item_id", allow_null=True, help_text="The item's id.")
    patient_birth_date = DicomDate(allow_null=True)
    study_date = DicomDate(allow_null=True)
    study_time = DicomTime(allow_null=True)
    series_count = serializers.IntegerField(
        allow_null=True, help_text="null where the archive does not tell."
    )
    image_count = serializers.IntegerField(allow_null=True, help_text="null where the archive does not tell.")

    class Meta:
        model = ArchivedStudy
        fields: ClassVar[Any] = (
            "id",
            "archive",
            "item",
            "study_instance_uid",
            "patient_id",
            "patient_name",
            "patient_birth_date",
            "patient_sex",
            "patient_weight_kg",
            "accession_number",
            "study_description",
            "study_date",
            "study_time",
            "modalities",
            "station_name",
            "series_count",
            "image_count",
            "first_found_at",
            "grew_at",
            "asked_at",
            "gone_at",
        )


class ArchiveCheckSerializer(serializers.ModelSerializer):
    archive = serializers.CharField(source="archive.name", help_text="The archive's name.")
    item = serializers.IntegerField(source="item_id", help_text="The item's id.")
    finding = serializers.ChoiceField(Finding.choices)

    class Meta:
        model = ArchiveCheck
        fields: ClassVar[Any] = (
            "id",
            "archive",
            "item",
            "finding",
            "asked_at",
            "asked_count",
            "next_at",
            "until",
            "failures",
            "problem",
        )


class ArchivedStudyFilter(filters.FilterSet):
    item = filters.NumberFilter(field_name="item_id", min_value=1, max_value=2**63 - 1)
    archive = filters.CharFilter(field_name="archive__name")
    study_instance_uid = filters.CharFilter()
    patient_id = filters.CharFilter()
    study_date = DicomDateFilter()
    study_date_from = DicomDateFilter(field_name="study_date", lookup_expr="gte")
    study_date_to = DicomDateFilter(field_name="study_date", lookup_expr="lte")
    scheduled = filters.BooleanFilter(
        field_name="item", lookup_expr="isnull", exclude=True, help_text="Whether it is an item's."
    )

    class Meta:
        model = ArchivedStudy
        fields: ClassVar[tuple[str, ...]] = ()


class ArchiveCheckFilter(filters.FilterSet):
    item = filters.NumberFilter(field_name="item_id", min_value=1, max_value=2**63 - 1)
    archive = filters.CharFilter(field_name="archive__name")
    finding = filters.MultipleChoiceFilter(choices=Finding.choices, help_text="May be repeated.")

    class Meta:
        model = ArchiveCheck
        fields: ClassVar[tuple[str, ...]] = ()


class ArchivedStudyList(ApiView, GenericAPIView):
    permissions = {"GET": "worklist.view_performedstep"}
    queryset = ArchivedStudy.objects.select_related("archive").order_by("-study_date", "-pk")
    serializer_class = ArchivedStudySerializer
    filterset_class = ArchivedStudyFilter

    @extend_schema(
        summary="List studies in archives",
        description="The newest first.",
        responses=ArchivedStudySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        self.note(study.pk for study in page)
        return self.get_paginated_response(ArchivedStudySerializer(page, many=True).data)


class ArchiveCheckList(ApiView, GenericAPIView):
    permissions = {"GET": "worklist.view_performedstep"}
    queryset = ArchiveCheck.objects.select_related("archive").order_by("-created_at", "-pk")
    serializer_class = ArchiveCheckSerializer
    filterset_class = ArchiveCheckFilter

    @extend_schema(
        summary="List what archives were asked for",
        description="What came of each item, the newest first.",
        responses=ArchiveCheckSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        self.note(check.pk for check in page)
        return self.get_paginated_response(ArchiveCheckSerializer(page, many=True).data)
