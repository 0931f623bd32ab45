"""People write of participants where they write of something else: why one was moved for another, say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Model, Q

from worklist.models import (
    Attention,
    ConfirmedPerson,
    Device,
    DeviceActivity,
    PerformedStep,
    PerformedStepItem,
    WorklistItem,
)
from worklist.privacy.traces import Traces

MENTIONS = "texts that mention the participant"  # as they are counted
TAKEN = "(Something was here that named a participant who is erased.)"
# What these give as a reason is made of words of ours.
_BY_A_PROGRAM = Q(history_user_id__startswith="device:") | Q(history_user_id__startswith="source:")
# Texts that people or devices write freely, of models and of their history.
FREE_TEXTS: Mapping[Any, tuple[str, ...]] = {
    Attention: ("text", "note"),
    ConfirmedPerson: ("reason",),
    Device: ("notes",),
    DeviceActivity: ("comment",),
    **{
        recorded.history.model: ("history_change_reason",)
        for recorded in (WorklistItem, PerformedStep, PerformedStepItem)
    },
    Device.history.model: ("notes", "history_change_reason"),
}


def erase_mentions(traces: Traces, free_texts: Mapping[Any, tuple[str, ...]] = FREE_TEXTS) -> int:
    """Replace each free text that names the participant, and return how many there were."""
    return sum(
        model._default_manager.filter(pk=row.pk).update(**{field: TAKEN})
        for model, fields in free_texts.items()
        for field in fields
        for row in naming(model, field, traces)
    )


def naming(model: type[Model], field: str, traces: Traces) -> Iterator[Any]:
    """Yield the rows whose text names the participant. The database finds those that may."""
    texts = traces.texts
    if not texts:
        return
    may_be = reduce(or_, (Q(**{f"{field}__icontains": text}) for text in texts))
    rows = model._default_manager.filter(may_be).order_by()
    if "history_user_id" in {each.name for each in model._meta.concrete_fields}:
        rows = rows.exclude(_BY_A_PROGRAM)
    for row in list(rows.only("pk", field)):
        if traces.are_in(getattr(row, field) or ""):
            yield row
