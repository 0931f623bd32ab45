"""A source, its runs and its issues are written as JSON, without the token and where it is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sources.kinds import KINDS
from sources.models import DataSource, RunOutcome, SourceState, State, SyncIssue, SyncRun, Trigger
from sources.sync import claims, guards, health
from sources.sync.guards import Guarded


class StateSerializer(serializers.ModelSerializer):
    state = serializers.ChoiceField(State.choices)
    last_success_age_seconds = serializers.SerializerMethodField()
    is_pulling = serializers.SerializerMethodField()
    is_late = serializers.SerializerMethodField(help_text="Nothing came for some time in which it should.")
    held = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="What waits for a person, by kind: RECORDS_GONE, RENAMED and ADDED count records, "
        "WITHDRAWN coming appointments.",
    )
    held_withdrawals = serializers.IntegerField(help_text="RECORDS_GONE and WITHDRAWN of `held` together.")

    class Meta:
        model = SourceState
        fields: ClassVar[Any] = (
            "state",
            "since",
            "message",
            "failures",
            "last_success_at",
            "last_success_age_seconds",
            "next_pull_at",
            "is_pulling",
            "is_late",
            "held",
            "held_withdrawals",
        )

    def get_last_success_age_seconds(self, state: SourceState) -> int | None:
        return age_seconds(state.last_success_at)

    def get_is_pulling(self, state: SourceState) -> bool:
        return claims.is_pulling(state)

    def get_is_late(self, state: SourceState) -> bool:
        return health.is_late(state.source)


class GuardSerializer(serializers.Serializer):
    kind = serializers.ChoiceField([(kind.value, guards.GUARDS[kind].what) for kind in Guarded])
    most = serializers.IntegerField(help_text="As many are done unasked.")
    percent = serializers.IntegerField(help_text="Or such a share of all.")
    rule = serializers.CharField(help_text="The rule as a sentence.")


class NamingSerializer(serializers.ModelSerializer):
    class Meta:
        model = DataSource
        fields: ClassVar[Any] = (
            "patient_id_pattern",
            "longest_patient_id",
            "patient_name_pattern",
            "longest_patient_name",
            "allowed_visits",
            "ids_are",
        )


class SourceSerializer(serializers.ModelSerializer):
    url = serializers.SerializerMethodField(help_text="Of the API; null where the kind has none.")
    project_id = serializers.SerializerMethodField(
        help_text="Null where it is not given, or the kind has none."
    )
    session_kind = serializers.SerializerMethodField(help_text="Null where the kind has none.")
    kind = serializers.CharField(help_text=", ".join(KINDS) + ".")
    naming = NamingSerializer(
        source="*", read_only=True, help_text="Which patient IDs, names and visits the study takes."
    )
    guards = serializers.SerializerMethodField(help_text="What a pull may do before it asks a person.")
    state = StateSerializer()
    open_issues = serializers.IntegerField(source="issue_count")
    writes_to_send = serializers.IntegerField(
        source="waiting_count", help_text="Outcomes that wait to be written back."
    )
    writes_held = serializers.IntegerField(
        source="held_count", help_text="Outcomes that need a person before they are written back."
    )

    class Meta:
        model = DataSource
        fields: ClassVar[Any] = (
            "name",
            "kind",
            "enabled",
            "url",
            "project_id",
            "sync_interval",
            "session_kind",
            "naming",
            "guards",
            "state",
            "open_issues",
            "writes_back",
            "writes_to_send",
            "writes_held",
        )

    def get_url(self, source: DataSource) -> str | None:
        return getattr(source.details, "url", None)

    def get_project_id(self, source: DataSource) -> int | None:
        return getattr(source.details, "project_id", None)

    def get_session_kind(self, source: DataSource) -> str | None:
        return getattr(source.details, "session_kind", None)

    @extend_schema_field(GuardSerializer(many=True))
    def get_guards(self, source: DataSource) -> list[dict[str, Any]]:
        return [
            {"kind": kind.value, "most": most, "percent": percent, "rule": rule}
            for kind, rule in zip(Guarded, guards.in_words(source), strict=True)
            for most, percent in [guards.GUARDS[kind].numbers(source)]
        ]


@extend_schema_field({"type": "object", "additionalProperties": {}})
class EntryField(serializers.JSONField):
    pass


class NewSourceSerializer(serializers.Serializer):
    """This is one entry of the original's `data_sources`; `sources.config_import` judges it."""

    name = serializers.CharField()
    type = serializers.CharField(required=False)
    enabled = serializers.BooleanField(required=False)
    sync_interval = serializers.IntegerField(required=False)
    operation_interval = EntryField(required=False)
    config = EntryField(required=False)
    field_mapping = EntryField()


class MadeSourceSerializer(SourceSerializer):
    report = serializers.ListField(child=serializers.CharField(), help_text="What was decided, for people.")

    class Meta(SourceSerializer.Meta):
        fields: ClassVar[Any] = (*SourceSerializer.Meta.fields, "report")


class SyncSerializer(serializers.Serializer):
    full = serializers.BooleanField(required=False, default=False, help_text="Read all records again.")


class AskedSerializer(serializers.Serializer):
    name = serializers.CharField(help_text="Of the source.")
    message = serializers.CharField()
    is_pulling = serializers.BooleanField()
    worker = serializers.CharField(help_text="What is the matter with the worker; empty when it lives.")


class RunSerializer(serializers.ModelSerializer):
    trigger = serializers.ChoiceField(Trigger.choices)
    outcome = serializers.ChoiceField(RunOutcome.choices)
    duration_seconds = serializers.SerializerMethodField()

    class Meta:
        model = SyncRun
        fields: ClassVar[Any] = (
            "id",
            "trigger",
            "actor",
            "is_full",
            "started_at",
            "ended_at",
            "duration_seconds",
            "outcome",
            "message",
            "records_total",
            "records_done",
            "created",
            "changed",
            "unchanged",
            "withdrawn",
            "restored",
            "kept",
            "issues",
            "requests",
        )

    def get_duration_seconds(self, run: SyncRun) -> float | None:
        return run.duration.total_seconds() if run.duration else None


class IssueSerializer(serializers.ModelSerializer):
    class Meta:
        model = SyncIssue
        fields: ClassVar[Any] = (
            "id",
            "record",
            "event",
            "instrument",
            "instance",
            "target",
            "field",
            "text",
            "blocks",
            "opened_at",
            "closed_at",
        )


def age_seconds(at: datetime | None) -> int | None:
    return None if at is None else round((timezone.now() - at).total_seconds())
