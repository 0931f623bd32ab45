"""The list of items is narrowed and ordered by these."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django_filters import rest_framework as filters

from worklist.api.dates import DicomDateFilter
from worklist.models import Status, WorklistItem
from worklist.models.items import WorklistQuerySet

BY_DEFAULT = (Status.SCHEDULED, Status.IN_PROGRESS)
ORDERED_BY = (
    "id",
    "patient_name",
    "patient_id",
    "modality",
    "performed_procedure_step_status",
    "data_source",
    "scheduled_start_date",
    "scheduled_start_time",
    "created_at",
    "updated_at",
)


class Ordering(filters.OrderingFilter):
    """An ordering ends with the key, so that pages neither repeat nor skip an item."""

    def filter(self, qs: Any, value: Any) -> Any:
        return super().filter(qs, [*value, "pk"]) if value else qs

    def get_ordering_value(self, param: str) -> str:
        return str(super().get_ordering_value(param)) if param != "pk" else param


class ItemFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(
        field_name="performed_procedure_step_status",
        choices=Status.choices,
        help_text="May be repeated. Without it SCHEDULED and IN_PROGRESS.",
    )
    patient_id = filters.CharFilter(help_text="The whole ID; `search` finds parts.")
    modality = filters.CharFilter()
    data_source = filters.CharFilter()
    accession_number = filters.CharFilter()
    study_instance_uid = filters.CharFilter()
    scheduled_station_aetitle = filters.CharFilter(
        method="for_station", help_text="Items for this station, alone or among others."
    )
    scheduled_start_date = DicomDateFilter()
    scheduled_start_date_from = DicomDateFilter(field_name="scheduled_start_date", lookup_expr="gte")
    scheduled_start_date_to = DicomDateFilter(field_name="scheduled_start_date", lookup_expr="lte")
    is_qa = filters.BooleanFilter(
        help_text="true: QA scans alone; false: participants alone. Without it both, as scanners see them."
    )
    search = filters.CharFilter(
        method="with_words",
        help_text="Each word is part of a name, a patient ID or another identifier; accents, case and "
        "punctuation make no difference. A whole Study Instance UID is found, too.",
    )
    ordering = Ordering(fields=ORDERED_BY, help_text="By schedule when not given; a minus turns it round.")

    by_default: Collection[str] = BY_DEFAULT  # statuses where none is asked for; empty: each

    class Meta:
        model = WorklistItem
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: Any) -> Any:
        if self.by_default and not self.form.cleaned_data.get("status"):
            queryset = queryset.filter(performed_procedure_step_status__in=self.by_default)
        return super().filter_queryset(queryset)

    def for_station(self, queryset: WorklistQuerySet, name: str, value: str) -> WorklistQuerySet:
        return queryset.for_station(value)

    def with_words(self, queryset: WorklistQuerySet, name: str, value: str) -> WorklistQuerySet:
        return queryset.search(value)
