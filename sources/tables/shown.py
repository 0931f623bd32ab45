"""A number in a workbook is what its format shows, or cannot be taken for a text.

A cell with 42 and the format 0000 shows 0042. Which of both an ID is, only a person knows.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from sources.tables.cells import Cell, Unusable

DIGITS = 15  # that a spreadsheet keeps: further ones have become zeros
_BEYOND = Decimal(10) ** DIGITS
_AS_TEXT = "format the column as text and type it anew"
OTHERWISE = f"The cell holds a number that its format shows otherwise: {_AS_TEXT}."
TOO_LONG = f"The cell holds a number of more than {DIGITS} digits, which is rounded: {_AS_TEXT}."
BESIDE = (
    "The cell's format shows a text with its number, which may be another unit or further digits: "
    "format it as a plain number."
)
SCALED = "The cell shows its number as a percentage, or in thousands: format it as a plain number."
_PLAIN = re.compile(r"(#,##|#*)(0+)?(?:\.(0*)(#*))?")
_DIGITS_ALONE = re.compile(r"(?:\[\$-[0-9A-Fa-f]+\])?(?:[0#?,.()+\-/E\s]*|General)")
_ORNAMENTS = re.compile(r"\[(?:[A-Z][a-z]+|Color ?\d+)\]|_.|\*.")
_LITERALS = re.compile(r'"[^"]*"|\\.')


def text_of(raw: str, number_format: str) -> Cell:
    """Return a number as it is typed, of 15 digits at most: 70.09999999999999 is 70.1.

    Raises ValueError for what is no number.
    """
    value = Decimal(f"{_finite(raw):.{DIGITS}g}")
    if abs(value) >= _BEYOND:
        return Unusable(TOO_LONG)
    text = plain(value)
    if number_format in ("General", "@", "0"):
        if number_format == "0" and "." in text:
            return Unusable(OTHERWISE, text)
        return text
    section = _section(number_format, is_negative=value < 0)
    if _is_scaled(section):
        return Unusable(SCALED)
    if _shows(section, value) == text:
        return text
    return Unusable(OTHERWISE, text) if _shows_number_alone(section) else Unusable(BESIDE)


def plain(value: Decimal) -> str:
    """Return it without an exponent and without zeros that say nothing."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _finite(raw: str) -> float:
    value = float(raw)
    if value - value != 0:
        raise ValueError("It is no number.")
    return value


@lru_cache(maxsize=1024)  # a workbook has few formats, and each cell asks
def _section(number_format: str, *, is_negative: bool) -> str:
    """Return the part of the format that is for the number's sign, without colours and blanks."""
    kept = _LITERALS.sub(lambda found: found[0].replace(";", " "), number_format)
    parts = kept.split(";")
    chosen = parts[1] if is_negative and len(parts) > 1 else parts[0]
    return _ORNAMENTS.sub("", chosen).strip()


@lru_cache(maxsize=1024)
def _is_scaled(section: str) -> bool:
    bare = _LITERALS.sub("", section)
    return "%" in bare or re.search(r"[0#?],+(?:\.|$|[^0#?,])", bare) is not None


@lru_cache(maxsize=1024)
def _shows_number_alone(section: str) -> bool:
    """Tell whether what is shown beside digits cannot give them another meaning: nothing, or kg."""
    beside = "".join(literal.strip('"').removeprefix("\\") for literal in _LITERALS.findall(section))
    return beside.strip().casefold() in ("", "kg") and bool(
        _DIGITS_ALONE.fullmatch(_LITERALS.sub("", section))
    )


def _shows(section: str, value: Decimal) -> str | None:
    """Return what a plain format shows, or None where that takes more than places and decimals."""
    if section in ("General", "@"):
        return plain(value)
    found = _PLAIN.fullmatch(section)
    if not found or not section:
        return None
    fixed, free = len(found[3] or ""), len(found[4] or "")
    rounded = f"{abs(value):.{fixed + free}f}"
    whole, _, decimals = rounded.partition(".")
    decimals = decimals[:fixed] + decimals[fixed:].rstrip("0")
    whole = whole.zfill(len(found[2] or ""))
    if found[1] == "#,##" and len(whole) > 3:
        return None
    return ("-" if value < 0 else "") + whole + (f".{decimals}" if decimals else "")
