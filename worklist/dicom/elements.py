"""Data elements become bytes here, in Explicit and Implicit VR Little Endian (PS3.5 7.1, 7.5)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import date, time
from functools import partial
from typing import Any

from pydicom.tag import BaseTag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from worklist.dicom import representations, values
from worklist.dicom.character_sets import CharacterSet

# One value in a character set, without padding. Raises ValueError where it is none of the VR, and
# UnicodeEncodeError where the character set does not hold it.
Writer = Callable[[Any, CharacterSet], bytes]

_ITEM = struct.pack("<HH", 0xFFFE, 0xE000)
_LONG = frozenset(str(vr) for vr in EXPLICIT_VR_LENGTH_32)
_QUICK_LENGTH = {"UC": 1024, "UT": 1024} | representations.LONGEST
_RIGHT_BY_TYPE = (date, time)
_NUMBER = (int, float)
_NOT_ONE_VALUE = (bool, dict, list)


def framing(tag: BaseTag, vr: str, *, implicit_vr: bool) -> Callable[[bytes], bytes]:
    """Return a function that puts tag, VR and length before a value of even length.

    It raises OverflowError for a value that is too long for its length field.
    """
    head = struct.pack("<HH", tag.group, tag.element)
    length_size = 4 if implicit_vr or vr in _LONG else 2
    if not implicit_vr:
        head += vr.encode("ascii") + (b"\0\0" if vr in _LONG else b"")

    def frame(value: bytes) -> bytes:
        return head + len(value).to_bytes(length_size, "little") + value

    return frame


def item(content: bytes) -> bytes:
    """Return a sequence item of explicit length."""
    return _ITEM + len(content).to_bytes(4, "little") + content


def padding(vr: str) -> bytes:
    return b"\0" if vr == "UI" else b" "


def separator(vr: str) -> bytes | None:
    """Return what stands between the values of an element, or None where it can have one only."""
    if vr in representations.PARAGRAPHS or vr == "UR":
        return None
    return b"" if vr == "AT" or vr in representations.BINARY else b"\\"


def writer(vr: str) -> Writer | None:
    """Return how values of the VR are written, or None for sequences and bytes, which this server has not."""
    if vr in representations.BINARY:
        return partial(_write_number, vr, representations.BINARY[vr])
    if vr == "AT":
        return _write_tag
    if vr == "PN":
        return _write_name
    if vr in representations.TEXT:
        return partial(_write_text, vr, _QUICK_LENGTH[vr])
    return partial(_write_ascii, vr) if representations.is_text(vr) else None


def _write_number(vr: str, form: struct.Struct, value: Any, _: CharacterSet) -> bytes:
    if isinstance(value, bool) or not isinstance(value, _NUMBER):
        raise ValueError("A number is expected.")
    _refuse(representations.number_problem(vr, value))
    return form.pack(value)


def _write_tag(value: Any, _: CharacterSet) -> bytes:
    text = _as_text("AT", value)
    return struct.pack("<HH", int(text[:4], 16), int(text[4:], 16))


def _write_ascii(vr: str, value: Any, _: CharacterSet) -> bytes:
    if isinstance(value, _RIGHT_BY_TYPE):
        return values.to_text(value).encode("ascii")
    return _as_text(vr, value).encode("ascii")


def _write_text(vr: str, short: int, value: Any, character_set: CharacterSet) -> bytes:
    # Nearly every text passes the quick look; the rules decide about the others.
    if not isinstance(value, str) or len(value) > short or "\\" in value or not value.isprintable():
        value = _as_text(vr, value)
    return character_set.text(value)


def _write_name(value: Any, character_set: CharacterSet) -> bytes:
    quick = (
        isinstance(value, str)
        and len(value) <= representations.PERSON_NAME_GROUP_LENGTH
        and value.isprintable()
        and "\\" not in value
        and value.count("^") <= 4
        and value.count("=") <= 2
    )
    if not quick:
        value = _as_text("PN", value)
    # Trailing delimiters of absent component groups are left out (PS3.5 6.2.1.1).
    return character_set.name(value.rstrip("="))


def _as_text(vr: str, value: Any) -> str:
    """Return a field's value, or one that JSON can hold, as text that keeps the rules of the VR."""
    if isinstance(value, _NOT_ONE_VALUE):
        raise ValueError("One value is expected.")
    text = representations.to_text(vr, value) if isinstance(value, _NUMBER) else values.to_text(value)
    _refuse(representations.problem(vr, text))
    return text


def _refuse(sentence: str | None) -> None:
    if sentence:
        raise ValueError(sentence)
