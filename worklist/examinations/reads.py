"""What a report needs to know is read here by statements that are written once.

What waits for a lock holds it until the transaction ends: the step first, then its items by key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet

from worklist.models import PerformedStep, PerformedStepItem, WorklistItem
from worklist.models.serialised import packed_data_set
from worklist.models.statements import Conversion, ModelColumns, RawRow, RowReader, Statement, write

NOBODY = 0  # a key that no row has
_STATE = ("updated_at", "status")


class OtherStep(NamedTuple):
    """This step performs the item, too."""

    item_pk: int
    step_pk: int
    status: str


def step(sop_instance_uid: str, *, held: bool) -> PerformedStep | None:
    """Return the step, its references to images still packed, or None. Raises django.db.Error."""
    found = (_HELD_STEP if held else _STEP).rows(sop_instance_uid)
    for each in found:
        each.dataset = packed_data_set(str(each.dataset))
        return each
    return None


def held_state(of: PerformedStep) -> tuple[datetime, str] | None:
    """Hold the step, and return what tells whether it was written meanwhile; None where it is gone."""
    for row in _state_statement(connection.vendor).rows(of.pk):
        updated_at, status = _state_conversion(connection.vendor).values(row)
        return updated_at, status
    return None


def scheduled(study_instance_uid: str, scheduled_procedure_step_id: str) -> WorklistItem | None:
    """Hold the item of a study and a step ID, of which there is one at most, and return it."""
    found = _SCHEDULED.rows(study_instance_uid, scheduled_procedure_step_id)
    return found[0] if found else None


def links(of: PerformedStep, *, held: bool) -> list[PerformedStepItem]:
    """Return the step's links with their items, by the items' keys; where `held`, they are held."""
    found = []
    for row in _links_statement(connection.vendor, held).rows(of.pk):
        link = _LINK.row(row[: len(_LINK.names)])
        link.step, link.item = of, _ITEM.row(row[len(_LINK.names) :])
        found.append(link)
    return found


def others(of: PerformedStep, item_pks: Collection[int]) -> list[OtherStep]:
    """Return what else performs the items, which the caller holds, so that nobody else may end it."""
    if len(item_pks) == 1:
        rows: Iterable[RawRow] = _others_statement(connection.vendor).rows(*item_pks, of.pk)
    else:
        rows = _others(item_pks, of.pk) if item_pks else ()
    return [OtherStep(*row) for row in rows]


def _steps() -> QuerySet[PerformedStep]:
    return PerformedStep.objects.filter(sop_instance_uid="").order_by()


def _held_steps() -> QuerySet[PerformedStep]:
    """A row that only points at a step, such as a point of attention, need not wait for it."""
    return _steps().select_for_update(no_key=True)


def _scheduled() -> QuerySet[WorklistItem]:
    asked = WorklistItem.objects.filter(study_instance_uid="").filter(scheduled_procedure_step_id="-")
    return asked.order_by().select_for_update()


_STEP = RowReader(PerformedStep, _steps, given=[""], as_stored=["dataset"])
_HELD_STEP = RowReader(PerformedStep, _held_steps, given=[""], as_stored=["dataset"])
_SCHEDULED = RowReader(WorklistItem, _scheduled, given=["", "-"])
_LINK, _ITEM = ModelColumns(PerformedStepItem), ModelColumns(WorklistItem)


@lru_cache
def _state_statement(vendor: str) -> Statement:
    steps = PerformedStep.objects.filter(pk=NOBODY).order_by().select_for_update(no_key=True)
    return write(steps.values_list(*_STATE), given=[NOBODY], is_prepared=True)


@lru_cache
def _state_conversion(vendor: str) -> Conversion:
    return Conversion(PerformedStep, _STATE)


@lru_cache
def _links_statement(vendor: str, held: bool) -> Statement:  # noqa: FBT001  (a key of what is remembered)
    found = PerformedStepItem.objects.filter(step=NOBODY).order_by("item_id")
    found = found.select_for_update() if held else found
    columns = (*_LINK.names, *(f"item__{name}" for name in _ITEM.names))
    return write(found.values_list(*columns), given=[NOBODY], is_prepared=True)


@lru_cache
def _others_statement(vendor: str) -> Statement:
    return write(_others([NOBODY], NOBODY), given=[NOBODY, NOBODY], is_prepared=True)


def _others(item_pks: Collection[int], step_pk: int) -> QuerySet[PerformedStepItem, tuple[int, int, str]]:
    links = PerformedStepItem.objects.filter(item__in=list(item_pks)).exclude(step=step_pk)
    return links.order_by("item_id", "step_id").values_list("item_id", "step_id", "step__status")
