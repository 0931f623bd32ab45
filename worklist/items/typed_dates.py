"""A person may type a date in these forms: what could be two dates, such as 12/03/2015, is none of them."""

from __future__ import annotations

import re
from datetime import date

from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import gettext as _

FORMS = "2015-03-12, 20150312 or 12 Mar 2015"
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_NUMBERS = re.compile(r"(?P<year>\d{4})(?P<dash>-?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)", re.ASCII)
_WORDS = re.compile(r"(?P<day>\d{1,2}) +(?P<month>[a-z]+) +(?P<year>\d{4})", re.ASCII | re.IGNORECASE)
_MONTH_NUMBERS = {name[:length]: number for number, name in enumerate(MONTHS, 1) for length in (3, len(name))}


def read(text: str) -> date | None:
    """Return the date, or None of an empty text. Raises ValidationError, which says what is taken."""
    given = text.strip()
    if not given:
        return None
    match = _NUMBERS.fullmatch(given) or _WORDS.fullmatch(given)
    month = _month(match["month"]) if match else None
    if not match or month is None:
        raise ValidationError(_("Write the date as %(forms)s.") % {"forms": FORMS}, code="date")
    try:
        return date(int(match["year"]), month, int(match["day"]))
    except ValueError as error:
        raise ValidationError(_("There is no such date."), code="date") from error


def in_words(day: date) -> str:
    """Return it so that nobody takes the month for the day: Thursday, 12 March 2015."""
    return date_format(day, _("l, j F Y"))


def _month(text: str) -> int | None:
    return int(text) if text.isdigit() else _MONTH_NUMBERS.get(text.lower())
