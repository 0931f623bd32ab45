"""A phantom's ID and name are patterns whose words in braces are filled in for each scan."""

from __future__ import annotations

from datetime import date, time
from string import Formatter

from django.utils.translation import gettext as _

OF_A_MOMENT = frozenset({"date", "time"})
KNOWN = OF_A_MOMENT | {"scanner"}
LONGEST = 64  # characters of an LO, and of a group of a PN (PS3.5 6.2)


def words(pattern: str) -> frozenset[str]:
    """Return the words in braces. Raises ValueError, whose text says what is wrong, for people."""
    try:
        parts = list(Formatter().parse(pattern))
    except ValueError as error:
        raise ValueError(_("A brace is left open: write {scanner}, {date} or {time}.")) from error
    for _literal, word, form, conversion in parts:
        if word is not None and (word not in KNOWN or form or conversion):
            raise ValueError(
                _("{%(word)s} is not known: write {scanner}, {date} or {time}.") % {"word": word}
            )
    return frozenset(word for _literal, word, _form, _conversion in parts if word is not None)


def fill(pattern: str, *, scanner: str, day: date, at: time) -> str:
    """Return the pattern with its words filled in; day and time as DA and TM have them (PS3.5 6.2).

    Raises ValueError as `words` does.
    """
    words(pattern)
    return pattern.format(scanner=scanner, date=f"{day.year:04}{day:%m%d}", time=f"{at:%H%M%S}")
