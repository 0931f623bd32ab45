"""A scanner's report becomes the DICOM JSON Model straight from its bytes.

It is read here where it is written as scanners write it: tags that rise, lengths that agree, value
representations that need no guess. Whatever is otherwise is left to pydicom and `json_model`, whose result
is the rule for both.
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache

from pydicom.datadict import dictionary_has_tag, dictionary_VR

from worklist.dicom import bounds, datasets, decoding, image_references, json_model, representations
from worklist.dicom.datasets import UNDEFINED_LENGTH
from worklist.dicom.decoding import TextDecoder
from worklist.dicom.image_references import FEWEST, IN_SERIES, PERFORMED_SERIES, Packing, References
from worklist.dicom.json_model import BYTES, WRITTEN, DataSet, Reader, Reading
from worklist.dicom.neighbours import Neighbours

DEEPEST = 8  # sequences within sequences
AT_ONCE = 512  # elements that are read before other threads get their turn

_TAG = struct.Struct("<HH")
_SHORT, _LONG = struct.Struct("<H"), struct.Struct("<L")
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_FIRST_GROUP, _LAST_TAG = representations.FIRST_GROUP_OF_DATA_SETS, 0xFFFBFFFF
_LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UR", "UT", "UV"})
_READ_HERE = (WRITTEN | BYTES | representations.BINARY.keys() | {"SQ"}) - {"UN"}
_CHARACTER_SET = int(decoding.CHARACTER_SET)
_CODES = re.compile(rb"[ -~]*\0?")

_UID = rb"((?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*)(\0?)"
LONGEST_UID = 64
HEADER = 8  # bytes of a UI's tag, its VR where it is sent, and its length


def _reference(before: bytes) -> re.Pattern[bytes]:
    """Return what finds an item with class and instance; `before` is between a tag and its length."""
    length = rb"(....)" if not before else before + rb"(..)"
    parts = (
        rb"\xfe\xff\x00\xe0(....)",
        rb"\x08\x00\x50\x11",
        length,
        _UID,
        rb"\x08\x00\x55\x11",
        length,
        _UID,
    )
    return re.compile(rb"".join(parts) + rb"(\xfe\xff\x0d\xe0\0\0\0\0)?", re.DOTALL)


_REFERENCES = {True: _reference(b""), False: _reference(b"UI")}  # by whether the VR is implicit


def read(encoded: bytes, *, implicit_vr: bool, deflated: bool, longest: int) -> Reading:
    """Return what `json_model.read` returns of the data set that `datasets.read` reads. Raises Unreadable."""
    found = _read(encoded, implicit_vr=implicit_vr, deflated=deflated, longest=longest)
    if found is not None:
        return found
    dataset = datasets.read(encoded, implicit_vr=implicit_vr, deflated=deflated, longest=longest)
    return json_model.read(dataset)


def _read(encoded: bytes, *, implicit_vr: bool, deflated: bool, longest: int) -> Reading | None:
    """Return what was read here, or None for what pydicom must read or refuse."""
    if deflated:
        try:
            data, most = datasets.inflate(encoded, longest=longest), bounds.elements_at_most(len(encoded))
        except Exception:
            return None
    else:
        data, most = encoded, bounds.MOST_ELEMENTS
    if len(data) > longest or (data and _may_be_explicit(data) is implicit_vr):
        return None
    try:
        return _Bytes(data, implicit_vr=implicit_vr, most=most).read()
    except (_Unusual, struct.error):
        return None


def _may_be_explicit(data: bytes) -> bool:
    """Return whether pydicom takes the first element for one with its VR, whatever was negotiated."""
    return data[4:6].isalpha() and data[4:6].isupper()


class _Unusual(Exception):
    """The bytes are not as scanners write them."""


class _Bytes:
    """The bytes of one data set are walked over, and what they hold is taken from the reader."""

    def __init__(self, data: bytes, *, implicit_vr: bool, most: int) -> None:
        self._data = data
        self._implicit_vr = implicit_vr
        self._left = most  # elements
        self._is_large = len(data) > bounds.UNJUDGED
        self._reader = Reader()

    def read(self) -> Reading:
        found, _ = self._elements(0, len(self._data), (), decoding.NOTHING_DECLARED)
        return self._reader.reading(found)

    def _elements(
        self, position: int, end: int, path: tuple[int, ...], decoder: TextDecoder, *, is_open: bool = False
    ) -> tuple[DataSet, int]:
        """Return the elements up to the end, or to the delimiter of an open item, and where they end."""
        found: DataSet = {}
        last = -1
        while position < end:
            tag = self._tag(position)
            if is_open and tag == _ITEM_END:
                return found, self._delimiter(position)
            if tag <= last or tag > _LAST_TAG or tag >> 16 < _FIRST_GROUP or not tag & 0xFFFF:
                raise _Unusual
            last = tag
            self._count(1)
            vr, position, length = self._header(tag, position)
            if tag == _CHARACTER_SET and vr != "CS":
                raise _Unusual
            if vr == "SQ":
                found[f"{tag:08X}"], position = self._sequence(tag, position, length, end, path, decoder)
                continue
            if length > end - position:
                raise _Unusual
            value = self._data[position : position + length]
            position += length
            if tag == _CHARACTER_SET:
                if not _CODES.fullmatch(value):
                    raise _Unusual
                terms = (term.strip("\0 ") for term in value.decode("latin-1").split("\\"))
                decoder = self._reader.decoder(tuple(terms), path)
                continue
            found[f"{tag:08X}"] = self._value(vr, value, (*path, tag), decoder)
        if is_open:
            raise _Unusual
        return found, position

    def _tag(self, position: int) -> int:
        group, element = _TAG.unpack_from(self._data, position)
        tag: int = group << 16 | element
        return tag

    def _header(self, tag: int, position: int) -> tuple[str, int, int]:
        """Return the VR, where the value begins, and its length."""
        if self._implicit_vr:
            return _own_vr(tag), position + 8, _LONG.unpack_from(self._data, position + 4)[0]
        vr = self._data[position + 4 : position + 6].decode("latin-1")
        if vr not in _READ_HERE:
            raise _Unusual
        if vr in _LONG_VRS:
            return vr, position + 12, _LONG.unpack_from(self._data, position + 8)[0]
        return vr, position + 8, _SHORT.unpack_from(self._data, position + 6)[0]

    def _value(self, vr: str, value: bytes, path: tuple[int, ...], decoder: TextDecoder) -> DataSet:
        if vr in WRITTEN:
            return self._reader.written(vr, value, path, decoder)
        if vr in BYTES:
            return json_model.inline(vr, value)
        numbers = representations.BINARY[vr]
        if len(value) % numbers.size:
            raise _Unusual
        if not value:
            return {"vr": vr}
        return {
            "vr": vr,
            "Value": [self._reader.plain(vr, each, path) for (each,) in numbers.iter_unpack(value)],
        }

    def _sequence(
        self, tag: int, start: int, length: int, end: int, path: tuple[int, ...], decoder: TextDecoder
    ) -> tuple[DataSet, int]:
        is_open = length == UNDEFINED_LENGTH
        if len(path) >= DEEPEST or (not is_open and length > end - start):
            raise _Unusual
        end = end if is_open else start + length
        references = self._references(start, end, is_open=is_open) if _may_be_packed(tag, path) else None
        if references is not None:
            found, position = references
            return {"vr": "SQ", "Value": found if len(found) >= FEWEST else list(found)}, position
        items, position = [], start
        while is_open or position < end:
            delimiter = self._tag(position)
            if is_open and delimiter == _SEQUENCE_END:
                position = self._delimiter(position)
                break
            if delimiter != _ITEM:
                raise _Unusual
            item, position = self._item(position, end, (*path, tag), decoder)
            items.append(item)
        return {"vr": "SQ", "Value": items}, position

    def _item(
        self, position: int, end: int, path: tuple[int, ...], decoder: TextDecoder
    ) -> tuple[DataSet, int]:
        self._count(1)
        length: int = _LONG.unpack_from(self._data, position + 4)[0]
        start = position + 8
        if length == UNDEFINED_LENGTH:
            return self._elements(start, end, path, decoder, is_open=True)
        if length > end - start:
            raise _Unusual
        return self._elements(start, start + length, path, decoder)

    def _delimiter(self, position: int) -> int:
        """Return where an item or a sequence that was open ends."""
        self._count(1)
        if _LONG.unpack_from(self._data, position + 4)[0]:
            raise _Unusual
        return position + 8

    def _count(self, elements: int) -> None:
        if self._is_large:
            before, self._left = self._left, self._left - elements
            if self._left < 0:
                raise _Unusual
            if before // AT_ONCE != self._left // AT_ONCE:
                image_references.let_others_run()

    def _references(self, start: int, end: int, *, is_open: bool) -> tuple[References, int] | None:
        """Return a sequence whose items are all references in order, and where it ends; None for another."""
        packing, position, left = Packing(), start, self._left
        match = _REFERENCES[self._implicit_vr].match
        while (found := match(self._data, position, end)) is not None and _agrees(found):
            elements = 4 if found[8] else 3
            packing.add(found[3].decode("ascii"), found[6].decode("ascii"))
            self._count(elements)
            alike = _neighbours(found)
            position = found.end()
            for numbers in alike.runs(self._data, position, end):
                packing.add_neighbours(numbers)
                position += len(numbers) * alike.length
                self._count(len(numbers) * elements)
        is_whole = self._data.startswith(_END, position) if is_open else position == end
        if not is_whole:
            self._left = left
            return None
        return packing.finish(), self._delimiter(position) if is_open else position


_END = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)


def _agrees(found: re.Match[bytes]) -> bool:
    """Return whether the lengths of a reference are those of what was found."""
    item, first, sop_class, first_pad, second, instance, second_pad, end = found.groups()
    lengths = len(sop_class) + len(first_pad), len(instance) + len(second_pad)
    if (int.from_bytes(first, "little"), int.from_bytes(second, "little")) != lengths:
        return False
    if len(sop_class) > LONGEST_UID or len(instance) > LONGEST_UID:
        return False
    length = int.from_bytes(item, "little")
    return length == UNDEFINED_LENGTH if end else length == 2 * HEADER + sum(lengths)


def _neighbours(found: re.Match[bytes]) -> Neighbours:
    instance = found[6]
    digits = len(instance) - instance.rfind(b".") - 1
    return Neighbours.of(found[0], found.end(6) - found.start(), digits)


def _may_be_packed(tag: int, path: tuple[int, ...]) -> bool:
    return tag in IN_SERIES and path == (PERFORMED_SERIES,)


@lru_cache(maxsize=4096)
def _own_vr(tag: int) -> str:
    """Return the dictionary's VR. Raises _Unusual for a tag whose VR only pydicom can tell."""
    if tag >> 16 & 1 or not dictionary_has_tag(tag):
        raise _Unusual
    vr = dictionary_VR(tag)
    if vr not in _READ_HERE:
        raise _Unusual
    return vr
