"""A data set in the DICOM JSON Model (PS3.18 F) becomes the bytes that a scanner would have sent of it.

So what comes by HTTP is read, judged and kept by the very code that reads an N-CREATE. Values are not judged
here: only what has no bytes, or would become another value, is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any

from pydicom.tag import Tag

from worklist.dicom import elements, representations
from worklist.dicom.character_sets import UTF_8
from worklist.dicom.json_model import BYTES, PERSON_NAME_GROUPS
from worklist.dicom.mpps_attributes import printed

DEEPEST = 16  # sequences within sequences
CHARACTER_SET = Tag("SpecificCharacterSet")

_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_FIRST_GROUP, _LAST_GROUP = representations.FIRST_GROUP_OF_DATA_SETS, 0xFFFB
_HOLDERS = frozenset({"Value", "InlineBinary", "BulkDataURI"})
_ONE_VALUE = representations.PARAGRAPHS | {"UR"}
_TEXT = frozenset({*representations.TEXT, "AE", "AS", "CS", "DA", "DT", "TM", "UI", "UR"}) - {"PN"}

Path = tuple[int, ...]


class DataSetRefused(ValueError):
    """The text says what is wrong with which attribute, without its value."""


def encoded(dataset: Any) -> bytes:
    """Return the data set in Explicit VR Little Endian and UTF-8. Raises DataSetRefused.

    JSON is UTF-8 whatever its Specific Character Set says, so that is written anew.
    """
    given = {**_object(dataset, ()), f"{CHARACTER_SET:08X}": {"vr": "CS", "Value": [UTF_8.terms]}}
    return _content(given, ())


def _content(dataset: Mapping[str, Any], path: Path) -> bytes:
    tags = [_tag(key, path) for key in dataset]
    if len(set(tags)) < len(tags):
        raise _refused(path, "has an attribute twice")
    by_tag = dict(zip(tags, dataset.values(), strict=True))
    return b"".join([_element(tag, by_tag[tag], (*path, tag)) for tag in sorted(by_tag)])


def _object(value: Any, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refused(path, "is no object of attributes by tag")
    return value


def _tag(key: str, path: Path) -> int:
    if not _TAG.fullmatch(key):
        raise _refused(path, "has a name that is no tag of eight hexadecimal digits")
    tag = int(key, 16)
    if not _FIRST_GROUP <= tag >> 16 <= _LAST_GROUP:
        raise _refused(path, f"has {printed(tag)}, which is no attribute of a data set")
    return tag


def _element(tag: int, given: Any, path: Path) -> bytes:
    if path[:-1] and tag == CHARACTER_SET:
        return b""
    element = _object(given, path)
    vr = element.get("vr")
    if not isinstance(vr, str) or (vr not in _WRITERS and vr not in BYTES):
        raise _refused(path, "has no `vr` that there is")
    held = element.keys() - {"vr"}
    if len(held) > 1 or not held <= _HOLDERS:
        raise _refused(path, "has more than `vr` and one of `Value` and `InlineBinary`")
    if "BulkDataURI" in held:
        raise _refused(path, "refers to bulk data, which is not fetched: send it as `InlineBinary`")
    try:
        content = _value(vr, element, path)
        return elements.framing(Tag(tag), vr, implicit_vr=False)(content)
    except OverflowError:
        raise _refused(path, f"is longer than {vr} may be") from None
    except UnicodeEncodeError:
        raise _refused(path, "holds half of a surrogate pair, which is no text") from None


def _value(vr: str, element: Mapping[str, Any], path: Path) -> bytes:
    """Return the value's bytes, their number even."""
    if vr in BYTES:
        return _padded(_binary(element, path), b"\0")
    if "InlineBinary" in element:
        raise _refused(path, f"is {vr}, whose values stand in `Value`")
    values = element.get("Value", [])
    if not isinstance(values, list):
        raise _refused(path, "has a `Value` that is no list")
    return _padded(_WRITERS[vr](vr, values, path), elements.padding(vr))


def _padded(content: bytes, pad: bytes) -> bytes:
    return content + pad * (len(content) % 2)


def _binary(element: Mapping[str, Any], path: Path) -> bytes:
    if element.get("Value"):
        raise _refused(path, "is bytes, which stand in `InlineBinary`")
    given = element.get("InlineBinary", "")
    try:
        return base64.b64decode(given, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise _refused(path, "has an `InlineBinary` that is no Base64") from None


def _sequence(vr: str, values: list[Any], path: Path) -> bytes:
    if len(path) > DEEPEST:
        raise _refused(path, "is nested too deeply")
    items = [_object({} if value is None else value, path) for value in values]
    return b"".join([elements.item(_content(each, path)) for each in items])


def _texts(vr: str, values: list[Any], path: Path) -> bytes:
    if vr in _ONE_VALUE and len(values) > 1:
        raise _refused(path, f"has several values, and {vr} may have one")
    texts = ["" if value is None else value for value in values]
    if not all(isinstance(text, str) for text in texts):
        raise _refused(path, f"has a value that is no text, as {vr} is")
    return _joined(vr, texts, path)


def _joined(vr: str, texts: list[str], path: Path) -> bytes:
    if vr not in _ONE_VALUE and any("\\" in text for text in texts):
        raise _refused(path, "has a backslash in a value, by which DICOM separates values: list them")
    return "\\".join(texts).encode("utf-8")


def _names(vr: str, values: list[Any], path: Path) -> bytes:
    return _joined(vr, [_name({} if value is None else value, path) for value in values], path)


def _name(value: Any, path: Path) -> str:
    groups = [value.get(group) for group in PERSON_NAME_GROUPS] if isinstance(value, dict) else []
    known = isinstance(value, dict) and value.keys() <= set(PERSON_NAME_GROUPS)
    if not known or not all(group is None or isinstance(group, str) for group in groups):
        raise _refused(path, "is no person name of Alphabetic, Ideographic and Phonetic")
    if any("=" in (group or "") for group in groups):
        raise _refused(path, "has `=` in a component group")
    return "=".join(group or "" for group in groups).rstrip("=")


def _numbers_as_text(vr: str, values: list[Any], path: Path) -> bytes:
    return _joined(vr, [_number_as_text(vr, value, path) for value in values], path)


def _number_as_text(vr: str, value: Any, path: Path) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _refused(path, f"has a value that is no number, as {vr} is")
    if vr == "IS" and isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        return representations.to_text(vr, value)
    except ValueError:
        raise _refused(path, f"has a number that {vr} cannot hold") from None


def _tags(vr: str, values: list[Any], path: Path) -> bytes:
    if not all(isinstance(value, str) and _TAG.fullmatch(value) for value in values):
        raise _refused(path, "has a value that is no tag of eight hexadecimal digits")
    return b"".join([struct.pack("<HH", int(value[:4], 16), int(value[4:], 16)) for value in values])


def _numbers(vr: str, values: list[Any], path: Path) -> bytes:
    form, convert = representations.BINARY[vr], float if vr in representations.FLOATS else int
    if any(isinstance(value, bool) or not isinstance(value, str | int | float) for value in values):
        raise _refused(path, f"has a value that is no number, as {vr} is")
    try:
        numbers = [convert(value) for value in values]
        is_same = all(
            isinstance(value, str) or value == number for value, number in zip(values, numbers, strict=True)
        )
        if is_same:
            return b"".join([form.pack(number) for number in numbers])
    except (ValueError, OverflowError, struct.error):
        pass
    raise _refused(path, f"has a number that {vr} cannot hold")


_WRITERS: dict[str, Callable[[str, list[Any], Path], bytes]] = {
    **dict.fromkeys(_TEXT, _texts),
    **dict.fromkeys(representations.BINARY, _numbers),
    "AT": _tags,
    "DS": _numbers_as_text,
    "IS": _numbers_as_text,
    "PN": _names,
    "SQ": _sequence,
}


def _refused(path: Path, what: str) -> DataSetRefused:
    where = " in ".join(printed(tag) for tag in reversed(path)) or "The data set"
    return DataSetRefused(f"{where} {what}.")
