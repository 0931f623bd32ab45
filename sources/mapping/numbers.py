"""Measures are read as people type and REDCap calculates them: in any number of decimals, without a unit."""

from __future__ import annotations

import re
from decimal import Decimal

from sources.mapping.problems import UnusableValue
from worklist.dicom.values import HEAVIEST_KG, KILOGRAMS_PER_POUND, LIGHTEST_KG

_TEN_GRAMS = Decimal("0.01")
LONGEST = 64
LONGEST_DS = 16
# What REDCap's own validation "Number" takes, with a comma too: fields are calculated as floating point, so
# that 110 pounds are 49.89516037, and a very small or large number has an exponent.
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)


def number(text: str) -> Decimal:
    if not is_number(text):
        raise UnusableValue("This is not a number alone, such as 61.5 or 61,5.")
    return Decimal(text.replace(",", "."))


def is_number(text: str) -> bool:
    return len(text) <= LONGEST and _NUMBER.fullmatch(text) is not None


def kilograms_from_pounds(text: str) -> str:
    return plain(number(text) * KILOGRAMS_PER_POUND)


def metres_from_centimetres(text: str) -> str:
    return plain(number(text) / 100)


def weight(text: str) -> str:
    """Return kilograms, to ten grams."""
    kilograms = number(text)
    if not LIGHTEST_KG <= kilograms <= HEAVIEST_KG:
        raise UnusableValue(f"Only {LIGHTEST_KG} to {HEAVIEST_KG} kg are plausible: is the unit right?")
    return plain(kilograms.quantize(_TEN_GRAMS))


def decimal_string(text: str) -> str:
    """Return a number as VR DS holds it, rounded to its 16 characters; what is no number is left alone."""
    given = text.replace(",", ".")
    if len(given) <= LONGEST_DS or not is_number(text):
        return given
    rounded = (f"{number(text):.{digits}g}" for digits in range(LONGEST_DS, 0, -1))
    return next(shorter for shorter in rounded if len(shorter) <= LONGEST_DS)


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
