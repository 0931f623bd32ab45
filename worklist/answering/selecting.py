"""The statements that find the items of a selection are written once, and remembered by the selection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from worklist.devices.offers import Selection
from worklist.dicom.item_attributes import RECORD_FIELDS
from worklist.models import WorklistItem
from worklist.models.items import WorklistQuerySet
from worklist.models.lookups import AsStored
from worklist.models.statements import RawRow, Statement, StatementCache, write

CHUNK = 1000
COLUMNS = ("pk", *RECORD_FIELDS)

_statements = StatementCache(most=2 * 1024 * 1024)


def first_rows(selection: Selection) -> list[RawRow]:
    """Return the first rows by schedule, with COLUMNS as they are stored.

    They are CHUNK at most, and one more that tells of others. Raises django.db.Error.
    """
    found = _statements.get(("first", selection), lambda: write(_columns(_matching(selection)[: CHUNK + 1])))
    return found.rows()


def keys(selection: Selection) -> list[int]:
    """Return the primary keys of all items by schedule. Raises django.db.Error."""
    found = _statements.get(("keys", selection), lambda: write(_matching(selection).values_list("pk")))
    return [pk for (pk,) in found.rows()]


def rows_of(selection: Selection, pks: Sequence[int]) -> list[RawRow]:
    """Return the rows of those of the items that still match; one item at least, CHUNK at most.

    Raises django.db.Error.
    """
    found = _statements.get(("rows of keys", selection), lambda: _write_rows_of(selection))
    repeated = [pks[0]] * (CHUNK - len(pks))  # the statement takes just so many
    return found.rows(*pks, *repeated)


def _write_rows_of(selection: Selection) -> Statement:
    pks = range(CHUNK)
    return write(_columns(_matching(selection).filter(pk__in=pks)), given=pks)


def row_of(pk: int) -> RawRow | None:
    """Return the item's row, or None where it is gone. Raises django.db.Error."""
    found = _statements.get("row", lambda: write(_columns(WorklistItem.objects.filter(pk=0)), given=[0]))
    return next(iter(found.rows(pk)), None)


def _matching(selection: Selection) -> WorklistQuerySet:
    return WorklistItem.objects.matching(selection)


def _columns(items: WorklistQuerySet) -> QuerySet[WorklistItem, Any]:
    return items.values_list(*map(AsStored, COLUMNS))
