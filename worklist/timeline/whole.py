"""An item's timeline is put together from all that is known of it, by a number of queries that is bounded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import Error, transaction

from worklist.models import WorklistItem
from worklist.timeline import asked, attention, changes, performed
from worklist.timeline.asked import AskedBy
from worklist.timeline.entries import TimelineEntry


class Timeline(NamedTuple):
    """`entries` are the newest first; `asked` is who asked for the item on its day, the last first.

    `records` are those of the item's history, and `is_cut` says that it has more.
    """

    entries: list[TimelineEntry]
    asked: Sequence[AskedBy]
    records: Sequence[Any]
    is_cut: bool


def timeline_of(item: WorklistItem) -> Timeline:
    records = changes.records_of(item)
    links = performed.links_of(item)
    begun = [link.step.created_at for link in links]
    asked_for = _asked_by(item, records, begun)
    entries = [
        *changes.told(records, examined_at=performed.moments(links)),
        *performed.told(links),
        *attention.told(item, [link.step_id for link in links]),
        *asked.told(asked_for),
    ]
    return Timeline(newest_first(entries), asked_for, records, len(records) == changes.MOST_READ)


def newest_first(entries: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _asked_by(item: WorklistItem, records: Sequence[Any], begun: Sequence[Any]) -> list[AskedBy]:
    try:
        with transaction.atomic():  # what fails here fails alone
            return asked.asked_by(item, records, until=min(begun, default=None))
    except Error:  # such as a pattern of a scanner's that this database cannot compare
        return []
