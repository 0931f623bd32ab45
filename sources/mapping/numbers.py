"""Measures are read as people type them: with a decimal comma or point, but without a unit."""

from __future__ import annotations

import re
from decimal import Decimal

from sources.mapping.problems import UnusableValue
from worklist.dicom.values import HEAVIEST_KG, KILOGRAMS_PER_POUND, LIGHTEST_KG

_TEN_GRAMS = Decimal("0.01")
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:[.,]\d{1,9})?", re.ASCII)


def number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise UnusableValue("This is not a number alone, such as 61.5 or 61,5.")
    return Decimal(text.replace(",", "."))


def is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


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


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
