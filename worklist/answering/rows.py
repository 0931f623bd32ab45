"""The items of a query are read in chunks: memory stays flat and no transaction is held open."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import NamedTuple

from pylantir_site.database.faults import DatabaseSlow
from worklist.answering import selecting
from worklist.answering.remembered import RowCache
from worklist.answering.selecting import COLUMNS
from worklist.devices.offers import Selection
from worklist.dicom.values import Record
from worklist.models import WorklistItem
from worklist.models.connections import gives_back_connection, tried_again
from worklist.models.items import OFFERED
from worklist.models.restrictions import WantedItems
from worklist.models.statements import Conversion, RawRow

logger = logging.getLogger(__name__)

CHUNK = selecting.CHUNK
PK = COLUMNS.index("pk")
# SQLite may hold a text that is no date: an answer without it could not be told from a universal one.
NEVER_NULL = ("scheduled_start_date", "scheduled_start_time")


class Row(NamedTuple):
    """An item's row as the database gave it, and the record that it says, which nobody may change."""

    pk: int
    raw: RawRow
    record: Record


class RowUnreadable(Exception):
    """A row has no value where each item has one."""


_rows: RowCache[RawRow, Row] = RowCache(most=5000)
# So many threads read at a time: a chunk as it comes takes megabytes, and Python runs one thread anyway.
_reading = BoundedSemaphore(4)
LONGEST_WAIT = 5.0  # seconds for a turn: a database that does not answer fails all soon, and not one by one


@dataclass
class ItemsFound:
    """A query finds these items at one moment: the first ones read, the keys of the others."""

    selection: Selection
    first: list[Row]
    others: array[int] = field(default_factory=lambda: array("q"))  # eight bytes each: there may be many
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

    def part(self, offset: int, most: int) -> None:
        """Leave out the first ones, and those that are then more than `most`."""
        of_others = max(offset - len(self.first), 0)
        del self.others[:of_others]
        del self.first[:offset]
        del self.first[most:]
        del self.others[max(most - len(self.first), 0) :]

    @property
    def pks(self) -> list[int]:
        return [*(row.pk for row in self.first), *self.others]

    def has(self, pk: int) -> bool:
        return pk in self.others or any(row.pk == pk for row in self.first)

    @tried_again
    @gives_back_connection
    def _read_again(self, pks: Sequence[int]) -> list[Row]:
        with _turn():
            found = selecting.rows_of(self.selection, pks)
            rows = _readable(found)
        self.skipped += len(found) - len(rows)
        return rows


@contextmanager
def _turn() -> Iterator[None]:
    if not _reading.acquire(timeout=LONGEST_WAIT):
        raise DatabaseSlow("The database answers too slowly.")
    try:
        yield
    finally:
        _reading.release()


@gives_back_connection
def find(wanted: WantedItems) -> ItemsFound:
    """Search once, and read the first chunk. Raises django.db.Error."""
    selection = Selection(wanted.conditions, OFFERED if wanted.statuses is None else wanted.statuses)
    with _turn():
        raw = selecting.first_rows(selection)
        first, has_more = raw[:CHUNK], len(raw) > CHUNK
        rows = _readable(first)
        found = ItemsFound(selection, rows, skipped=len(first) - len(rows))
        if has_more:
            # Primary keys rather than an offset: items that move meanwhile are answered once all the same.
            read = {row[PK] for row in first}
            found.others = array("q", (pk for pk in selecting.keys(selection) if pk not in read))
    return found


def read_one(pk: int) -> Row | None:
    """Return the row, or None where it is gone or cannot be read. Raises django.db.Error."""
    raw = selecting.row_of(pk)
    return next(iter(_readable([raw])), None) if raw is not None else None


def _readable(found: Iterable[RawRow]) -> list[Row]:
    """Return the rows that can be read; the log tells of the others."""
    rows, convert = [], _Converting()
    for raw in found:
        try:
            rows.append(_rows.get(raw[PK], raw, convert))
        except RowUnreadable as error:
            logger.error("Item %s is left out of the answers: %s", raw[PK], error)
        except Exception as error:  # a value that its field cannot convert
            logger.error(
                "Item %s is left out of the answers: %s while reading it", raw[PK], type(error).__name__
            )
    return rows


class _Converting:
    """Rows are converted, the very ones that matched: one that is read again may be another by now."""

    def __init__(self) -> None:
        self._conversion = Conversion(WorklistItem, COLUMNS)

    def __call__(self, raw: RawRow) -> Row:
        record = dict(zip(COLUMNS, self._conversion.values(raw), strict=True))
        missing = [name for name in NEVER_NULL if record[name] is None]
        if missing:
            raise RowUnreadable(f"{', '.join(missing)} cannot be read")
        return Row(record["pk"], raw, record)
