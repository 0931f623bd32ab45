"""What a cell of the original's worklist means is decided here, and what is doubtful about it told.

A value that cannot be known is unknown: none is made up. Texts name no value, for they are kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError

from worklist.dicom import modalities, representations
from worklist.items import cleaning
from worklist.models import Sex, Status

DEFAULT_WEIGHT = Decimal(100)  # pounds: the column's own default in the original
YEAR_ALONE = "The birth date is a year alone: unknown."
DEFAULT_BIRTH_DATE = "The birth date is 1 January 1900, which stands for an unknown one: unknown."
FIRST_OF_JANUARY = "The birth date is a 1 January, which may stand for a year alone: taken as it is."
NO_BIRTH_DATE = "The birth date cannot be read: unknown."
DEFAULT_WEIGHT_TOLD = "The weight is 100 lb, the original's default: unknown."
NO_WEIGHT = "The weight cannot be read: unknown."
CODE_OF_SEX = "The sex is a code or a word: unknown, unless you say what it means (sex codes: 1=M,2=F)."
NO_TIME = "The time cannot be read: midnight, as where none is known."
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2}|\d{8})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?", re.ASCII)
_SHORT_HOUR = re.compile(r"\d:\d{2}(?::\d{2})?", re.ASCII)


class Known(NamedTuple):
    """This is what a cell means; `note` says what is doubtful about that."""

    value: Any
    note: str = ""


class Start(NamedTuple):
    day: date | None
    at: time | None  # None where it cannot be read or is not known


def start(day: str, at: str) -> Start:
    """Return when it is scheduled; a time in the cell of the date counts where there is no other."""
    match = _MOMENT.fullmatch(day.strip())
    if not match:
        return Start(None, None)
    try:
        return Start(cleaning.da(match[1]), _time(at) or (_time(match[2]) if not at.strip() else None))
    except ValidationError:
        return Start(None, None)


def _time(text: str | None) -> time | None:
    given = (text or "").strip()
    try:
        return cleaning.tm(f"0{given}" if _SHORT_HOUR.fullmatch(given) else given) if given else None
    except ValidationError:
        return None


def birth_date(text: str) -> Known:
    given = cleaning.text(text)
    if re.fullmatch(r"\d{4}", given, re.ASCII):
        return Known(None, YEAR_ALONE)
    try:
        day = cleaning.da(given)
    except ValidationError:
        return Known(None, NO_BIRTH_DATE)
    if day == date(1900, 1, 1):
        return Known(None, DEFAULT_BIRTH_DATE)
    return Known(day, FIRST_OF_JANUARY if day and (day.month, day.day) == (1, 1) else "")


def sex(text: str, codes: Mapping[str, str]) -> Known:
    given = cleaning.text(text)
    if given in codes:
        return Known(codes[given])
    if not given or given.upper() in Sex.values:
        return Known(given.upper())
    return Known("", CODE_OF_SEX)


def weight(text: str) -> Known:
    """Return the weight in kilograms from pounds."""
    given = cleaning.text(text)
    try:
        kilograms = cleaning.pounds(given)
    except ValidationError:
        return Known(None, NO_WEIGHT)
    if given and Decimal(given) == DEFAULT_WEIGHT:
        return Known(None, DEFAULT_WEIGHT_TOLD)
    return Known(kilograms)


def modality(text: str, meanings: Mapping[str, str]) -> str:
    """Return the modality, or nothing where the cell is none that a scanner could ask for."""
    given = cleaning.text(text)
    code = meanings.get(given, given)
    if code.upper() in modalities.USUAL:
        return code.upper()
    is_legal = bool(code) and representations.problem("CS", code) is None and " " not in code
    return code if is_legal and not modalities.question(code) else ""


def status(text: str) -> Status | None:
    given = cleaning.text(text).upper().replace(" ", "_")
    originals = {Status.SCHEDULED, Status.IN_PROGRESS, Status.COMPLETED, Status.DISCONTINUED}
    return Status(given) if given in originals else None


def uid(text: str) -> str:
    """Return a legal UID, else nothing."""
    given = text.strip(" \0")
    return given if given and representations.problem("UI", given) is None else ""


def is_text(text: str) -> bool:
    return "\N{REPLACEMENT CHARACTER}" not in text
