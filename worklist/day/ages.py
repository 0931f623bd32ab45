"""An age is told as people tell it: of infants in days, weeks or months."""

from __future__ import annotations

from datetime import date

from django.utils.translation import ngettext

WEEKS_FROM, MONTHS_FROM, YEARS_FROM = 14, 3, 24  # days, months, months


def in_words(born: date | None, on: date) -> str:
    """Return the age on that day, or "" where it is not known, or the birth date is still to come."""
    if born is None or born > on:
        return ""
    months = _whole_months(born, on)
    if months >= YEARS_FROM:
        years = months // 12
        return ngettext("%(years)d year", "%(years)d years", years) % {"years": years}
    if months >= MONTHS_FROM:
        return ngettext("%(months)d month", "%(months)d months", months) % {"months": months}
    days = (on - born).days
    if days >= WEEKS_FROM:
        weeks = days // 7
        return ngettext("%(weeks)d week", "%(weeks)d weeks", weeks) % {"weeks": weeks}
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}


def _whole_months(born: date, on: date) -> int:
    return 12 * (on.year - born.year) + on.month - born.month - (on.day < born.day)
