"""Points of attention are read and resolved here."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from pylantir_site.rest.errors import Conflict, ErrorSerializer
from pylantir_site.rest.views import ApiView, actor
from worklist.attention import points
from worklist.attention.points import LONGEST_NOTE
from worklist.models import Attention, AttentionKind

RESOLVED_ALREADY = "It is resolved already."
STAYS_RESOLVED = "Only true: what was resolved stays so, and comes back by itself where it is so again."
SHOWN = (("false", "Open"), ("true", "Resolved"), ("any", "All"))


class PointSerializer(serializers.ModelSerializer):
    kind = serializers.ChoiceField(AttentionKind.choices)
    kind_label = serializers.CharField(source="get_kind_display")
    item = serializers.IntegerField(source="item_id", allow_null=True, help_text="The item's id.")
    performed_step = serializers.CharField(
        source="step.sop_instance_uid", default=None, allow_null=True, help_text="Its SOP Instance UID."
    )

    class Meta:
        model = Attention
        fields: ClassVar[Any] = (
            "id",
            "kind",
            "kind_label",
            "text",
            "item",
            "performed_step",
            "opened_at",
            "resolved_at",
            "resolved_by",
            "note",
        )


class ResolvingSerializer(serializers.Serializer):
    resolved = serializers.BooleanField(help_text="true.")
    note = serializers.CharField(
        max_length=LONGEST_NOTE, help_text="What was found, and what was done about it."
    )

    def validate_resolved(self, value: bool) -> bool:  # noqa: FBT001 - as the framework calls it
        if not value:
            raise serializers.ValidationError(STAYS_RESOLVED)
        return value


class PointFilter(filters.FilterSet):
    resolved = filters.ChoiceFilter(
        method="by_state", choices=SHOWN, help_text="`false` (the default), `true` or `any`."
    )
    kind = filters.MultipleChoiceFilter(choices=AttentionKind.choices, help_text="May be repeated.")
    item = filters.NumberFilter(field_name="item_id", min_value=1, max_value=2**63 - 1)
    performed_step = filters.CharFilter(field_name="step__sop_instance_uid")

    class Meta:
        model = Attention
        fields: ClassVar[tuple[str, ...]] = ()

    def filter_queryset(self, queryset: Any) -> Any:
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("resolved") else found.filter(resolved_at=None)

    def by_state(self, queryset: Any, name: str, value: str) -> Any:
        if value == "any":
            return queryset
        return queryset.exclude(resolved_at=None) if value == "true" else queryset.open()


class PointView(ApiView, GenericAPIView):
    serializer_class = PointSerializer

    def get_queryset(self) -> QuerySet[Attention]:
        return Attention.objects.worst_first().select_related("step").defer("step__dataset")


class AttentionList(PointView):
    permissions = {"GET": "worklist.view_attention"}
    filterset_class = PointFilter
    queryset = Attention.objects.all()  # for the schema alone

    @extend_schema(
        summary="List what needs attention",
        description="The worst first.",
        responses=PointSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        self.note(point.pk for point in page)
        return self.get_paginated_response(PointSerializer(page, many=True).data)


class AttentionPoint(PointView):
    permissions = {
        "GET": "worklist.view_attention",
        "PUT": "worklist.change_attention",
        "PATCH": "worklist.change_attention",
    }
    filter_backends = ()
    queryset = Attention.objects.all()

    @extend_schema(summary="Read a point of attention", responses=PointSerializer)
    def get(self, request: Request, pk: int) -> Response:
        self.note([pk])
        return Response(PointSerializer(self.get_object()).data)

    @extend_schema(
        summary="Resolve a point of attention",
        request=ResolvingSerializer,
        responses={200: PointSerializer, 409: OpenApiResponse(ErrorSerializer, RESOLVED_ALREADY)},
    )
    def put(self, request: Request, pk: int) -> Response:
        return self._resolve(request, pk)

    @extend_schema(
        summary="Resolve a point of attention",
        description="The same as PUT.",
        request=ResolvingSerializer,
        responses={200: PointSerializer, 409: OpenApiResponse(ErrorSerializer, RESOLVED_ALREADY)},
    )
    def patch(self, request: Request, pk: int) -> Response:
        return self._resolve(request, pk)

    def _resolve(self, request: Request, pk: int) -> Response:
        self.note([pk])
        point = self.get_object()
        serializer = ResolvingSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        note = serializer.validated_data["note"]
        if not points.resolve(point, actor=actor(request), note=note):
            raise Conflict(RESOLVED_ALREADY)
        return Response(PointSerializer(self.get_object()).data)
