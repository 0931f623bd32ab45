"""Whose patient IDs an audit event is about is found here, for PS3.15's messages: the trail keeps keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from accounts.models import AuditEvent
from archives.models import ArchiveCheck, ArchivedStudy
from sources.models import SyncedStep
from worklist.models import Attention, ConfirmedPerson, PerformedStep, WorklistItem

AT_ONCE = 500  # keys in one query
# What a page, an endpoint or a list is called, and where its rows have their patient IDs.
PATIENT_IDS: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("worklistitem", WorklistItem, ("patient_id",)),
    ("performedstep", PerformedStep, ("patient_id",)),
    ("attention", Attention, ("item__patient_id", "step__patient_id")),
    ("confirmedperson", ConfirmedPerson, ("patient_id",)),
    ("syncedstep", SyncedStep, ("item__patient_id",)),
    ("/worklist", WorklistItem, ("patient_id",)),
    ("/performed-steps", PerformedStep, ("patient_id",)),
    ("/attention", Attention, ("item__patient_id", "step__patient_id")),
    ("/archived-studies", ArchivedStudy, ("patient_id",)),
    ("/archive-checks", ArchiveCheck, ("item__patient_id",)),
)
# Pages that show items, whatever they are called.
OF_ITEMS = frozenset({"admin:index", "admin:worklist_day_sheet", "admin:search", "admin:search_suggestions"})


def patients_of(event: AuditEvent) -> list[str]:
    """Return the patient IDs of the rows that the event names, as they are now; deleted ones have none."""
    found = _where(event)
    if found is None:
        return []
    model, columns = found
    return [patient for keys in _some(event.rows) for patient in _ids(model, columns, keys)]


def _where(event: AuditEvent) -> tuple[Any, tuple[str, ...]] | None:
    if event.path in OF_ITEMS:
        return WorklistItem, ("patient_id",)
    named = f"{event.path} {event.detail}"
    for name, model, columns in PATIENT_IDS:
        if name in named:
            return model, columns
    return None


def _some(rows: list[Any]) -> Iterator[list[int]]:
    keys = [row for row in rows if isinstance(row, int)]
    return (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))


def _ids(model: Any, columns: tuple[str, ...], keys: list[int]) -> Iterator[str]:
    for values in model._default_manager.filter(pk__in=keys).values_list(*columns):
        yield from (value for value in values if value)
