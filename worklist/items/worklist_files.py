"""DICOM worklist files, as wlmscpfs and Orthanc keep them, are read here into the values of items.

A file is a data set of PS3.4 Table K.6-1, with or without file meta information; each item of its
Scheduled Procedure Step Sequence is one worklist item. What names the person and makes the match must be
there and be readable; any other value that cannot be read is left out, unless the reading is strict.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom import DataElement, Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.tag import BaseTag

from worklist.dicom import decoding, item_attributes, moments, reading, representations
from worklist.dicom.conditions import Range
from worklist.dicom.decoding import PlainText
from worklist.dicom.item_attributes import ItemAttribute, Place
from worklist.dicom.reading import FileDamaged, FileRefused
from worklist.dicom.values import STATUS_ON_THE_WIRE, to_text

SUFFIXES = frozenset({".wl", ".dcm"})
MOST_BYTES = 16 * 2**20

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
# What names the person, and what a scanner's query is matched by.
ESSENTIAL = ("patient_name", "patient_id", "modality", "scheduled_start_date")
CANNOT_HOLD = "An item cannot hold this."

_OF_THE_IDENTIFIER = frozenset(attribute.tag for attribute in item_attributes.IDENTIFIER_ATTRIBUTES)
_TEXT_LENGTH = 64


@dataclass(frozen=True)
class ScheduledStep:
    """This is one worklist item as a file has it.

    `values` are intake's (field names, DICOM text); `extra` is by keyword, None where the file says that
    there is no value; `status` is one of the model's, or None where the file says nothing.
    """

    values: dict[str, str]
    extra: dict[str, Any]
    status: str | None = None


@dataclass(frozen=True)
class LeftOutAttribute:
    """This is an attribute that an item does not get from its file, and why not, without the value."""

    name: str
    why: str


@dataclass(frozen=True)
class WorklistFile:
    steps: tuple[ScheduledStep, ...]
    left_out: tuple[LeftOutAttribute, ...]


@dataclass
class _Content:
    """This is what one data set, the root or a step item, has for an item."""

    values: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    left_out: list[LeftOutAttribute] = field(default_factory=list)

    def leave_out(self, *names: str, why: str = CANNOT_HOLD) -> None:
        self.left_out += [LeftOutAttribute(name, why) for name in names]


def find(paths: Iterable[Path], unreadable: Callable[[Path, str], None]) -> Iterator[Path]:
    """Yield the files named, and those with a worklist file's suffix in the folders named, in order of name.

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
        leads_nowhere = error.errno in (errno.ENOENT, errno.ELOOP)
        if named or path.suffix.lower() in SUFFIXES or not leads_nowhere:
            unreadable(path, _reason(error))
        return
    for child in children:
        yield from _find(child, unreadable, visited, named=False)


def read(path: Path, *, strict: bool = False) -> WorklistFile:
    """Return what the file holds. Raises FileRefused."""
    return parse(_bytes(path), strict=strict)


def parse(data: bytes, *, strict: bool = False) -> WorklistFile:
    """Return what a file of these bytes holds. Raises FileRefused."""
    if not data:
        raise FileRefused("It is empty.")
    with reading.strictly():
        return _worklist_file(reading.read_dataset(data), strict=strict)


def _bytes(path: Path) -> bytes:
    try:
        # Without O_NONBLOCK a pipe would be waited for, and a folder of files may hold one.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise FileRefused("This is not a file.")
            data = file.read(MOST_BYTES + 1) if found.st_size <= MOST_BYTES else b""
    except OSError as error:
        raise FileRefused(_reason(error)) from error
    if found.st_size > MOST_BYTES or len(data) > MOST_BYTES:
        raise FileRefused(f"It is larger than {MOST_BYTES // 2**20} MB, which no worklist file is.")
    return data


def _reason(error: OSError) -> str:
    return f"{error.strerror or 'It cannot be read'}."


def _worklist_file(dataset: Dataset, *, strict: bool) -> WorklistFile:
    declared = reading.declares_character_set(dataset)
    root = _content(dataset, Place.ROOT, declared=declared, strict=strict)
    steps, left_out = [], list(root.left_out)
    for item in _step_items(dataset):
        declared_there = reading.declares_character_set(item, inherited=declared)
        content = _content(item, Place.STEP, declared=declared_there, strict=strict)
        steps.append(_step(root, content, strict=strict))
        left_out += content.left_out
    return WorklistFile(tuple(steps), tuple(dict.fromkeys(left_out)))


def _step_items(dataset: Dataset) -> list[Dataset]:
    tag = item_attributes.STEP_SEQUENCE.tag
    if tag not in dataset:
        raise FileRefused(
            "This is not a worklist file: it has no Scheduled Procedure Step Sequence (0040,0100)."
        )
    found = reading.element(dataset, tag, declared=True)
    if found.VR != "SQ" or not found.value:
        raise FileRefused("Its Scheduled Procedure Step Sequence (0040,0100) is empty.")
    return list(found.value)


def _step(root: _Content, content: _Content, *, strict: bool) -> ScheduledStep:
    values = {**root.values, **content.values}
    for name in ESSENTIAL:
        if not values.get(name):
            raise FileRefused(f"{_named(name)} is missing.")
    status = _status(values.pop("performed_procedure_step_status", ""), content, strict=strict)
    extra = {**root.extra, **content.extra}
    _take_study_description(values, extra)
    _take_protocol(values, extra)
    return ScheduledStep(values, extra, status)


def _named(field_name: str) -> str:
    attribute = item_attributes.BY_FIELD[field_name]
    return f"{attribute.name} {attribute.tag}"


def _status(term: str, content: _Content, *, strict: bool) -> str | None:
    if not term:
        return None
    if term.upper() in STATUS_OF_TERM:
        return STATUS_OF_TERM[term.upper()]
    why = f"It is none of {', '.join(sorted(STATUS_OF_TERM))}."
    name = reading.name(item_attributes.BY_KEYWORD[STATUS_KEYWORD].tag)
    if strict:
        raise FileRefused(f"{name}: {why}")
    content.leave_out(name, why=why)
    return None


def _take_study_description(values: dict[str, str], extra: dict[str, Any]) -> None:
    """Let the field answer for both descriptions; a differing Study Description is kept beside it."""
    study = extra.get("StudyDescription")
    if study and not values.get("study_description"):
        values["study_description"] = study
    if study and study == values.get("study_description"):
        extra["StudyDescription"] = None


def _take_protocol(values: dict[str, str], extra: dict[str, Any]) -> None:
    """Take one plain code as protocol and coding scheme; any other sequence is kept as it is."""
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


def _content(dataset: Dataset, place: Place, *, declared: bool, strict: bool) -> _Content:
    content = _Content()
    decoder = decoding.decoder(dataset)
    for tag in reading.tags(dataset):
        attribute = item_attributes.BY_PLACE[place].get(tag)
        if attribute is item_attributes.STEP_SEQUENCE:
            continue
        if attribute is None and not _is_storable(tag, place):
            content.leave_out(reading.name(tag))
            continue
        if (plain := reading.plain_text(dataset, tag, decoder, declared=declared)) is not None:
            _take_plain(content, tag, plain, attribute)
            continue
        try:
            _take(content, reading.element(dataset, tag, declared=declared), attribute, declared=declared)
        except FileDamaged:
            raise
        except FileRefused as reason:
            if strict or (attribute and attribute.field in ESSENTIAL):
                raise
            content.leave_out(reading.name(tag), why=_why(str(reason), tag))
    return content


def _take_plain(content: _Content, tag: BaseTag, plain: PlainText, attribute: ItemAttribute | None) -> None:
    """Do what `_take` does with an element."""
    if attribute and attribute.field:
        content.values[attribute.field] = _of_today(plain.vr, plain.text.strip("\0 "))
    else:
        content.extra[keyword_for_tag(tag)] = _legal(plain.vr, reading.plain_json_value(plain))


def _take(
    content: _Content, element: DataElement, attribute: ItemAttribute | None, *, declared: bool
) -> None:
    if attribute and attribute.field:
        content.values[attribute.field] = _text(element)
    else:
        _take_extra(content, element, declared=declared)


def _why(sentence: str, tag: BaseTag) -> str:
    """Say it without the name, which is told beside it."""
    rest = sentence.removeprefix(f"{reading.name(tag)} ")
    return sentence if rest == sentence else f"It {rest}"


def _is_storable(tag: BaseTag, place: Place) -> bool:
    """Return whether an item can hold an attribute that the table does not have in this place.

    In a step item only the table's are; a step's attribute at the root (Modality, say) is misplaced.
    """
    keyword = keyword_for_tag(tag)
    return (
        place is Place.ROOT
        and bool(keyword)
        and keyword not in item_attributes.BY_KEYWORD
        and tag not in _OF_THE_IDENTIFIER
    )


def _take_extra(content: _Content, element: DataElement, *, declared: bool) -> None:
    left_out: list[str] = []
    try:
        value = reading.json_value(element, left_out, declared=declared)
    except TypeError:
        left_out.append(reading.name(element.tag))
    else:
        content.extra[element.keyword] = _legal(element.VR, value)
    content.leave_out(*left_out)


def _text(element: DataElement) -> str:
    if isinstance(element.value, bytes) or element.VR == "SQ":
        raise FileRefused(f"{reading.name(element.tag)} has the wrong value representation.")
    if element.is_empty:
        return ""
    text = "\\".join(str(value).strip("\0 ") for value in reading.values(element))
    return _of_today(element.VR, text)


def _legal(vr: str, value: Any) -> Any:
    is_fine = not isinstance(value, str) or vr not in _MOMENTS or representations.problem(vr, value) is None
    return value if is_fine else _of_today(vr, value)


def _of_today(vr: str, text: str) -> str:
    """Write a date or a time as it is written today where it is in a form that queries are read in, too."""
    read = _MOMENTS.get(vr)
    try:
        return to_text(read(text.strip()).low) if read and "-" not in text else text
    except ValueError:
        return text


_MOMENTS: dict[str, Callable[[str], Range[Any]]] = {"DA": moments.date_range, "TM": moments.time_range}
