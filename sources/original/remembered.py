"""Which rows of the original's came in before is known here, whatever their file is called by now.

A file has no name that would stay, for it is copied, moved and uploaded: it is known again by its rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import NamedTuple

from sources.models import OriginalDatabase, OriginalRow
from worklist.models import Status, WorklistItem

OPEN = (Status.SCHEDULED, Status.IN_PROGRESS)


class RowKey(NamedTuple):
    row: int
    fingerprint: str


def fingerprint(*cells: str) -> str:
    return hashlib.sha256("\x1f".join(cells).encode()).hexdigest()


def database(table: str, keys: Collection[RowKey]) -> OriginalDatabase | None:
    """Return the database that these rows are of; None where they are of none that was imported.

    At least half of what was imported from it, or of what is given, must be the same: rows are deleted and
    added in between, and two databases of one study may have a row in common.
    """
    given = frozenset(keys)
    found: dict[int, int] = {}
    for known in OriginalDatabase.objects.all():
        imported = frozenset(_keys(known, table))
        common = len(given & imported)
        if common and 2 * common >= min(len(given), len(imported)):
            found[known.pk] = common
    best = max(found, key=lambda pk: found[pk], default=None)
    return OriginalDatabase.objects.get(pk=best) if best is not None else None


def settled(known: OriginalDatabase, table: str) -> frozenset[RowKey]:
    """Return the rows of which nothing more can come.

    Of those that wait for a pull something can, and of those whose item has not been examined.
    """
    rows = OriginalRow.objects.filter(database=known, table=table)
    open_uids = WorklistItem.objects.filter(performed_procedure_step_status__in=OPEN).values(
        "study_instance_uid"
    )
    rows = rows.exclude(step__isnull=False, step__session=None)
    rows = rows.exclude(item__isnull=False, item__performed_procedure_step_status__in=OPEN)
    rows = rows.exclude(step__isnull=False, step__study_instance_uid__in=open_uids)
    return frozenset(RowKey(*row) for row in rows.order_by().values_list("row", "fingerprint"))


def _keys(known: OriginalDatabase, table: str) -> list[RowKey]:
    rows = OriginalRow.objects.filter(database=known, table=table).order_by()
    return [RowKey(*row) for row in rows.values_list("row", "fingerprint")]
