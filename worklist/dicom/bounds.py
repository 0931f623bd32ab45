"""What a data set costs is judged by its bytes: decoded, each element takes a hundred times more memory."""

from __future__ import annotations

import struct

UNJUDGED = 128 * 1024  # bytes that cost little, whatever they hold
MOST_ELEMENTS = 500_000  # more than a report of a hundred thousand images has
DEEPEST = 16  # sequences within sequences; those of items and performed steps go to four
LARGEST_RATIO = 100  # of inflated to deflated bytes; references to images reach forty
# Of a deflated data set: references to images have one or two for each byte of it, empty elements a hundred.
UNJUDGED_ELEMENTS = 10_000
MOST_ELEMENTS_PER_BYTE = 3

_HEADER = struct.Struct("<HHL")
_VR_HEADER = struct.Struct("<HH2sH")
_LONG = struct.Struct("<L")
# Value representations whose length has four bytes after two reserved ones (PS3.5 7.1.2).
_LONG_VRS = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)
_DELIMITERS, _ITEM = 0xFFFE, 0xE000  # group and element (PS3.5 7.5)
_FIRST_ITEM = struct.pack("<HH", _DELIMITERS, _ITEM)
_UNDEFINED = 0xFFFFFFFF


class TooCostly(Exception):
    """The text says why: `has too many elements`, `is nested too deeply`."""


def inflated_at_most(length: int) -> int:
    """Return how many bytes so many deflated ones may become."""
    return UNJUDGED + LARGEST_RATIO * length


def elements_at_most(length: int) -> int:
    """Return how many elements so many deflated bytes may become."""
    return min(MOST_ELEMENTS, UNJUDGED_ELEMENTS + MOST_ELEMENTS_PER_BYTE * length)


def check(data: bytes, *, implicit_vr: bool, most: int = MOST_ELEMENTS) -> None:
    """Raise TooCostly for more than `most` elements, or deeper sequences than any that are meant.

    What is no data set is left to who decodes it.
    """
    if len(data) <= UNJUDGED:
        return
    position, elements = 0, 0
    ends: list[int] = []  # of the sequences and items around the position
    while position + _HEADER.size <= len(data):
        while ends and position >= ends[-1]:
            ends.pop()
        start, length, is_nest = _element(data, position, implicit_vr=implicit_vr)
        elements += 1
        if is_nest:
            ends.append(len(data) if length == _UNDEFINED else start + length)
            position = start
        elif length == _UNDEFINED:  # the end of an item or a sequence
            ends[-1:] = []
            position = start
        else:
            position = start + length
        if elements > most:
            raise TooCostly("has too many elements")
        if len(ends) > 2 * DEEPEST:  # each sequence is around an item
            raise TooCostly("is nested too deeply")


def _element(data: bytes, position: int, *, implicit_vr: bool) -> tuple[int, int, bool]:
    """Return where the value of the element begins, its length, and whether elements stand in it."""
    group, element, length = _HEADER.unpack_from(data, position)
    start = position + _HEADER.size
    if group == _DELIMITERS:
        return start, length if element == _ITEM else _UNDEFINED, element == _ITEM
    if not implicit_vr:
        start, length = _explicit(data, position)
    return start, length, length == _UNDEFINED or data.startswith(_FIRST_ITEM, start)


def _explicit(data: bytes, position: int) -> tuple[int, int]:
    _, _, vr, length = _VR_HEADER.unpack_from(data, position)
    start: int = position + _VR_HEADER.size
    if vr not in _LONG_VRS:
        return start, length
    if start + _LONG.size > len(data):
        return len(data), 0
    return start + _LONG.size, _LONG.unpack_from(data, start)[0]
