"""DICOM worklist files as wlmscpfs and Orthanc keep them, read into the values of worklist items.

A file is a data set of PS3.4 Table K.6-1, with or without file meta information; each item of its
Scheduled Procedure Step Sequence is one worklist item.
"""

from __future__ import annotations

import logging
import os
import stat
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom import DataElement, Dataset, config, dcmread
from pydicom.datadict import dictionary_has_tag, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

from worklist import attributes
from worklist.attributes import Attribute, Place
from worklist.dicom.values import STATUS_ON_THE_WIRE

SUFFIXES = frozenset({".wl", ".dcm"})
MOST_BYTES = 16 * 2**20
PREFIX = slice(128, 132)

# What (0040,0020) says of a step that this server has not seen yet: its own terms, those of PS3.3 C.4.10,
# and MPPS's. DEPARTED is a patient who is no longer there, which is not a step that was performed: such an
# item is withdrawn, and a person may schedule it again.
STATUS_OF_TERM = {
    **{term: status for status, term in STATUS_ON_THE_WIRE.items()},
    "ARRIVED": "SCHEDULED",
    "READY": "SCHEDULED",
    "IN PROGRESS": "IN_PROGRESS",
    "DEPARTED": "CANCELLED",
    "CANCELED": "CANCELLED",
}
STATUS_KEYWORD = "ScheduledProcedureStepStatus"
PROTOCOL_KEYWORD = "ScheduledProtocolCodeSequence"

# Of the file, or of the encoding of its text, and not of the item.
_OF_THE_FILE = frozenset({Tag("SpecificCharacterSet"), Tag("SOPClassUID"), Tag("SOPInstanceUID")})
_OF_THE_IDENTIFIER = frozenset(attribute.tag for attribute in attributes.IDENTIFIER_ATTRIBUTES)
_SPELLING_OF_A_CHARACTER_SET = "Incorrect value for Specific Character Set"
_UNKNOWN_ATTRIBUTE = "VR lookup failed"
_UNDEFINED_LENGTH = 0xFFFFFFFF
_TEXT_LENGTH = 64


class Refused(Exception):
    """Why a file cannot be imported: a sentence without anything of its content."""


@dataclass(frozen=True)
class Step:
    """One worklist item as a file has it.

    `values` are intake's (field names, DICOM text); `extra` is by keyword, None where the file says that
    there is no value; `status` is one of the model's, or None where the file says nothing.
    """

    values: dict[str, str]
    extra: dict[str, Any]
    status: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.values["study_instance_uid"], self.values["scheduled_procedure_step_id"]


@dataclass(frozen=True)
class WorklistFile:
    steps: tuple[Step, ...]
    left_out: tuple[str, ...]  # attributes that an item cannot hold: binary, private, or in the wrong place


@dataclass
class _Content:
    """What one data set, the root or a step item, has for an item."""

    values: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def find(paths: Iterable[Path], unreadable: Callable[[Path, str], None]) -> Iterator[Path]:
    """The files named, and those with a worklist file's suffix in the folders named, in order of name.

    Links are followed, each folder once. `unreadable` is told of each path that cannot be looked at.
    """
    visited: set[tuple[int, int]] = set()
    for path in paths:
        yield from _find(path, unreadable, visited, named=True)


def _find(
    path: Path, unreadable: Callable[[Path, str], None], visited: set[tuple[int, int]], *, named: bool
) -> Iterator[Path]:
    try:
        found = path.stat()
        if not stat.S_ISDIR(found.st_mode):
            if named or path.suffix.lower() in SUFFIXES:
                yield path
            return
        if (found.st_dev, found.st_ino) in visited:
            return
        visited.add((found.st_dev, found.st_ino))
        children = sorted(path.iterdir())
    except OSError as error:
        if named or path.suffix.lower() in SUFFIXES or path.is_dir():
            unreadable(path, _reason(error))
        return
    for child in children:
        yield from _find(child, unreadable, visited, named=False)


def read(path: Path) -> WorklistFile:
    """The file's steps. Raises Refused."""
    data = _bytes(path)
    try:
        with _strictly():
            return _worklist_file(_dataset(data))
    except RecursionError as error:
        raise Refused("Its sequences are nested too deeply.") from error


def _bytes(path: Path) -> bytes:
    try:
        # Without O_NONBLOCK a pipe would be waited for, and a folder of files may hold one.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise Refused("This is not a file.")
            data = file.read(MOST_BYTES + 1) if found.st_size <= MOST_BYTES else b""
    except OSError as error:
        raise Refused(_reason(error)) from error
    if found.st_size > MOST_BYTES or len(data) > MOST_BYTES:
        raise Refused(f"It is larger than {MOST_BYTES // 2**20} MB, which no worklist file is.")
    if not data:
        raise Refused("It is empty.")
    return data


def _reason(error: OSError) -> str:
    return f"{error.strerror or 'It cannot be read'}."


@contextmanager
def _strictly() -> Iterator[None]:
    """pydicom's doubts as errors, for a value that is not read as it was meant is worse than none.

    Its log is kept still: it may quote values. The values themselves are judged by intake.
    """
    log = logging.getLogger("pydicom")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), config.disable_value_validation():
            warnings.simplefilter("error")
            for harmless in (_SPELLING_OF_A_CHARACTER_SET, _UNKNOWN_ATTRIBUTE):
                warnings.filterwarnings("ignore", message=harmless)
            yield
    finally:
        log.setLevel(level)


def _dataset(data: bytes) -> Dataset:
    if data[PREFIX] != b"DICM" and not _begins_like_a_data_set(data):
        raise Refused("This is not a DICOM file.")
    if _is_deflated(data):
        raise Refused("It is compressed (Deflated Explicit VR): write it as Explicit VR Little Endian.")
    try:
        dataset = dcmread(BytesIO(data), force=True, stop_before_pixels=True)
    except RecursionError:
        raise
    except Exception as error:  # hostile bytes make pydicom raise whatever its converters raise
        raise Refused("It is damaged or cut off.") from error
    if attributes.STEP_SEQUENCE.tag not in dataset:
        _refuse_if_damaged(dataset)
        raise Refused("This is not a worklist file: it has no Scheduled Procedure Step Sequence (0040,0100).")
    return dataset


def _begins_like_a_data_set(data: bytes) -> bool:
    """Whether a file without the prefix begins with an element that a worklist file may begin with."""
    groups = {tag.group for tag in attributes.BY_PLACE[Place.ROOT]} | {0x0002, 0x0008}
    for order in ("little", "big"):
        group, element = (int.from_bytes(data[at : at + 2], order) for at in (0, 2))
        if group in groups and (element == 0 or dictionary_has_tag((group, element))):
            return True
    return False


def _is_deflated(data: bytes) -> bool:
    """A few bytes may unpack to any number, so such a file is refused unread."""
    return b"1.2.840.10008.1.2.1.99" in data[: 128 + 1024]


def _refuse_if_damaged(dataset: Dataset) -> None:
    """pydicom takes a value that ends early for what there is of it."""
    for tag in dataset.keys():  # noqa: SIM118  iterating a Dataset decodes every element
        element: Any = dataset.get_item(tag)
        if not isinstance(element, RawDataElement) or element.length == _UNDEFINED_LENGTH:
            continue
        if len(element.value or b"") != element.length:
            raise Refused(f"It is damaged or cut off in {_name(tag)}.")


def _worklist_file(dataset: Dataset) -> WorklistFile:
    # Texts follow the root's character set, which a step item may replace.
    root = _content(dataset, Place.ROOT, declared=False)
    items = _sequence(dataset, attributes.STEP_SEQUENCE.tag)
    if not items:
        raise Refused("Its Scheduled Procedure Step Sequence (0040,0100) is empty.")
    steps, left_out = [], list(root.left_out)
    for item in items:
        content = _content(item, Place.STEP, declared=_declares(dataset))
        left_out += content.left_out
        steps.append(_step(root, content))
    return WorklistFile(tuple(steps), tuple(dict.fromkeys(left_out)))


def _step(root: _Content, content: _Content) -> Step:
    values = {**root.values, **content.values}
    for name in ("study_instance_uid", "scheduled_procedure_step_id"):
        if not values.get(name):
            attribute = attributes.BY_FIELD[name]
            raise Refused(
                f"{attribute.name} {attribute.tag} is missing: without it the step cannot be known again."
            )
    status = _status(values.pop(attributes.BY_KEYWORD[STATUS_KEYWORD].field or "", ""))
    extra = {**root.extra, **content.extra}
    _take_study_description(values, extra)
    _take_protocol(values, extra)
    return Step(values, extra, status)


def _status(term: str) -> str | None:
    if not term:
        return None
    if term not in STATUS_OF_TERM:
        raise Refused(f"{STATUS_KEYWORD} is none of {', '.join(sorted(STATUS_OF_TERM))}.")
    return STATUS_OF_TERM[term]


def _take_study_description(values: dict[str, str], extra: dict[str, Any]) -> None:
    """The field answers for both descriptions; a Study Description of its own is kept beside it."""
    study = extra.get("StudyDescription")
    if study and not values.get("study_description"):
        values["study_description"] = study
    if study and study == values.get("study_description"):
        extra["StudyDescription"] = None


def _take_protocol(values: dict[str, str], extra: dict[str, Any]) -> None:
    """One plain code is protocol and coding scheme; any other sequence is kept as it is."""
    if PROTOCOL_KEYWORD not in extra:
        return
    codes = extra[PROTOCOL_KEYWORD]
    if not codes:
        values["protocol_name"] = values["hisris_coding_designator"] = ""
        return
    code = {keyword: value for keyword, value in codes[0].items() if value}
    protocol = code.get("CodeValue") or code.get("LongCodeValue")
    plain = {"CodeValue": protocol, "LongCodeValue": protocol, "CodeMeaning": protocol}
    scheme = code.pop("CodingSchemeDesignator", None)
    is_plain = all(plain.get(keyword) == value for keyword, value in code.items())
    if len(codes) == 1 and protocol and scheme and is_plain and len(protocol) <= _TEXT_LENGTH:
        values["protocol_name"], values["hisris_coding_designator"] = protocol, scheme
        extra[PROTOCOL_KEYWORD] = None


def _content(dataset: Dataset, place: Place, *, declared: bool) -> _Content:
    _refuse_if_damaged(dataset)
    declared = declared or _declares(dataset)
    content = _Content()
    for tag in sorted(dataset.keys()):
        if _is_of_the_file(tag) or tag == attributes.STEP_SEQUENCE.tag:
            continue
        keyword = keyword_for_tag(tag)
        attribute = attributes.BY_PLACE[place].get(tag)
        if attribute is None and not _is_storable(tag, place):
            content.left_out.append(_name(tag))
            continue
        element = _element(dataset, tag)
        _refuse_undeclared_text(element, declared=declared)
        if attribute and attribute.field:
            content.values[attribute.field] = _text(attribute, element)
        else:
            _take_extra(content, keyword, element, declared=declared)
    return content


def _is_storable(tag: BaseTag, place: Place) -> bool:
    """Whether an item can hold an attribute that the table does not have in this place.

    In a step item only the table's are; a step's attribute at the root (Modality, say) is misplaced.
    """
    keyword = keyword_for_tag(tag)
    return (
        place is Place.ROOT
        and bool(keyword)
        and keyword not in attributes.BY_KEYWORD
        and tag not in _OF_THE_IDENTIFIER
    )


def _take_extra(content: _Content, keyword: str, element: DataElement, *, declared: bool) -> None:
    try:
        content.extra[keyword] = _json(element, content.left_out, declared=declared)
    except TypeError:
        content.left_out.append(_name(element.tag))


def _json(element: DataElement, left_out: list[str], *, declared: bool) -> Any:
    """The value as `extra_attributes` holds it, None for an empty one; TypeError for a binary one."""
    if element.VR == "SQ":
        return [_item(item, left_out, declared=declared) for item in element.value] or None
    if element.is_empty:
        return None
    if isinstance(element.value, MultiValue | list):
        return [_plain(value) for value in element.value]
    return _plain(element.value)


def _item(dataset: Dataset, left_out: list[str], *, declared: bool) -> dict[str, Any]:
    _refuse_if_damaged(dataset)
    declared = declared or _declares(dataset)
    item = {}
    for tag in sorted(dataset.keys()):
        if _is_of_the_file(tag):
            continue
        keyword, element = keyword_for_tag(tag), _element(dataset, tag)
        _refuse_undeclared_text(element, declared=declared)
        try:
            if not keyword:
                raise TypeError("private, or unknown to the dictionary")
            item[keyword] = _json(element, left_out, declared=declared)
        except TypeError:
            left_out.append(_name(tag))
    return {keyword: value for keyword, value in item.items() if value is not None}


def _plain(value: Any) -> str | int | float | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        raise TypeError("binary")
    if isinstance(value, BaseTag):
        return f"{value:08X}"
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return str(value).rstrip("\0 ")


def _text(attribute: Attribute, element: DataElement) -> str:
    if isinstance(element.value, bytes) or element.VR == "SQ":
        raise Refused(f"{_name(attribute.tag)} has the wrong value representation.")
    if element.is_empty:
        return ""
    values = element.value if isinstance(element.value, MultiValue | list) else [element.value]
    return "\\".join(str(value).strip("\0 ") for value in values)


def _refuse_undeclared_text(element: DataElement, *, declared: bool) -> None:
    """Without (0008,0005) there is only ASCII (PS3.5 6.1.2.1); what else the bytes mean would be a guess."""
    if declared or element.VR == "SQ" or isinstance(element.value, bytes):
        return
    values = element.value if isinstance(element.value, MultiValue | list) else [element.value]
    if not all(str(value).isascii() for value in values):
        raise Refused(
            f"{_name(element.tag)} is not ASCII, and no Specific Character Set (0008,0005) is given."
        )


def _declares(dataset: Dataset) -> bool:
    """Whether the data set names a character set beyond the default one."""
    tag = Tag("SpecificCharacterSet")
    if tag not in dataset:
        return False
    value = _element(dataset, tag).value
    given = value if isinstance(value, MultiValue | list) else [value]
    return any(term and term != "ISO_IR 6" for term in given)


def _sequence(dataset: Dataset, tag: BaseTag) -> list[Dataset]:
    element = _element(dataset, tag)
    if element.VR != "SQ":
        raise Refused(f"{_name(tag)} is not a sequence.")
    return list(element.value)


def _element(dataset: Dataset, tag: BaseTag) -> DataElement:
    try:
        return dataset[tag]
    except RecursionError:
        raise
    except Exception as error:  # as in _dataset: values are decoded on access
        raise Refused(
            f"{_name(tag)} cannot be read: damaged, or not in its Specific Character Set."
        ) from error


def _is_of_the_file(tag: BaseTag) -> bool:
    return tag in _OF_THE_FILE or tag.element == 0 or tag.group < 0x0008  # group lengths, commands, file meta


def _name(tag: BaseTag) -> str:
    keyword = keyword_for_tag(tag)
    return f"{keyword} {tag}" if keyword else str(tag)
