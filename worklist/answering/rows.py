"""The items of a query are read as records in chunks: memory stays flat and no transaction is held open."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import Error

from worklist.dicom.item_attributes import RECORD_FIELDS
from worklist.models import WorklistItem
from worklist.models.connections import gives_back_connection
from worklist.models.items import WorklistQuerySet
from worklist.models.restrictions import WantedItems

logger = logging.getLogger(__name__)

CHUNK = 1000
COLUMNS = (*RECORD_FIELDS, "pk")
# SQLite gives None for a text that is no date: an answer without it could not be told from a universal one.
NEVER_NULL = ("scheduled_start_date", "scheduled_start_time")

Row = dict[str, Any]


@dataclass
class ItemsFound:
    """A query finds these items at one moment: the first ones read, the keys of the others."""

    wanted: WantedItems
    first: list[Row]
    others: list[int] = field(default_factory=list)
    skipped: int = 0  # rows that cannot be read
    cut_from: int = 0  # how many there were before some were left out

    def rows(self) -> Iterator[Row]:
        """Yield each item at most once, by schedule. An item that no longer matches is left out."""
        yield from self.first
        for start in range(0, len(self.others), CHUNK):
            yield from self._read_again(self.others[start : start + CHUNK])

    @property
    def total(self) -> int:
        return len(self.first) + len(self.others)

    def truncate(self, most: int) -> None:
        self.cut_from = self.total
        del self.first[most:]
        del self.others[max(most - len(self.first), 0) :]

    def has(self, pk: int) -> bool:
        return pk in self.others or any(row["pk"] == pk for row in self.first)

    @gives_back_connection
    def _read_again(self, pks: list[int]) -> list[Row]:
        rows, skipped = _read(WorklistItem.objects.matching(self.wanted).filter(pk__in=pks))
        self.skipped += skipped
        return rows


@gives_back_connection
def find(wanted: WantedItems) -> ItemsFound:
    """Search once, and read the first chunk. Raises django.db.Error."""
    matching = WorklistItem.objects.matching(wanted)
    rows, skipped = _read(matching[:CHUNK])
    found = ItemsFound(wanted, rows, skipped=skipped)
    if len(rows) + skipped == CHUNK:
        # Primary keys rather than an offset: items that move meanwhile are answered once all the same.
        read = {row["pk"] for row in rows}
        found.others = [pk for pk in matching.values_list("pk", flat=True) if pk not in read]
    return found


def _read(chosen: WorklistQuerySet) -> tuple[list[Row], int]:
    """Return the rows, and how many could not be read."""
    try:
        rows = list(chosen.values(*COLUMNS))
    except Error:
        raise
    except Exception:  # a value that its field cannot convert: which row has it?
        return _one_by_one(chosen)
    sound = [row for row in rows if _is_sound(row)]
    return sound, len(rows) - len(sound)


def _one_by_one(chosen: WorklistQuerySet) -> tuple[list[Row], int]:
    pks = list(chosen.values_list("pk", flat=True))
    rows = [row for pk in pks if (row := read_one(pk)) is not None]
    return rows, len(pks) - len(rows)


def read_one(pk: int) -> Row | None:
    """Return the row, or None where it is gone or cannot be read."""
    try:
        row = WorklistItem.objects.filter(pk=pk).values(*COLUMNS).first()
    except Error:
        raise
    except Exception as error:
        logger.error("Item %s is left out of the answers: %s while reading it", pk, type(error).__name__)
        return None
    return row if row is not None and _is_sound(row) else None


def _is_sound(row: Row) -> bool:
    missing = [name for name in NEVER_NULL if row[name] is None]
    if missing:
        logger.error("Item %s is left out of the answers: %s cannot be read", row["pk"], ", ".join(missing))
    return not missing
