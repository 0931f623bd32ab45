"""Devices are read here: what is particular to each, what it did, what it would be answered, and what not."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError as Invalid
from django.db.models import QuerySet
from django.http import Http404
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from pylantir_site.rest.views import ApiView
from worklist import validators
from worklist.answering import requests
from worklist.answering.explaining import Cause
from worklist.answering.previews import Preview, preview
from worklist.answering.requests import AskedQuery
from worklist.answering.verdicts import Verdict, last_or_usual, verdicts
from worklist.models import Device, DeviceActivity, WorklistItem

NO_SUCH_QUERY = "This device has made no such query, or it is no longer kept."
ONE_OR_THE_OTHER = "Give a recorded query or keys, not both."
DATA_SET: Any = {"type": "object", "description": "DICOM JSON", "nullable": True}


@extend_schema_field(DATA_SET)
class DataSetField(serializers.JSONField):
    """A data set is written in the DICOM JSON Model (PS3.18 F)."""


class ContactSerializer(serializers.ModelSerializer):
    kind = serializers.ChoiceField(DeviceActivity.Kind.choices)

    class Meta:
        model = DeviceActivity
        fields: ClassVar[Any] = ("at", "kind", "address", "comment")


class DeviceSerializer(serializers.ModelSerializer):
    offered_statuses = serializers.ListField(child=serializers.CharField(), help_text="None: the usual ones.")
    last_contact = serializers.SerializerMethodField()

    class Meta:
        model = Device
        fields: ClassVar[Any] = (
            *("ae_title", "enabled", "name", "vendor", "model", "modality", "notes"),
            *("addresses", "called_ae_title", "certificate_subject", "host", "port"),
            *("station_filter", "station_ae_titles", "offered_statuses", "days_back", "days_ahead"),
            *("time_zone", "maximum_answers", "over_maximum"),
            *("station_name", "specific_character_set", "misfit", "longest_patient_name"),
            *("longest_patient_id", "coding_scheme_designator", "protocol_codes_sent", "protocol_codes"),
            *(
                "plain_pending",
                "sends_mpps",
                "mpps_strictness",
                "weight_tolerance_kg",
                "created_at",
                "updated_at",
                "last_contact",
            ),
        )

    @extend_schema_field(ContactSerializer(allow_null=True))
    def get_last_contact(self, device: Device) -> Any:
        last = DeviceActivity.objects.newest(device.ae_title)
        return ContactSerializer(last).data if last is not None else None


class ActivitySerializer(serializers.ModelSerializer):
    kind = serializers.ChoiceField(DeviceActivity.Kind.choices)
    status = serializers.SerializerMethodField(help_text="Four hexadecimal digits.")
    identifier = serializers.SerializerMethodField(help_text="What was asked; null where it is not kept.")

    class Meta:
        model = DeviceActivity
        fields: ClassVar[Any] = (
            *("id", "at", "kind", "ae_title", "called_ae_title", "address", "certificate_subject"),
            *("status", "comment", "milliseconds", "matches", "left_out", "identifier"),
            "sop_instance_uid",
        )

    def get_status(self, activity: DeviceActivity) -> str | None:
        return None if activity.status is None else f"{activity.status:04X}"

    @extend_schema_field(DataSetField(allow_null=True))
    def get_identifier(self, activity: DeviceActivity) -> Any:
        return requests.decoded(requests.recorded(activity)) if activity.identifier else None


class AskedQuerySerializer(serializers.Serializer):
    origin = serializers.CharField(help_text="Whose query it is, in words.")
    identifier = DataSetField(allow_null=True)
    doubts = serializers.ListField(
        child=serializers.CharField(), help_text="What is doubtful in its texts, a sentence each."
    )


class AnswerSerializer(serializers.Serializer):
    item = serializers.IntegerField(source="pk", help_text="The item's id.")
    status = serializers.CharField(help_text="FF00 or FF01.")
    dataset = DataSetField()


class WhySerializer(serializers.Serializer):
    rule = serializers.CharField(
        help_text="The first rule that stops it: access, device, status, days, station, key, unreadable, "
        "length or maximum."
    )
    sentence = serializers.CharField()
    mend = serializers.ChoiceField([cause.value for cause in Cause], help_text="Where the cause is.")


class LeftOutSerializer(WhySerializer):
    item = serializers.IntegerField(help_text="The item's id.")


class PreviewSerializer(serializers.Serializer):
    ae_title = serializers.CharField()
    closed = serializers.CharField(help_text="Why it may not connect at all; empty: it may.")
    asked = AskedQuerySerializer()
    status = serializers.CharField(help_text="The final status, four hexadecimal digits.")
    comment = serializers.CharField()
    total = serializers.IntegerField(help_text="How many answers there are; the first 200 are given.")
    answers = AnswerSerializer(many=True)
    left_out = LeftOutSerializer(many=True, help_text="Items of yesterday, today and tomorrow: at most 50.")


class VerdictSerializer(serializers.Serializer):
    ae_title = serializers.CharField()
    is_answered = serializers.BooleanField()
    asked = serializers.CharField(help_text="By which of its queries.")
    reason = WhySerializer(allow_null=True)


class ActivityFilter(filters.FilterSet):
    kind = filters.MultipleChoiceFilter(choices=DeviceActivity.Kind.choices, help_text="May be repeated.")

    class Meta:
        model = DeviceActivity
        fields: ClassVar[tuple[str, ...]] = ()


class QueryFilter(filters.FilterSet):
    """Each key that is matched is a parameter, by its keyword."""

    query = filters.NumberFilter(
        min_value=1, max_value=2**63 - 1, help_text="The id of one of its recorded queries, in place of keys."
    )
    locals().update(
        {
            keyword: filters.CharFilter(help_text=f"{attribute.name}, as in a C-FIND.")
            for keyword, attribute in requests.by_keyword().items()
        }
    )

    class Meta:
        model = WorklistItem
        fields: ClassVar[tuple[str, ...]] = ()


class DeviceList(ApiView, GenericAPIView):
    permissions = {"GET": "worklist.view_device"}
    queryset = Device.objects.all()
    serializer_class = DeviceSerializer
    filter_backends = ()

    @extend_schema(
        summary="List devices", description="With their rules.", responses=DeviceSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        self.note(device.pk for device in page)
        return self.get_paginated_response(DeviceSerializer(page, many=True).data)


class DeviceActivityList(ApiView, GenericAPIView):
    permissions = {"GET": "worklist.view_deviceactivity"}
    queryset = DeviceActivity.objects.all()
    serializer_class = ActivitySerializer
    filterset_class = ActivityFilter

    @extend_schema(
        summary="What a device did",
        description="Associations, queries and messages, the newest first; of an AE title without a device, "
        "too.",
        responses=ActivitySerializer(many=True),
    )
    def get(self, request: Request, ae_title: str) -> Response:
        activity = _of(ae_title)
        page = self.paginate_queryset(self.filter_queryset(activity)) or []
        self.note(row.pk for row in page)
        return self.get_paginated_response(ActivitySerializer(page, many=True).data)


class DeviceWorklist(ApiView, GenericAPIView):
    permissions = {"GET": "worklist.view_worklistitem"}
    queryset = WorklistItem.objects.all()
    serializer_class = PreviewSerializer
    filterset_class = QueryFilter
    pagination_class = None

    @extend_schema(
        summary="What a scanner would see now",
        description="The answers to a C-FIND of this AE title, by the same code, and why other items are not "
        "among them. Without keys: its last query for a list, moved to today, or its usual one.",
        responses=PreviewSerializer,
    )
    def get(self, request: Request, ae_title: str) -> Response:
        asked = self._asked(request, _title(ae_title))
        made = preview(ae_title, asked.request)
        self.note(answer.pk for answer in made.answers)
        return Response(PreviewSerializer(_shown(made, asked)).data)

    def _asked(self, request: Request, ae_title: str) -> AskedQuery:
        form = QueryFilter(request.query_params).form
        if not form.is_valid():
            raise ValidationError(form.errors.get_json_data())
        keys = {name: value for name, value in form.cleaned_data.items() if value and name != "query"}
        number = form.cleaned_data["query"]
        if number is None:
            return _by_keys(keys) if keys else last_or_usual(ae_title)
        if keys:
            raise ValidationError({"query": [ONE_OR_THE_OTHER]})
        recorded = DeviceActivity.objects.queries().filter(pk=number, ae_title=ae_title).first()
        if recorded is None or not recorded.identifier:
            raise ValidationError({"query": [NO_SUCH_QUERY]})
        return AskedQuery(requests.recorded(recorded), f"recorded query {recorded.pk}")


class ItemDevices(ApiView, GenericAPIView):
    permissions = {"GET": "worklist.view_worklistitem"}
    queryset = WorklistItem.objects.all()
    serializer_class = VerdictSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(
        summary="Why is this item missing at a scanner?",
        description="For each device, and each AE title that called lately: whether its last query for a "
        "list, moved to today, or its usual one, would be answered the item, and the first rule that stops "
        "it.",
        responses=VerdictSerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        self.note([pk])
        found = verdicts(self.get_object())
        return Response(VerdictSerializer([_told(verdict) for verdict in found], many=True).data)


def _by_keys(keys: dict[str, str]) -> AskedQuery:
    try:
        return AskedQuery(requests.query_of_keys(keys), "keys that were given")
    except requests.UnsendableKey as error:
        raise ValidationError({error.keyword: [str(error)]}) from error


def _title(ae_title: str) -> str:
    try:
        validators.ae_title(ae_title)
    except Invalid as error:
        raise Http404 from error
    return ae_title


def _of(ae_title: str) -> QuerySet[DeviceActivity]:
    activity = DeviceActivity.objects.filter(ae_title=_title(ae_title))
    if not activity.exists() and not Device.objects.filter(ae_title=ae_title).exists():
        raise Http404
    return activity


def _shown(made: Preview, asked: AskedQuery) -> dict[str, Any]:
    return {
        "ae_title": made.ae_title,
        "closed": made.closed,
        "asked": {
            "origin": asked.origin,
            "identifier": requests.decoded(asked.request),
            "doubts": requests.doubts(asked.request),
        },
        "status": f"{made.failure.status:04X}",
        "comment": made.failure.comment,
        "total": made.total,
        "answers": [
            {"pk": each.pk, "status": f"{each.status:04X}", "dataset": each.dataset.to_json_dict()}
            for each in made.answers
        ],
        "left_out": [{"item": each.item.pk, **_why(each)} for each in made.left_out],
    }


def _told(verdict: Verdict) -> dict[str, Any]:
    return {
        "ae_title": verdict.ae_title,
        "is_answered": verdict.reason is None,
        "asked": verdict.asked.origin,
        "reason": _why(verdict) if verdict.reason is not None else None,
    }


def _why(found: Any) -> dict[str, Any]:
    return {"rule": found.reason.rule, "sentence": found.reason.sentence, "mend": found.reason.cause.value}
