"""The value representations of PS3.5 6.2 are rules here: what a single value may be.

A value is what JSON can hold: text, or a number for the VRs that are numbers.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from datetime import date

from pydicom.valuerep import format_number_as_ds

# Lower groups are commands, file meta information and directories.
FIRST_GROUP_OF_DATA_SETS = 0x0008
# Extended or replaced by the Specific Character Set (PS3.5 6.1.2.3); all others are ASCII.
TEXT = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
# A backslash is a character of these, for they have one value only.
PARAGRAPHS = frozenset({"LT", "ST", "UT"})
BINARY = {
    "US": struct.Struct("<H"),
    "SS": struct.Struct("<h"),
    "UL": struct.Struct("<I"),
    "SL": struct.Struct("<i"),
    "UV": struct.Struct("<Q"),
    "SV": struct.Struct("<q"),
    "FL": struct.Struct("<f"),
    "FD": struct.Struct("<d"),
}
FLOATS = frozenset({"FL", "FD"})
LONGEST = {"LO": 64, "SH": 16, "ST": 1024, "LT": 10240}
PERSON_NAME_GROUP_LENGTH = 64

# Around a text: what files pad with, and what a copied cell or line brings along. `str.strip` would take
# control characters as well, one of which may be the last byte of a letter that was decoded wrong.
PADDING = "\0\t\n\r" + "".join(map(chr, (0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)))

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CONTROL_IN_PARAGRAPHS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_TIME = r"([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?"
_AE = re.compile(r"(?! *$)[ -\[\]-~]{1,16}")
_AS = re.compile(r"\d{3}[DWMY]", re.ASCII)
_AT = re.compile(r"[0-9A-F]{8}")
_CS = re.compile(r"[A-Z0-9_ ]{1,16}")
_DA = re.compile(r"\d{8}", re.ASCII)
_DS = re.compile(r"(?=.{1,16}$)[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DT = re.compile(rf"\d{{4}}((0[1-9]|1[0-2])(\d\d({_TIME})?)?)?([+-](0\d|1[0-4])[0-5]\d)?", re.ASCII)
_IS = re.compile(r"(?=.{1,12}$)[+-]?\d+", re.ASCII)
_TM = re.compile(_TIME, re.ASCII)
_UI = re.compile(r"(?=.{1,64}$)(0|[1-9]\d*)(\.(0|[1-9]\d*))*", re.ASCII)
_UR = re.compile(r"[A-Za-z_\d:/?#\[\]@!$&'()*+,;=%\-.~]+", re.ASCII)


def problem(vr: str, value: str) -> str | None:
    """Return what keeps the text from being one value of the VR: a sentence without the text, or None."""
    if vr in TEXT:
        return _text_problem(vr, value)
    rule = _RULES.get(vr)
    if rule is None:
        return f"The value representation {vr} is not text."
    fits, sentence = rule
    return None if fits(value) else sentence


def number_problem(vr: str, value: int | float) -> str | None:
    """Return what keeps the number from being one value of a binary VR."""
    if vr in FLOATS:
        fits = math.isfinite(value) and (vr == "FD" or abs(value) <= _GREATEST_FLOAT)
        return None if fits else f"The number is not one that {vr} can hold."
    bits = 8 * BINARY[vr].size
    low, high = (0, 2**bits - 1) if vr.startswith("U") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if isinstance(value, int) and low <= value <= high:
        return None
    return f"A whole number from {low} to {high} is expected."


def is_text(vr: str) -> bool:
    """Return whether values of the VR are written as characters: all but numbers, sequences and bytes."""
    return vr in TEXT or vr in _RULES


def to_text(vr: str, value: str | int | float) -> str:
    """Write a value of a VR that is written as characters; numbers in at most 16 of them where it is DS.

    Raises ValueError for a number that the VR cannot write.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        if vr != "DS":
            raise ValueError("Text or a whole number is expected.")
        if not math.isfinite(value):
            raise ValueError("A finite number is expected.")
        return format_number_as_ds(value)
    return str(value)


def _text_problem(vr: str, value: str) -> str | None:
    if vr in PARAGRAPHS:
        if _CONTROL_IN_PARAGRAPHS.search(value):
            return "Control characters other than tab and new lines are not allowed."
    elif "\\" in value:
        return "A backslash is not allowed in a value: DICOM separates values by it."
    elif _CONTROL.search(value):
        return "Control characters are not allowed."
    if vr == "PN":
        return _person_name_problem(value)
    longest = LONGEST.get(vr)
    if longest is not None and len(value) > longest:
        return f"At most {longest} characters are allowed."
    return None


def _person_name_problem(value: str) -> str | None:
    groups = value.split("=")
    if len(groups) > 3:
        return "A name has at most three component groups (=)."
    if any(len(group) > PERSON_NAME_GROUP_LENGTH for group in groups):
        return f"A component group of a name has at most {PERSON_NAME_GROUP_LENGTH} characters."
    if any(group.count("^") > 4 for group in groups):
        return "A name has at most five components (^)."
    return None


def _is_date(value: str) -> bool:
    if not _DA.fullmatch(value):
        return False
    try:
        date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return False
    return True


def _is_date_time(value: str) -> bool:
    if not _DT.fullmatch(value):
        return False
    day = re.split("[+-]", value)[0][:8]
    return len(day) < 8 or _is_date(day)


def _is_integer(value: str) -> bool:
    return bool(_IS.fullmatch(value)) and -(2**31) <= int(value) < 2**31


def _fully(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


_GREATEST_FLOAT = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
_RULES: dict[str, tuple[Callable[[str], bool], str]] = {
    "AE": (_fully(_AE), "An AE title has 1 to 16 ASCII characters."),
    "AS": (_fully(_AS), "An age is three digits and D, W, M or Y, such as 034Y."),
    "AT": (_fully(_AT), "A tag is eight hexadecimal digits, such as 00100020."),
    "CS": (_fully(_CS), "A code has 1 to 16 capital letters, digits, spaces or underscores."),
    "DA": (_is_date, "A date is written YYYYMMDD, such as 20260131."),
    "DS": (_fully(_DS), "A decimal number of at most 16 characters is expected, such as 1.75."),
    "DT": (_is_date_time, "A date and time is written YYYYMMDDHHMMSS, such as 20260131093000."),
    "IS": (_is_integer, f"A whole number from {-(2**31)} to {2**31 - 1} is expected."),
    "TM": (_fully(_TM), "A time is written HHMMSS, such as 093000."),
    "UI": (_fully(_UI), "A UID has at most 64 digits and dots, and no part with a leading zero."),
    "UR": (_fully(_UR), "A URI is expected, in ASCII and without spaces."),
}
