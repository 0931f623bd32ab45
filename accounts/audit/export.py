"""Events leave as lines, CSV or JSON, for whoever must give account of who saw what."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, TextIO

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from accounts.models import AuditEvent

COLUMNS = (
    *("id", "at", "kind", "username", "address", "method", "path", "parameters", "status", "rows"),
    *("subject", "detail", "up_to", "previous", "digest"),
)
AT_ONCE = 500


def moment(text: str) -> datetime:
    """Return a date's first moment or a date and time, in the site's zone unless it names one.

    Raises ValueError.
    """
    found: datetime | date | None = parse_date(text) if len(text) == 10 else parse_datetime(text)
    if found is None:
        raise ValueError(f"{text} is no date such as 2026-11-29, nor a date and time.")
    if not isinstance(found, datetime):
        found = datetime(found.year, found.month, found.day)
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def chosen(
    *, since: datetime | None, until: datetime | None, kinds: list[str], username: str, row: int | None
) -> QuerySet[AuditEvent]:
    """Return events in the order in which they were written; `until` is left out itself."""
    every = AuditEvent.objects.all() if row is None else AuditEvent.objects.naming(row)
    events = every.order_by("pk")
    if since:
        events = events.filter(at__gte=since)
    if until:
        events = events.filter(at__lt=until)
    if kinds:
        events = events.filter(kind__in=kinds)
    return events.filter(username=username) if username else events


def write(events: Iterable[AuditEvent], file: TextIO, *, as_csv: bool) -> int:
    """Write an event to a line, and return how many they were; times are in UTC."""
    number = 0
    table = csv.writer(file)
    if as_csv:
        table.writerow(COLUMNS)
    for event in events:
        told = _told(event)
        if as_csv:
            table.writerow([_cell(told[name]) for name in COLUMNS])
        else:
            file.write(json.dumps(told, ensure_ascii=False) + "\n")
        number += 1
    return number


def _told(event: AuditEvent) -> dict[str, Any]:
    told = {name: getattr(event, name) for name in COLUMNS}
    told["at"] = event.at.astimezone(UTC).isoformat()
    return told


def _cell(value: Any) -> Any:
    """Return lists as words, and nothing that a spreadsheet would run."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
