"""An item has every field of the contract as JSON, dates and times as DICOM writes them."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from pylantir_site.rest.errors import ErrorSerializer
from worklist.api.dates import DicomDate, DicomTime
from worklist.dicom.values import HEAVIEST_KG, LIGHTEST_KG
from worklist.items.fields import FIELDS
from worklist.models import PerformedBy, Sex, Status, WorklistItem


class ItemSerializer(serializers.ModelSerializer):
    """An item is read like this; `worklist.api.bodies` says what may be written."""

    patient_birth_date = DicomDate(allow_null=True, help_text="YYYYMMDD.")
    patient_sex = serializers.ChoiceField(Sex.choices, allow_blank=True, help_text="Empty: not known.")
    patient_weight_lb = serializers.DecimalField(
        max_digits=5,
        decimal_places=1,
        allow_null=True,
        help_text="Pounds, of the kilograms that are stored.",
    )
    scheduled_start_date = DicomDate(help_text="YYYYMMDD.")
    scheduled_start_time = DicomTime(help_text="HHMMSS; 000000 when not known.")
    performed_procedure_step_status = serializers.ChoiceField(Status.choices)
    performed_by_evidence = serializers.ChoiceField(
        PerformedBy.choices,
        allow_blank=True,
        read_only=True,
        help_text="What says that a completed item was performed: its scanner's report, an archive that "
        "holds the study, or a person. Empty: not completed, or not known.",
    )
    extra_attributes = serializers.DictField(help_text="Other attributes, by DICOM keyword.")

    class Meta:
        model = WorklistItem
        fields: ClassVar[tuple[str, ...]] = FIELDS


WRITTEN_AS_READ = frozenset(
    {"id", "data_source", "performed_by_evidence", "arrived_at", "created_at"}
)  # may come back in a body; changes nothing


class _WrittenItem(serializers.ModelSerializer):
    """A body may hold these, for the schema: intake judges the values."""

    patient_birth_date = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, help_text="19900131 or 1990-01-31."
    )
    patient_weight_kg = serializers.DecimalField(
        max_digits=5,
        decimal_places=2,
        required=False,
        allow_null=True,
        min_value=LIGHTEST_KG,
        max_value=HEAVIEST_KG,
    )
    patient_weight_lb = serializers.DecimalField(
        max_digits=6,
        decimal_places=2,
        required=False,
        allow_null=True,
        help_text="Instead of kilograms; stored in kilograms, at 0.45359237.",
    )
    scheduled_start_time = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, help_text="093000, 0930 or 09:30."
    )
    scheduled_station_aetitle = serializers.CharField(
        required=False, allow_blank=True, help_text=r"Several are separated by a backslash: MR1\MR2."
    )
    extra_attributes = serializers.DictField(
        required=False, help_text='By DICOM keyword: {"MedicalAlerts": "Pacemaker"}.'
    )
    reason = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Kept in the history; needed to correct who was examined.",
    )
    same_person = serializers.BooleanField(
        required=False,
        allow_null=True,
        help_text="Where items carry the patient ID with another name, birth date or sex: true corrects "
        "the open ones; false says, with a reason, that two people share the ID.",
    )

    class Meta:
        model = WorklistItem
        fields: ClassVar[Any] = (
            *(name for name in FIELDS if name not in WRITTEN_AS_READ | {"updated_at"}),
            "reason",
            "same_person",
        )


class NewItemSerializer(_WrittenItem):
    scheduled_start_date = serializers.CharField(
        required=False, help_text="20260131 or 2026-01-31; today when not given."
    )

    class Meta(_WrittenItem.Meta):
        extra_kwargs: ClassVar[Any] = {"modality": {"help_text": "MR, CT, US …"}}


class ItemChangeSerializer(_WrittenItem):
    scheduled_start_date = serializers.CharField(required=False, help_text="20260131 or 2026-01-31.")
    updated_at = serializers.DateTimeField(
        required=False, help_text="As it was read: the change is refused if the item has changed since."
    )

    class Meta(_WrittenItem.Meta):
        fields: ClassVar[Any] = (*_WrittenItem.Meta.fields, "updated_at")
        extra_kwargs: ClassVar[Any] = {
            name: {"required": False} for name in ("patient_name", "patient_id", "modality")
        }


class KnownPersonSerializer(serializers.Serializer):
    patient_name = serializers.CharField()
    patient_birth_date = DicomDate(allow_null=True)
    patient_sex = serializers.CharField()
    items = serializers.ListField(child=serializers.IntegerField())


class ConflictSerializer(ErrorSerializer):
    known = KnownPersonSerializer(
        many=True, required=False, help_text="Whom items name under the patient ID."
    )


class ChangeSerializer(serializers.Serializer):
    field = serializers.CharField(source="name")
    old = serializers.CharField(allow_null=True)
    new = serializers.CharField(allow_null=True)


class HistorySerializer(serializers.Serializer):
    at = serializers.DateTimeField(source="record.history_date")
    actor = serializers.CharField(
        source="record.history_user_id",
        allow_null=True,
        help_text="A user's name, `source:NAME` or `device:AET`.",
    )
    action = serializers.ChoiceField(["Created", "Changed", "Deleted"])
    reason = serializers.CharField(source="record.history_change_reason", allow_null=True)
    changes = ChangeSerializer(many=True)


class DeletedSerializer(serializers.Serializer):
    message = serializers.CharField()
