"""What the worklist knows of a participant is told as rows, for whoever asks what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Model, Q

from worklist.answering import requests
from worklist.models import (
    Attention,
    ConfirmedPerson,
    DeviceActivity,
    ItemSearchWord,
    PerformedSeries,
    PerformedStep,
    PerformedStepItem,
    StepSearchWord,
    WorklistItem,
)
from worklist.privacy.asked import naming_queries
from worklist.privacy.mentions import FREE_TEXTS, naming
from worklist.privacy.people import ParticipantRows
from worklist.privacy.traces import Traces

Rows = dict[str, list[dict[str, Any]]]


def row_of(row: Model) -> dict[str, Any]:
    """Return a row's columns by name, as the database has them; bytes become text in hexadecimal."""
    values = {field.attname: field.value_from_object(row) for field in row._meta.concrete_fields}
    return {
        name: bytes(value).hex() if isinstance(value, bytes | memoryview) else value
        for name, value in values.items()
    }


def rows_of(participant: ParticipantRows, traces: Traces) -> Rows:
    """Return all that is about the participant, by what it is."""
    items, steps = participant.items, participant.steps
    of_both = Q(item__in=items) | Q(step__in=steps)
    histories: Any = (WorklistItem, PerformedStep, PerformedStepItem)
    of_items, of_steps, of_links = (model.history for model in histories)
    tables: Mapping[str, Iterable[Model]] = {
        "worklist_items": WorklistItem.objects.filter(pk__in=items),
        "history_of_worklist_items": of_items.filter(Q(id__in=items) | Q(pk__in=participant.item_history)),
        "performed_steps": PerformedStep.objects.filter(pk__in=steps),
        "history_of_performed_steps": of_steps.filter(Q(id__in=steps) | Q(pk__in=participant.step_history)),
        "performed_series": PerformedSeries.objects.filter(step__in=steps),
        "links": PerformedStepItem.objects.filter(of_both),
        "history_of_links": of_links.filter(Q(item_id__in=items) | Q(step_id__in=steps)),
        "points_of_attention": Attention.objects.filter(of_both),
        "confirmed_people": ConfirmedPerson.objects.filter(pk__in=participant.confirmed),
    }
    found = {name: [row_of(row) for row in rows] for name, rows in tables.items()}
    found["search_words"] = _search_words(participant)
    found["contacts_with_scanners"] = _contacts(
        traces, [step["sop_instance_uid"] for step in found["performed_steps"]]
    )
    found["mentions"] = mentions(traces, FREE_TEXTS)
    return found


def mentions(traces: Traces, free_texts: Mapping[Any, tuple[str, ...]]) -> list[dict[str, Any]]:
    """Return the free texts elsewhere that name the participant."""
    return [
        {"table": model._meta.db_table, "row": row.pk, "column": field, "text": getattr(row, field)}
        for model, fields in free_texts.items()
        for field in fields
        for row in naming(model, field, traces)
    ]


def _search_words(participant: ParticipantRows) -> list[dict[str, Any]]:
    owners: Any = ((ItemSearchWord, participant.items), (StepSearchWord, participant.steps))
    return [
        {"table": words._meta.db_table, "row": owner, "word": word}
        for words, rows in owners
        for owner, word in words.objects.filter(owner__in=rows).values_list("owner", "word")
    ]


def _contacts(traces: Traces, uids: Iterable[str]) -> list[dict[str, Any]]:
    """Return the queries that name the participant, as keys, and the messages about their steps."""
    found = list(DeviceActivity.objects.filter(sop_instance_uid__in=list(uids)))
    for identifier, implicit_vr in naming_queries(traces):
        found += DeviceActivity.objects.filter(identifier=identifier, implicit_vr=implicit_vr)
    return [_contact(activity) for activity in found]


def _contact(activity: DeviceActivity) -> dict[str, Any]:
    row = row_of(activity)
    del row["identifier"]
    keys = requests.keys_with_values(requests.recorded(activity)) if activity.identifier else None
    return {**row, "asked": dict(keys or ())}
