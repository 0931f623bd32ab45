"""A booking's times are brought to the site's own wall time, which is what a worklist holds.

An hour that comes twice, when clocks go back, is kept as the clock on the wall shows it: DICOM's times have
no zone. One that never comes is refused. Read strictly: what could be two moments is none.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

UNREADABLE = "This is not a time as Calpendo writes it: 2026-01-27T14:00, with Z or without."
_DAY = r"\d{4}-\d\d-\d\d"
_TIME = r"\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?"
_MOMENT = re.compile(rf"({_DAY})(?:[T ]({_TIME})(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_RANGE = re.compile(rf"\[\s*({_DAY}[T ]{_TIME})\s*,\s*({_DAY}[T ]{_TIME})\s*\]", re.ASCII)


class MomentError(ValueError):
    """It says why a time cannot be used, and never holds it."""


def wall_time(text: str, zone: ZoneInfo) -> str:
    """Return `2026-01-27 14:00:00` of the zone, or the day alone where there is no time.

    A text without Z or an offset is the site's own time already. Raises MomentError.
    """
    match = _MOMENT.fullmatch(text.strip())
    if not match:
        raise MomentError(UNREADABLE)
    day, at, offset = match.groups()
    if at is None:
        return _day(day)
    moment = _parsed(f"{day}T{at.partition('.')[0]}{offset or ''}")
    if moment.tzinfo is None:
        _refuse_what_never_comes(moment, zone)
    else:
        moment = _in_zone(moment, zone)
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def in_range(formatted_name: str) -> tuple[str, str] | None:
    """Return the two times of `[2026-01-27 14:00:00.0, 2026-01-27 15:30:00.0]`, or None for another text."""
    match = _RANGE.fullmatch(formatted_name.strip())
    return (match[1], match[2]) if match else None


def day_of(text: str) -> date:
    """Return the day that a time names, whatever its zone. Raises MomentError."""
    match = _MOMENT.fullmatch(text.strip())
    if not match:
        raise MomentError(UNREADABLE)
    return _parsed(f"{match[1]}T00:00").date()


def _day(text: str) -> str:
    return f"{_parsed(f'{text}T00:00'):%Y-%m-%d}"


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise MomentError("There is no such day or time.") from None


def _in_zone(moment: datetime, zone: ZoneInfo) -> datetime:
    try:
        return moment.astimezone(zone)
    except (OverflowError, ValueError):
        raise MomentError("There is no such day in the site's time zone.") from None


def _refuse_what_never_comes(moment: datetime, zone: ZoneInfo) -> None:
    there_and_back = _in_zone(moment.replace(tzinfo=zone).astimezone(UTC), zone)
    if there_and_back.replace(tzinfo=None) != moment:
        raise MomentError(
            "There is no such time on that night: clocks go forward over it. "
            "Correct the booking, or the source's time zone."
        )
