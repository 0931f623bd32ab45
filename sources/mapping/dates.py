"""Dates and times are read as REDCap and DICOM write them: Y-M-D whatever a form shows, in no zone.

Read strictly: what could be two dates (03/02/2026) is none.
"""

from __future__ import annotations

import re
from datetime import date, time

from sources.mapping.problems import UnusableValue
from worklist.dicom.values import EARLIEST_BIRTH_YEAR

_DATE = r"(\d{4})-(\d\d)-(\d\d)|(\d{4})(\d\d)(\d\d)"
_TIME = r"(\d{1,2}):(\d\d)(?::(\d\d))?"
_MOMENT = re.compile(rf"(?:{_DATE})(?:[T ]({_TIME}))?", re.ASCII)
_CLOCK = re.compile(rf"{_TIME}|(\d\d)(\d\d)(\d\d)", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)

SCHEDULE_YEARS = range(1990, 2200)


def moment(text: str) -> tuple[date, time | None]:
    """Read `2026-03-02 09:30`, with seconds or without a time. Raises UnusableValue."""
    match = _MOMENT.fullmatch(text)
    if not match:
        raise UnusableValue(
            "This is not a date written 2026-03-02. Let the source check the field as a date, or say of a "
            "table's column, under Dates typed as text, how they are typed."
        )
    year, month, day = (int(part) for part in match.groups()[:6] if part)
    try:
        found = date(year, month, day)
    except ValueError:
        raise UnusableValue("There is no such date.") from None
    return found, clock(match[7]) if match[7] else None


def clock(text: str) -> time:
    """Read `9:30`, `09:30:15`, DICOM's `093015`, or the time of a date and time. Raises UnusableValue."""
    match = _CLOCK.fullmatch(text)
    if not match:
        return _time_of_moment(text)
    try:
        hour, minute, second = match.groups()[:3] if match[1] else match.groups()[3:]
        return time(int(hour), int(minute), int(second or 0))
    except ValueError:
        raise UnusableValue("There is no such time: 00:00 to 23:59.") from None


def _time_of_moment(text: str) -> time:
    found = moment(text)[1] if _MOMENT.fullmatch(text) else None
    if found is None:
        raise UnusableValue("This is not a time written 09:30, of 24 hours.")
    return found


def scheduled(text: str) -> tuple[date, time | None]:
    found, at = moment(text)
    if found.year not in SCHEDULE_YEARS:
        raise UnusableValue("This is not a plausible date of an appointment.")
    return found, at


def birth_date(text: str, today: date) -> date:
    if is_year(text):
        raise UnusableValue(
            "This is only a year: say what it means with `year only empty` or `year only 0101`."
        )
    born = moment(text)[0]
    if born > today:
        raise UnusableValue("A birth date cannot lie in the future.")
    if born.year < EARLIEST_BIRTH_YEAR:
        raise UnusableValue("This is not a plausible birth date.")
    return born


def is_year(text: str) -> bool:
    return _YEAR.fullmatch(text) is not None
