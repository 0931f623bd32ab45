"""Which day the index shows, or which week, follows from its address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from worklist.day import week

LONGEST_TEXT = 20  # of what is no day, said again


@dataclass(frozen=True)
class ShownDays:
    """`day` is the one that is shown, or one of the week; `doubt` says what of the address is no day."""

    day: date
    today: date
    is_week: bool = False
    doubt: str = ""

    @property
    def is_today(self) -> bool:
        return not self.is_week and self.day == self.today

    @property
    def monday(self) -> date:
        return week.monday_of(self.day)

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)

    @property
    def before(self) -> date | None:
        """Return a day of what lies before, or None where the calendar begins."""
        return _moved(self.day, -7 if self.is_week else -1)

    @property
    def after(self) -> date | None:
        return _moved(self.day, 7 if self.is_week else 1)


def asked_for(request: HttpRequest) -> ShownDays:
    """Return what `day` or `week` of the address asks for, and today where that is no day."""
    today = timezone.localdate()
    is_week = "week" in request.GET
    text = request.GET.get("week" if is_week else "day", "").strip()
    if not text:
        return ShownDays(today, today, is_week)
    try:
        day = date.fromisoformat(text)
        _within_the_calendar(day)
    except (ValueError, OverflowError):
        doubt = _("“%(text)s” is no day that can be shown: write it as %(example)s. This is today.")
        told = {"text": text[:LONGEST_TEXT], "example": f"{today:%Y-%m-%d}"}
        return ShownDays(today, today, doubt=doubt % told)
    return ShownDays(day, today, is_week)


def _within_the_calendar(day: date) -> None:
    """Raise OverflowError for a day whose week the calendar does not have."""
    week.monday_of(day) + timedelta(days=6)


def _moved(day: date, days: int) -> date | None:
    try:
        moved = day + timedelta(days=days)
        _within_the_calendar(moved)
    except OverflowError:
        return None
    return moved
