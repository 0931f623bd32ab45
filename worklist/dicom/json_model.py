"""A scanner's data set becomes the DICOM JSON Model (PS3.18 F), whatever its bytes are: nothing here raises.

pydicom decodes a value when it is looked at, and raises, warns or replaces what it cannot decode. Texts
are decoded here from their bytes instead, so that every doubt is known, by tag.
"""

from __future__ import annotations

import base64
import math
import re
from dataclasses import dataclass, field
from typing import Any

from pydicom import DataElement, Dataset
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import PersonName

from worklist.dicom import decoding, representations
from worklist.dicom.datasets import UNDEFINED_LENGTH
from worklist.dicom.decoding import UNDECODABLE, TextDecoder
from worklist.dicom.image_references import References

DataSet = dict[str, Any]  # keys are tags as eight hexadecimal digits

DEEPEST = 16  # sequences within sequences; an MPPS needs four
PERSON_NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")

# Of the message and not of the step.
_OF_THE_MESSAGE = frozenset({Tag("SOPClassUID"), Tag("SOPInstanceUID")})
_FIRST_DELIMITER_GROUP = 0xFFFC  # of trailing padding, items and delimiters
BYTES = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
WRITTEN = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"}) | representations.TEXT
_KNOWN = BYTES | WRITTEN | representations.BINARY.keys() | {"AT", "SQ"}
_ONE_VALUE = representations.PARAGRAPHS | {"UR"}
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL's jsonb refuses them

UNKNOWN_CHARACTER_SET = "This Specific Character Set is not known."
UNSTORABLE = "It holds null characters."
CUT_OFF = "The value is cut off."
UNREADABLE = "The value cannot be read; its bytes are kept."
LOST = "The value cannot be kept, and is left out."
TOO_DEEP = f"Sequences are nested more than {DEEPEST} deep; the innermost are left out."
NO_NUMBER = "A number is expected."


@dataclass(frozen=True)
class DoubtfulValue:
    """The sentence says what is wrong with the value at `path`.

    The path goes from the outermost sequence to the attribute, by tags.
    """

    path: tuple[int, ...]
    sentence: str


@dataclass(frozen=True)
class Reading:
    """This is a data set and what is doubtful in it, without repetitions for many items."""

    dataset: DataSet
    doubtful: tuple[DoubtfulValue, ...]


def read(dataset: Dataset) -> Reading:
    """Return all of a data set except what speaks of the message.

    That is group lengths, Specific Character Set, SOP class and SOP Instance UID.
    """
    reader = Reader()
    return reader.reading(reader.item(dataset, (), decoding.NOTHING_DECLARED))


def values(element: Any) -> list[Any]:
    """Return what an attribute holds; what is absent, empty, binary or no attribute holds nothing."""
    held = element.get("Value") if isinstance(element, dict) else None
    if isinstance(held, References):
        return list(held)
    return held if isinstance(held, list) else []


def is_empty(element: Any) -> bool:
    """Return whether it has zero length or only padding, or is a sequence without items."""
    if isinstance(element, dict) and (element.get("InlineBinary") or has_packed(element)):
        return False
    return all(not isinstance(value, int | float) and _is_blank(value) for value in values(element))


def texts(element: Any) -> list[str]:
    """Return its values as text, without padding; a name's groups are joined by `=`, a sequence has none."""
    return [text_of(value) for value in values(element) if not _is_item(value)]


def text_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return "=".join(str(value.get(group) or "") for group in PERSON_NAME_GROUPS).strip(" ").rstrip("=")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip(" ")


def items(element: Any) -> list[DataSet]:
    """Return the items of a sequence; what is none has no items."""
    is_sequence = isinstance(element, dict) and element.get("vr") == "SQ"
    return [value for value in values(element) if isinstance(value, dict)] if is_sequence else []


def count_items(element: Any) -> int:
    """Return how many items a sequence has, without making those that are packed."""
    return len(element["Value"]) if has_packed(element) else len(items(element))


def has_packed(element: Any) -> bool:
    """Return whether it is a sequence of packed references, which are in order."""
    return isinstance(element, dict) and isinstance(element.get("Value"), References)


def _is_blank(value: Any) -> bool:
    if isinstance(value, dict):
        return not _is_item(value) and not text_of(value)
    return value is None or (isinstance(value, str) and not value.strip(" "))


def _is_item(value: Any) -> bool:
    """Return whether it is an item of a sequence rather than the groups of a name."""
    return isinstance(value, dict) and not (value.keys() and value.keys() <= set(PERSON_NAME_GROUPS))


@dataclass
class Reader:
    """A reader walks over one data set, and notes what is doubtful in it."""

    doubtful: dict[DoubtfulValue, None] = field(default_factory=dict)  # in order, each once

    def reading(self, found: DataSet) -> Reading:
        """Return what was read but for what speaks of the message."""
        own = {key: value for key, value in found.items() if int(key, 16) not in _OF_THE_MESSAGE}
        return Reading(own, tuple(self.doubtful))

    def item(self, dataset: Dataset, path: tuple[int, ...], decoder: TextDecoder) -> DataSet:
        if decoding.CHARACTER_SET in dataset:
            decoder = self.decoder(decoding.terms(dataset), path)
        found = {}
        for tag in sorted(dataset.keys()):
            if tag == decoding.CHARACTER_SET or not _is_data(tag):
                continue
            element = self._element(dataset, tag, (*path, tag), decoder)
            if element is not None:
                found[f"{tag:08X}"] = element
        return found

    def _report(self, path: tuple[int, ...], sentence: str) -> None:
        self.doubtful[DoubtfulValue(path, sentence)] = None

    def decoder(self, terms: tuple[str, ...], path: tuple[int, ...]) -> TextDecoder:
        """Return the decoder of an item at the path that names this Specific Character Set."""
        try:
            return decoding.decoder_of(terms)
        except LookupError:
            self._report((*path, decoding.CHARACTER_SET), UNKNOWN_CHARACTER_SET)
            return decoding.NOTHING_DECLARED

    def _element(
        self, dataset: Dataset, tag: BaseTag, path: tuple[int, ...], decoder: TextDecoder
    ) -> dict[str, Any] | None:
        raw: Any = None
        try:
            raw = dataset.get_item(tag)
            return self._attribute(dataset, raw, path, decoder)
        except Exception:  # hostile bytes make pydicom raise whatever its converters raise
            return self._bytes_of(raw, path)

    def _attribute(
        self, dataset: Dataset, raw: Any, path: tuple[int, ...], decoder: TextDecoder
    ) -> dict[str, Any] | None:
        if not isinstance(raw, RawDataElement):
            return self._decoded(raw, path, decoder)
        vr, value = decoding.representation(raw), raw.value or b""
        if raw.length not in (UNDEFINED_LENGTH, len(value)):
            self._report(path, CUT_OFF)
        if vr in WRITTEN:
            return self.written(vr, value, path, decoder)
        if vr in BYTES and not (vr == "UN" and raw.tag.is_private):
            return inline(vr, value)
        return self._decoded(dataset[raw.tag], path, decoder)

    def written(self, vr: str, value: bytes, path: tuple[int, ...], decoder: TextDecoder) -> dict[str, Any]:
        """Return an attribute of a VR that is written as characters."""
        if vr in representations.TEXT:
            text, sentence = decoder.decode(value, vr)
        else:
            text, sentence = value.decode("latin-1"), None if value.isascii() else UNDECODABLE
        if sentence:
            self._report(path, sentence)
        text = text.rstrip("\0 ")
        if not text:
            return {"vr": vr}
        given = [text] if vr in _ONE_VALUE else text.split("\\")
        return {"vr": vr, "Value": [self._text(vr, each.rstrip("\0 "), path) for each in given]}

    def _text(self, vr: str, text: str, path: tuple[int, ...]) -> Any:
        """Return one value of a VR that is written as characters."""
        if not text:
            return None
        if _UNSTORABLE.search(text):
            self._report(path, UNSTORABLE)
            text = _UNSTORABLE.sub("\ufffd", text)
        if vr == "PN":
            return dict(zip(PERSON_NAME_GROUPS, text.split("=", 2), strict=False))
        return self._number(vr, text, path) if vr in ("DS", "IS") else text

    def _number(self, vr: str, text: str, path: tuple[int, ...]) -> Any:
        """Return the number, or the text where it is none or one that JSON cannot hold."""
        stripped = text.strip()
        if representations.problem(vr, stripped) is None:
            number = int(stripped) if vr == "IS" else float(stripped)
            if math.isfinite(number):
                return number
        self._report(path, NO_NUMBER)
        return text

    def _decoded(
        self, element: DataElement, path: tuple[int, ...], decoder: TextDecoder
    ) -> dict[str, Any] | None:
        """Return an element that pydicom has decoded, or whose VR only it can tell."""
        vr, value = str(element.VR), element.value
        if vr == "SQ":
            return self._sequence(value, path, decoder)
        if isinstance(value, bytes | bytearray | memoryview):
            return inline(vr if vr in BYTES else "UN", bytes(value))
        if vr not in _KNOWN:
            vr = vr.split(" or ")[0]
        several = value if isinstance(value, MultiValue | list | tuple) else [value]
        converted = [self.plain(vr, each, path) for each in several]
        if all(each is None for each in converted):
            return {"vr": vr}
        return {"vr": vr, "Value": converted}

    def plain(self, vr: str, value: Any, path: tuple[int, ...]) -> Any:
        """Return a value that pydicom, or `struct`, has decoded."""
        if value is None or value == "":
            return None
        if vr in WRITTEN:
            text = str(value)
            if isinstance(value, str | PersonName) and "\ufffd" in text:
                self._report(path, UNDECODABLE)
            return self._text(vr, text.rstrip("\0 "), path)
        if vr == "AT":
            return f"{int(value):08X}"
        if vr in representations.FLOATS:
            return float(value) if math.isfinite(value) else _NOT_FINITE[str(float(value))]
        return int(value)

    def _sequence(self, value: Any, path: tuple[int, ...], decoder: TextDecoder) -> dict[str, Any] | None:
        if len(path) > DEEPEST:
            self._report(path, TOO_DEEP)
            return None
        return {"vr": "SQ", "Value": [self.item(item, path, decoder) for item in value or ()]}

    def _bytes_of(self, raw: Any, path: tuple[int, ...]) -> dict[str, Any] | None:
        if isinstance(raw, RawDataElement) and raw.value:
            self._report(path, UNREADABLE)
            return inline("UN", raw.value)
        self._report(path, LOST)
        return None


_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _is_data(tag: BaseTag) -> bool:
    is_group_length = tag.element == 0
    in_data_sets = representations.FIRST_GROUP_OF_DATA_SETS <= tag.group < _FIRST_DELIMITER_GROUP
    return in_data_sets and not is_group_length


def inline(vr: str, value: bytes) -> dict[str, Any]:
    """Return an attribute of a VR that is bytes."""
    if not value:
        return {"vr": vr}
    return {"vr": vr, "InlineBinary": base64.b64encode(value).decode("ascii")}
