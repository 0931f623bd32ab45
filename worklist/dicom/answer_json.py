"""An answer's bytes become the DICOM JSON Model (PS3.18 F) without a data set of pydicom between.

What comes out is what pydicom makes of the same bytes, once `decoding` has decoded their texts. A value that
is not written in the plainest way is left to pydicom.
"""

from __future__ import annotations

import json
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from itertools import chain
from typing import Any, Generic, TypeVar

from pydicom.filereader import read_dataset
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from worklist.dicom import decoding, representations
from worklist.dicom.character_sets import UTF_8
from worklist.dicom.datasets import UNDEFINED_LENGTH
from worklist.dicom.decoding import NOTHING_DECLARED, TextDecoder
from worklist.dicom.encoding import AnswerParts
from worklist.dicom.json_model import PERSON_NAME_GROUPS, DataSet

Element = dict[str, Any]
Made = TypeVar("Made")

_CHARACTER_SET = f"{decoding.CHARACTER_SET:08X}"
_UTF_8: Element = {"vr": "CS", "Value": [UTF_8.terms]}
_TAG = struct.Struct("<HH")
_HEAD = struct.Struct("<HH2sH")
_LONG_LENGTH = struct.Struct("<I")
_ITEM_HEAD = struct.Struct("<HHI")
_LONG = frozenset(str(vr).encode("ascii") for vr in EXPLICIT_VR_LENGTH_32)
_PADDING = "\0 "
_LONGEST_KNOWN = 100  # bytes; longer values are hardly ever alike
_LONGEST_KNOWN_PART = 400

_in_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class _NotPlain(Exception):
    """The value is left to pydicom."""


def of_answer(identifier: bytes, *, in_utf_8: bool = False) -> DataSet:
    """Return the data set that an answer in Explicit VR Little Endian holds, as `AnswerReader` reads it.

    Raises what pydicom raises for bytes that it cannot decode, and struct.error for a data set that is cut
    off.
    """
    return AnswerReader(in_utf_8=in_utf_8).read(identifier)


class _Reader(ABC, Generic[Made]):
    """It reads answers to one query, whose items have many values in common: each is read once.

    With `in_utf_8` a data set has the character set that JSON and XML are written in, and only at its root,
    whatever the bytes are in (PS3.18 F.2.2); else it has what pydicom says of the bytes.
    """

    def __init__(self, *, in_utf_8: bool = False) -> None:
        self._in_utf_8 = in_utf_8
        self._known: dict[TextDecoder, dict[bytes, Made]] = {}

    @abstractmethod
    def _made(self, element: Element) -> Made:
        """Return what becomes of an element without items."""

    @abstractmethod
    def _made_of_items(self, items: list[dict[str, Made]]) -> Made:
        """Return what becomes of a sequence."""

    def read(self, identifier: bytes) -> dict[str, Made]:
        """Return what becomes of each element by its tag. Raises as `of_answer` does."""
        return self._data_set(identifier, 0, len(identifier), NOTHING_DECLARED, None, is_item=False)

    def _data_set(
        self, data: bytes, at: int, end: int, decoder: TextDecoder, declared: Element | None, *, is_item: bool
    ) -> dict[str, Made]:
        """Return the elements from `at` to `end`; `declared` is the character set of what is around them."""
        found: dict[str, Made] = {}
        known = self._known.setdefault(decoder, {})
        while at < end:
            begin = at
            group, number, vr, length = _HEAD.unpack_from(data, at)
            at += _HEAD.size
            if vr in _LONG:
                (length,) = _LONG_LENGTH.unpack_from(data, at)
                at += _LONG_LENGTH.size
            behind = at + length
            if length == UNDEFINED_LENGTH or behind > end:
                raise struct.error("An answer has elements of explicit lengths alone.")
            key = f"{group:04X}{number:04X}"
            if vr == b"SQ":
                found[key] = self._sequence(data, at, behind, decoder, declared)
            elif key == _CHARACTER_SET:
                declared = _element(vr, data[at:behind], decoder) or _by_pydicom(data[begin:behind], declared)
                found[key] = self._made(declared)
                decoder = _decoder(declared)
                known = self._known.setdefault(decoder, {})
            else:
                written = data[begin + _TAG.size : behind]
                made = known.get(written)
                if made is None:
                    element = _element(vr, data[at:behind], decoder)
                    if element is None:
                        made = self._made_of_pydicom(_by_pydicom(data[begin:behind], declared))
                    else:
                        made = self._made(element)
                        if len(written) <= _LONGEST_KNOWN:
                            known[written] = made
                found[key] = made
            at = behind
        self._declare(found, declared, is_item=is_item)
        return found

    def _declare(self, found: dict[str, Made], declared: Element | None, *, is_item: bool) -> None:
        if not self._in_utf_8:
            if is_item and declared is not None and _CHARACTER_SET not in found:
                found[_CHARACTER_SET] = self._made(declared)  # pydicom's items say it, too, and last
        elif is_item:
            found.pop(_CHARACTER_SET, None)
        elif _CHARACTER_SET in found:
            found[_CHARACTER_SET] = self._made(_UTF_8)

    def _sequence(
        self, data: bytes, at: int, end: int, decoder: TextDecoder, declared: Element | None
    ) -> Made:
        items = []
        while at < end:
            _, _, length = _ITEM_HEAD.unpack_from(data, at)
            at += _ITEM_HEAD.size
            items.append(self._data_set(data, at, at + length, decoder, declared, is_item=True))
            at += length
        return self._made_of_sequence(items)

    def _made_of_pydicom(self, element: Element) -> Made:
        if element["vr"] != "SQ":
            return self._made(element)
        items = []
        for item in element.get("Value", ()):
            items.append({key: self._made_of_pydicom(inner) for key, inner in item.items()})
            self._declare(items[-1], None, is_item=True)
        return self._made_of_sequence(items)

    def _made_of_sequence(self, items: list[dict[str, Made]]) -> Made:
        if self._in_utf_8 and not items:
            return self._made({"vr": "SQ"})  # no values, no `Value` (PS3.18 F.2.5)
        return self._made_of_items(items)


class AnswerReader(_Reader[Element]):
    """It reads answers as data sets that share elements: whoever is given them changes none."""

    def _made(self, element: Element) -> Element:
        return element

    def _made_of_items(self, items: list[DataSet]) -> Element:
        return {"vr": "SQ", "Value": items}


class JsonWriter(_Reader[str]):
    """It writes answers as JSON objects; what is written of an answer's part is written once."""

    def __init__(self, *, in_utf_8: bool = False) -> None:
        super().__init__(in_utf_8=in_utf_8)
        self._known_parts: dict[bytes, dict[bytes, str]] = {}  # by the character set before them

    def write(self, answer: AnswerParts) -> str:
        """Return the data set as a JSON object. Raises as `of_answer` does."""
        texts = chain(
            self._texts(answer.before, b""),
            self._texts((answer.character_set,), b""),
            self._texts(answer.after, answer.character_set),
        )
        return f"{{{','.join(filter(None, texts))}}}"

    def _texts(self, parts: Iterable[bytes], character_set: bytes) -> Iterator[str]:
        known = self._known_parts.setdefault(character_set, {b"": ""})
        for part in parts:
            text = known.get(part)
            if text is None:
                text = self._text(part, character_set)
                if len(part) <= _LONGEST_KNOWN_PART:
                    known[part] = text
            yield text

    def _text(self, part: bytes, character_set: bytes) -> str:
        """Return the members of the object that the part's elements are."""
        found = self.read(character_set + part)
        if character_set:
            del found[_CHARACTER_SET]
        return _members(found)

    def _made(self, element: Element) -> str:
        values = element.get("Value", ())
        if len(values) == 1 and type(values[0]) is str:  # as most are: to write one text costs little
            return f'{{"vr":"{element["vr"]}","Value":[{_in_json(values[0])}]}}'
        return _in_json(element)

    def _made_of_items(self, items: list[dict[str, str]]) -> str:
        objects = ",".join([f"{{{_members(item)}}}" for item in items])
        return f'{{"vr":"SQ","Value":[{objects}]}}'


def _members(found: Mapping[str, str]) -> str:
    return ",".join([f'"{key}":{text}' for key, text in found.items()])


def _element(vr: bytes, value: bytes, decoder: TextDecoder) -> Element | None:
    """Return the element, or None where it is left to pydicom."""
    read = _READERS.get(vr)
    if read is None:
        return None
    if not value:
        return {"vr": vr.decode("ascii")}
    try:
        return read(value, decoder)
    except (_NotPlain, ValueError):
        return None


def _decoder(declared: Element) -> TextDecoder:
    try:
        return decoding.decoder_of(tuple(declared.get("Value", ())))
    except LookupError:
        return NOTHING_DECLARED


def _by_pydicom(element: bytes, declared: Element | None) -> Element:
    group, number = _TAG.unpack_from(element)
    dataset = read_dataset(BytesIO(element), is_implicit_VR=False, is_little_endian=True)
    if declared is not None:
        dataset.SpecificCharacterSet = list(declared["Value"])
    found: Element = decoding.decoded(dataset).to_json_dict()[f"{group:04X}{number:04X}"]
    return found


Reader = Callable[[bytes, TextDecoder], Element]


def _text(vr: str) -> Reader:
    def read(value: bytes, decoder: TextDecoder) -> Element:
        text = decoder.decode(value, vr).text
        values = [each.strip(_PADDING) for each in text.split("\\")]
        return _of_values(vr, values)

    return read


def _paragraphs(vr: str) -> Reader:
    def read(value: bytes, decoder: TextDecoder) -> Element:
        return _of_values(vr, [decoder.decode(value, vr).text.rstrip(_PADDING)])

    return read


def _name(value: bytes, decoder: TextDecoder) -> Element:
    names = [each.strip(_PADDING) for each in decoder.decode(value, "PN").text.split("\\")]
    if not all(names):
        raise _NotPlain
    groups = [name.rstrip("=").split("=") for name in names]
    if any(len(each) > len(PERSON_NAME_GROUPS) for each in groups):
        raise _NotPlain
    return {
        "vr": "PN",
        "Value": [dict(zip(PERSON_NAME_GROUPS, each, strict=False)) for each in groups],
    }


def _ascii(vr: str, convert: Callable[[str], Any] = str) -> Reader:
    def read(value: bytes, decoder: TextDecoder) -> Element:
        values = value.decode("ascii").rstrip(_PADDING).split("\\")
        if not all(values) or any(text.strip() != text for text in values):
            raise _NotPlain
        return {"vr": vr, "Value": [convert(text) for text in values]}

    return read


def _address(value: bytes, decoder: TextDecoder) -> Element:
    return _of_values("UR", [value.decode("ascii").rstrip()])


def _whole_number(text: str) -> int:
    if representations.problem("IS", text) is not None:
        raise _NotPlain
    return int(text)


def _decimal_number(text: str) -> float:
    if representations.problem("DS", text) is not None:
        raise _NotPlain
    return float(text)


def _number(vr: str, form: struct.Struct) -> Reader:
    def read(value: bytes, decoder: TextDecoder) -> Element:
        if len(value) % form.size:
            raise _NotPlain
        return {"vr": vr, "Value": [number for (number,) in form.iter_unpack(value)]}

    return read


def _tag(value: bytes, decoder: TextDecoder) -> Element:
    if len(value) % 4:
        raise _NotPlain
    return {"vr": "AT", "Value": [f"{group:04X}{number:04X}" for group, number in _TAG.iter_unpack(value)]}


def _of_values(vr: str, values: list[str]) -> Element:
    return {"vr": vr} if values == [""] else {"vr": vr, "Value": values}


_READERS: dict[bytes, Reader] = {
    **{vr.encode("ascii"): _text(vr) for vr in ("LO", "SH", "UC")},
    **{vr.encode("ascii"): _paragraphs(vr) for vr in representations.PARAGRAPHS},
    **{vr.encode("ascii"): _ascii(vr) for vr in ("AE", "AS", "CS", "DA", "DT", "TM", "UI")},
    **{vr.encode("ascii"): _number(vr, form) for vr, form in representations.BINARY.items()},
    b"AT": _tag,
    b"DS": _ascii("DS", _decimal_number),
    b"IS": _ascii("IS", _whole_number),
    b"PN": _name,
    b"UR": _address,
}
