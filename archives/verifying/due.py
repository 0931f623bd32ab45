"""An archive is to be asked for an item once all performed steps of it have ended.

Who looks for them is the worker, by time: nothing of it costs a scanner's report a statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Max, OuterRef, Q, Subquery

from archives.models import Archive, ArchiveCheck
from worklist.models import PerformedStatus, WorklistItem

LONGEST_EXAMINATION = timedelta(days=2)  # from its first message to its last; a later one is found by nobody
AGAIN_AFTER = timedelta(hours=1)


class Ended(NamedTuple):
    """`at` is when the last performed step of the item ended, `until` when its check, if any, does."""

    item_pk: int
    stations: str
    at: datetime
    until: datetime | None


def note_ended(archive: Archive, *, now: datetime) -> int:
    """Make a check for each item whose examination has ended within the archive's window; return how many."""
    ended = {
        each.item_pk: each.at
        for each in _ended(archive, now)
        if archive.holds([title for title in each.stations.split("\\") if title])
        and (each.until is None or each.until < each.at + archive.window)
    }
    ask_for(archive, ended)
    return len(ended)


def ask_for(archive: Archive, ended: Mapping[int, datetime]) -> None:
    """Have the archive asked for these items, by their keys, some minutes after they ended.

    An item that it is asked for already is asked for anew, as long as the later end says.
    """
    wait = timedelta(minutes=archive.first_after_minutes)
    ArchiveCheck.objects.bulk_create(
        [
            ArchiveCheck(archive=archive, item_id=pk, next_at=at + wait, until=at + archive.window)
            for pk, at in ended.items()
        ],
        update_conflicts=True,
        unique_fields=["archive", "item"],
        update_fields=["next_at", "until"],
    )


def next_after(check: ArchiveCheck, *, now: datetime) -> datetime | None:
    """Return when the archive is asked for the item again, None where its window has passed by then."""
    again = now + AGAIN_AFTER
    return again if again <= check.until else None


def _ended(archive: Archive, now: datetime) -> list[Ended]:
    since = now - archive.window
    known = ArchiveCheck.objects.filter(archive=archive, item=OuterRef("pk")).values("until")
    items = (
        WorklistItem.objects.filter(links__step__created_at__gte=since - LONGEST_EXAMINATION, erased_at=None)
        .order_by()
        .annotate(
            ended=Max("links__step__finished_at"),
            running=Count("links", filter=Q(links__step__status=PerformedStatus.IN_PROGRESS)),
            known_until=Subquery(known),
        )
        .filter(running=0, ended__gte=since)
    )
    rows = items.values_list("pk", "scheduled_station_aetitle", "ended", "known_until")
    return [Ended(*row) for row in rows.iterator()]
