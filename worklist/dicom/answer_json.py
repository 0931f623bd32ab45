"""An answer's bytes become the DICOM JSON Model (PS3.18 F) without a data set of pydicom between.

What comes out is what pydicom makes of the same bytes, once `decoding` has decoded their texts. A value that
is not written in the plainest way is left to pydicom.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any

from pydicom.filereader import read_dataset
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from worklist.dicom import decoding, representations
from worklist.dicom.datasets import UNDEFINED_LENGTH
from worklist.dicom.decoding import NOTHING_DECLARED, TextDecoder
from worklist.dicom.json_model import PERSON_NAME_GROUPS, DataSet

Element = dict[str, Any]

_CHARACTER_SET = f"{decoding.CHARACTER_SET:08X}"
_TAG = struct.Struct("<HH")
_HEAD = struct.Struct("<HH2sH")
_LONG_LENGTH = struct.Struct("<I")
_ITEM_HEAD = struct.Struct("<HHI")
_LONG = frozenset(str(vr).encode("ascii") for vr in EXPLICIT_VR_LENGTH_32)
_PADDING = "\0 "
_LONGEST_KNOWN = 100  # bytes; longer values are hardly ever alike


class _NotPlain(Exception):
    """The value is left to pydicom."""


def of_answer(identifier: bytes) -> DataSet:
    """Return the data set that an answer in Explicit VR Little Endian holds.

    Raises what pydicom raises for bytes that it cannot decode, and struct.error for a data set that is cut
    off.
    """
    return AnswerReader().read(identifier)


class AnswerReader:
    """It reads answers to one query, whose items have many values in common: each is read once.

    So data sets share elements: whoever is given them changes none.
    """

    def __init__(self) -> None:
        self._known: dict[TextDecoder, dict[bytes, Element]] = {}

    def read(self, identifier: bytes) -> DataSet:
        """Return the data set, and raise, as `of_answer` does."""
        return self._data_set(identifier, 0, len(identifier), NOTHING_DECLARED, None)

    def _data_set(
        self, data: bytes, at: int, end: int, decoder: TextDecoder, inherited: Element | None
    ) -> DataSet:
        """Return the elements from `at` to `end`; `inherited` is the character set of what is around them."""
        found: DataSet = {}
        declared = inherited
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
            else:
                written = data[begin + _TAG.size : behind]
                element = known.get(written)
                if element is None:
                    element = _element(vr, data[at:behind], decoder)
                    if element is None:
                        element = _by_pydicom(data[begin:behind], key, declared)
                    elif len(written) <= _LONGEST_KNOWN:
                        known[written] = element
                found[key] = element
            if key == _CHARACTER_SET:
                declared = found[key]
                decoder = _decoder(declared)
                known = self._known.setdefault(decoder, {})
            at = behind
        if inherited is not None and _CHARACTER_SET not in found:
            found[_CHARACTER_SET] = inherited  # pydicom's items say it, too, and last
        return found

    def _sequence(
        self, data: bytes, at: int, end: int, decoder: TextDecoder, declared: Element | None
    ) -> Element:
        items = []
        while at < end:
            _, _, length = _ITEM_HEAD.unpack_from(data, at)
            at += _ITEM_HEAD.size
            items.append(self._data_set(data, at, at + length, decoder, declared))
            at += length
        return {"vr": "SQ", "Value": items}


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


def _by_pydicom(element: bytes, key: str, declared: Element | None) -> Element:
    dataset = read_dataset(BytesIO(element), is_implicit_VR=False, is_little_endian=True)
    if declared is not None:
        dataset.SpecificCharacterSet = list(declared["Value"])
    found: Element = decoding.decoded(dataset).to_json_dict()[key]
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
