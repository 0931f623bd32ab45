"""What was written to an item is told from its history: made, edited, moved, cancelled, put back."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from worklist.models import Status, WorklistItem
from worklist.models.changes import FieldChange, history_entries
from worklist.timeline import readable
from worklist.timeline.entries import SOURCE, TimelineEntry, who

MOST_READ = 60  # records of an item's history; all of them are on its history's page
STATUS, EVIDENCE = "performed_procedure_step_status", "performed_by_evidence"
WHEN_AND_WHERE = frozenset({"scheduled_start_date", "scheduled_start_time", "scheduled_station_aetitle"})
AT_ONCE = timedelta(seconds=2)  # between the records of one message


def records_of(item: WorklistItem) -> list[Any]:
    """Return the newest records of the item's history, the newest first."""
    history = WorklistItem.history.filter(id=item.pk).order_by("-history_date", "-history_id")
    return list(history[:MOST_READ])


def told(records: Sequence[Any], *, examined_at: Collection[datetime] = ()) -> Iterator[TimelineEntry]:
    """Yield an entry for each record that changed something.

    A status that came with a scanner's report, or with a link, is told by that: `examined_at` has when.
    """
    for entry in history_entries(list(records), hidden=[EVIDENCE]):
        record, by = entry.record, who(entry.record.history_user_id)
        if record.history_type == "+":
            yield _entry(record, "made", _made(record, by))
        elif entry.changes and not _is_of_a_report(record, entry.changes, examined_at):
            kind, text = _kind_and_text(entry.changes, by)
            yield _entry(record, kind, text, _lines(entry.changes))


def last_edits(records: Sequence[Any], fields: Collection[str]) -> dict[str, Any]:
    """Return for each field or keyword the record that gave it the value that it has."""
    found: dict[str, Any] = {}
    for record, older in pairwise(records):
        for field in fields:
            if field not in found and _value(record, field) != _value(older, field):
                found[field] = record
    return found


def _value(record: Any, field: str) -> Any:
    if field[:1].isupper():
        return record.extra_attributes.get(field)
    return getattr(record, field)


def _entry(record: Any, kind: str, text: str, changes: tuple[str, ...] = ()) -> TimelineEntry:
    reason = "" if kind == "arrived" else record.history_change_reason or ""  # the text says as much
    return TimelineEntry(
        record.history_date, kind, text, record.history_user_id or "", changes=changes, note=reason
    )


def _made(record: Any, by: str) -> str:
    if (record.history_user_id or "").startswith(SOURCE):
        return _("Made by %(who)s") % {"who": by}
    return _("Added by %(who)s") % {"who": by}


def _is_of_a_report(record: Any, changes: Sequence[FieldChange], examined_at: Collection[datetime]) -> bool:
    is_status = {change.name for change in changes} == {STATUS}
    return is_status and any(abs(record.history_date - at) < AT_ONCE for at in examined_at)


def _kind_and_text(changes: Sequence[FieldChange], by: str) -> tuple[str, str]:
    names = {change.name for change in changes}
    if names == {STATUS}:
        return "status", _status_in_words(changes[0], by)
    if names == {"arrived_at"}:
        return "arrived", _arrived(changes[0], by)
    if names <= WHEN_AND_WHERE:
        return "moved", _("Moved by %(who)s") % {"who": by}
    return "edited", _("Edited by %(who)s") % {"who": by}


def _status_in_words(change: FieldChange, by: str) -> str:
    if change.new == Status.CANCELLED:
        return _("Cancelled by %(who)s") % {"who": by}
    if change.new == Status.SCHEDULED:
        return _("Put back to scheduled by %(who)s") % {"who": by}
    status = readable.value(STATUS, change.new)
    return _("Given the status %(status)s by %(who)s") % {"status": status, "who": by}


def _arrived(change: FieldChange, by: str) -> str:
    text = _("Arrived, says %(who)s") if change.new else _("Not here yet, says %(who)s")
    return text % {"who": by}


def _lines(changes: Sequence[FieldChange]) -> tuple[str, ...]:
    """Return what differs, in lines; of a status or an arrival alone the text says it."""
    if {change.name for change in changes} in ({STATUS}, {"arrived_at"}):
        return ()
    return tuple(line for change in changes for line in readable.changed(change.name, change.old, change.new))
