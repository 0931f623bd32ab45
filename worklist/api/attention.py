"""Points of attention are read and resolved here."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from pylantir_site.rest.errors import Conflict, ErrorSerializer
from pylantir_site.rest.views import ApiView, actor
from worklist.attention import points
from worklist.attention.points import LONGEST_NOTE
from worklist.examinations import weighing
from worklist.models import Attention, AttentionKind

RESOLVED_ALREADY = "It is resolved already."
NOT_RESOLVED = "It is resolved already, or the weight cannot be settled so."
STAYS_RESOLVED = "Only true: what was resolved stays so, and comes back by itself where it is so again."
NO_NOTE = "The item's history says that the scanner's weight was taken: leave the note out."
MAY_NOT_CHANGE = "You may not change items: the scanner's weight would become the item's."
SHOWN = (("false", "Open"), ("true", "Resolved"), ("any", "All"))


class PointSerializer(serializers.ModelSerializer):
    kind = serializers.ChoiceField(AttentionKind.choices)
    kind_label = serializers.CharField(source="get_kind_display")
    item = serializers.IntegerField(source="item_id", allow_null=True, help_text="The item's id.")
    performed_step = serializers.CharField(
        source="step.sop_instance_uid", default=None, allow_null=True, help_text="Its SOP Instance UID."
    )

    study_instance_uid = serializers.CharField(
        help_text="Of an archived study that nobody scheduled: no item and no performed step have it."
    )
    linked_by = serializers.CharField(
        source="linker", allow_null=True, help_text="The person who linked the step to the item, if one did."
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
            "study_instance_uid",
            "linked_by",
            "opened_at",
            "resolved_at",
            "resolved_by",
            "note",
        )


class ResolvingSerializer(serializers.Serializer):
    resolved = serializers.BooleanField(help_text="true.")
    note = serializers.CharField(
        max_length=LONGEST_NOTE,
        required=False,
        help_text="What was found, and what was done about it. With `weight` it may be left out.",
    )
    weight = serializers.ChoiceField(
        [("scanner", "The item gets the scanner's"), ("worklist", "The item keeps its own")],
        required=False,
        help_text="Of a weight that differs: `scanner` gives the item the scanner's, and takes no note; "
        "`worklist` keeps the item's.",
    )

    def validate_resolved(self, value: bool) -> bool:  # noqa: FBT001 - as the framework calls it
        if not value:
            raise serializers.ValidationError(STAYS_RESOLVED)
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "weight" not in attrs and "note" not in attrs:
            raise serializers.ValidationError({"note": [self.fields["note"].error_messages["required"]]})
        if attrs.get("weight") == "scanner" and "note" in attrs:
            raise serializers.ValidationError({"note": [NO_NOTE]})
        return attrs


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
        return Attention.objects.worst_first().with_linker().select_related("step").defer("step__dataset")


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
        responses={200: PointSerializer, 409: OpenApiResponse(ErrorSerializer, NOT_RESOLVED)},
    )
    def put(self, request: Request, pk: int) -> Response:
        return self._resolve(request, pk)

    @extend_schema(
        summary="Resolve a point of attention",
        description="The same as PUT.",
        request=ResolvingSerializer,
        responses={200: PointSerializer, 409: OpenApiResponse(ErrorSerializer, NOT_RESOLVED)},
    )
    def patch(self, request: Request, pk: int) -> Response:
        return self._resolve(request, pk)

    def _resolve(self, request: Request, pk: int) -> Response:
        self.note([pk])
        point = self.get_object()
        serializer = ResolvingSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        if "weight" in given:
            self._settle_weight(request, point, given["weight"], given.get("note", ""))
        elif not points.resolve(point, actor=actor(request), note=given["note"]):
            raise Conflict(RESOLVED_ALREADY)
        return Response(PointSerializer(self.get_object()).data)

    def _settle_weight(self, request: Request, point: Attention, weight: str, note: str) -> None:
        takes = weight == "scanner"
        if takes and not request.user.has_perm("worklist.change_worklistitem"):
            raise PermissionDenied(MAY_NOT_CHANGE)
        try:
            if takes:
                weighing.take_scanners(point, actor=actor(request))
            else:
                weighing.keep_ours(point, actor=actor(request), note=note)
        except weighing.WeightRefused as refused:
            raise Conflict(str(refused)) from refused
