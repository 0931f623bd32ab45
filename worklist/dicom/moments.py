"""DA and TM keys (PS3.4 C.2.2.2.5) are read by the meaning of their values and ranges (PS3.5 6.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time

from worklist.dicom.conditions import Moment, Range

# YYYY.MM.DD and HH:MM:SS are ACR-NEMA's forms, which PS3.5 asks readers to take.
_DATE = re.compile(r"\d{8}|\d{4}\.\d{2}\.\d{2}", re.ASCII)
_TIME = re.compile(
    r"(?P<hour>\d{2})(?:(?P<colon>:)?(?P<minute>\d{2})(?:(?(colon):)(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6}))?)?)?",
    re.ASCII,
)


def date_range(text: str) -> Range[date]:
    """Read `YYYYMMDD`, or two of them with a hyphen between, or one beside it. Raises ValueError."""
    return _range(text, _date)


def time_range(text: str) -> Range[time]:
    """Read `HH[MM[SS[.F]]]`, parts left out being zero, or a range as for dates. Raises ValueError."""
    return _range(text, _time)


def around_midnight(ranges: tuple[Range[time], ...]) -> Iterator[Range[time]]:
    """Make a range that ends before it begins two that do not."""
    for given in ranges:
        if given.low is not None and given.high is not None and given.low > given.high:
            yield Range(given.low, None)
            yield Range(None, given.high)
        else:
            yield given


def interval(dates: Range[date], times: Range[time]) -> tuple[datetime | None, datetime | None]:
    """Return both keys as one interval (PS3.4 K.6.1.2.2); where the date is open, the time says nothing."""
    return _at(dates.low, times.low, time.min), _at(dates.high, times.high, time.max)


def _at(day: date | None, moment: time | None, otherwise: time) -> datetime | None:
    if day is None:
        return None
    return datetime.combine(day, otherwise if moment is None else moment)


def _range(text: str, read: Callable[[str], Moment]) -> Range[Moment]:
    low, hyphen, high = text.partition("-")
    if not hyphen:
        moment = read(text)
        return Range(moment, moment, single=True)
    if not low and not high:
        raise ValueError("a range needs an end")
    return Range(read(low) if low else None, read(high) if high else None)


def _date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise ValueError("not a date")
    return date.fromisoformat(text.replace(".", ""))


def _time(text: str) -> time:
    found = _TIME.fullmatch(text)
    if found is None or (found["colon"] and not found["second"]):
        raise ValueError("not a time")
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    if second == 60:  # a leap second, which Python does not have
        return time(hour, minute, 59, 999999)
    return time(hour, minute, second, int((found["fraction"] or "").ljust(6, "0")))
