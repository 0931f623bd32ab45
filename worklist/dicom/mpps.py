"""N-CREATE and N-SET are judged here: what a performed step may become (PS3.4 F.7.2, PS3.7 10.1).

Identity and status are judged always. What else departs from Table F.7.2-1 is refused where `strict`, and
otherwise accepted with a deviation: a sentence for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydicom import Dataset
from pydicom.datadict import dictionary_description, dictionary_has_tag

from worklist.dicom import json_model, repetition, representations
from worklist.dicom.json_model import DataSet as DataSet
from worklist.dicom.json_model import DoubtfulValue, Reading
from worklist.dicom.mpps_attributes import (
    ATTRIBUTES,
    BY_KEY,
    END_DATE,
    END_TIME,
    NOT_IN_N_SET,
    PERFORMED_SERIES,
    STATUS,
    MppsAttribute,
    printed,
)

IN_PROGRESS, COMPLETED, DISCONTINUED = "IN_PROGRESS", "COMPLETED", "DISCONTINUED"
STATUS_OF_TERM = {"IN PROGRESS": IN_PROGRESS, "COMPLETED": COMPLETED, "DISCONTINUED": DISCONTINUED}
FINAL = frozenset({COMPLETED, DISCONTINUED})

# PS3.7 Annex C.4 and C.5
ATTRIBUTE_LIST_ERROR = 0x0107
INVALID_ATTRIBUTE_VALUE = 0x0106
PROCESSING_FAILURE = 0x0110
INVALID_OBJECT_INSTANCE = 0x0117
MISSING_ATTRIBUTE = 0x0120
MISSING_ATTRIBUTE_VALUE = 0x0121
# PS3.4 Table F.7.2-2: an Error ID (0000,0903), not a status
MAY_NO_LONGER_BE_UPDATED = 0xA710

_VERBS = {
    INVALID_ATTRIBUTE_VALUE: "Illegal value of",
    MISSING_ATTRIBUTE: "Missing",
    MISSING_ATTRIBUTE_VALUE: "Empty",
}
Path = tuple[int, ...]  # tags, from the outermost sequence to the attribute

LONGEST_COMMENT = 64  # Error Comment (0000,0902) is LO
LONGEST_SHOWN = 128  # characters of a value in a deviation
MOST_DEVIATIONS = 50  # of one message
MOST_IGNORED_NAMED = 3  # tags, for more do not fit into the comment


class MppsRefused(Exception):
    """The scanner is answered with this status.

    The comment has at most 64 characters and nothing of a data set's values.
    """

    def __init__(self, status: int, comment: str, error_id: int | None = None) -> None:
        super().__init__(f"{status:04X} {comment}")
        self.status = status
        self.comment = comment
        self.error_id = error_id


@dataclass(frozen=True)
class Accepted:
    """The step is as it says from now on.

    `deviations` are sentences for people, which may quote values; `remarks` are those that many scanners
    earn with every message, and that cost nothing: what may be empty was left out. `warning` is the Error
    Comment of the answer 0107, Attribute List Error; where it is empty, the answer is 0000.
    """

    dataset: DataSet
    status: str
    deviations: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    warning: str = ""


@dataclass(frozen=True)
class Fault:
    """A fault departs from the table.

    It says how it is refused, and has the sentence that tells of it where it is not.
    """

    status: int
    path: Path
    sentence: str
    required: bool = True  # more than a type 2 attribute that was left out

    def refusal(self) -> MppsRefused:
        return MppsRefused(self.status, _comment(_VERBS[self.status], self.path))


def check_instance_uid(uid: str) -> None:
    """Raise MppsRefused for what is no SOP Instance UID."""
    if representations.problem("UI", uid) or "." not in uid:
        raise MppsRefused(INVALID_OBJECT_INSTANCE, "The SOP Instance UID is not valid")


def created(dataset: Dataset | Reading, *, strict: bool) -> Accepted:
    """Judge an N-CREATE's Attribute List (PS3.4 F.7.2.1). Raises MppsRefused."""
    reading = _reading(dataset)
    status = _sent_status(reading.dataset)
    if status is None:
        raise MppsRefused(MISSING_ATTRIBUTE, _comment("Missing", (STATUS.tag,)))
    if status != IN_PROGRESS:
        raise MppsRefused(INVALID_ATTRIBUTE_VALUE, f"{printed(STATUS.tag)} must be IN PROGRESS at N-CREATE")
    missing = list(_missing(ATTRIBUTES, reading.dataset))
    illegal = _illegal(reading.dataset, reading.doubtful)
    deviations, remarks = _judged(missing, illegal, strict=strict)
    return Accepted(reading.dataset, status, deviations, remarks)


def modified(stored: DataSet, status: str, modifications: Dataset | Reading, *, strict: bool) -> Accepted:
    """Apply an N-SET's Modification List to what is stored (PS3.4 F.7.2.2). Raises MppsRefused.

    What is stored is left as it is. A reading is what `json_model.read` returns, which costs far more than
    all that is judged of it here.

    Sequences are replaced whole. What the table does not allow in an N-SET is ignored, with a warning where
    it says something else than is stored: consoles repeat what they created, and some take a warning for a
    failure. Where `strict`, the warning is given for what says the same, too.
    """
    if status in FINAL:
        raise MppsRefused(
            PROCESSING_FAILURE,
            "Performed Procedure Step Object may no longer be updated",
            MAY_NO_LONGER_BE_UPDATED,
        )
    reading = _reading(modifications)
    status = _sent_status(reading.dataset) or status
    allowed = {key: element for key, element in reading.dataset.items() if key not in NOT_IN_N_SET}
    ignored = {key: element for key, element in reading.dataset.items() if key in NOT_IN_N_SET}
    differing = {
        key: element for key, element in ignored.items() if not repetition.repeats(element, stored.get(key))
    }
    merged = stored | allowed
    missing = [
        *(_without_final_values(merged, status, strict=strict) if status in FINAL else ()),
        *_missing_in_items(merged if status in FINAL else allowed),
    ]
    doubtful = [each for each in reading.doubtful if f"{each.path[0]:08X}" not in NOT_IN_N_SET]
    deviations, remarks = _judged(missing, _illegal(allowed, doubtful), strict=strict)
    return Accepted(
        merged,
        status,
        deviations=(*_not_changed(stored, differing), *deviations),
        remarks=(*_not_created(stored, allowed), *_repeated(ignored.keys() - differing), *remarks),
        warning=_warning(ignored if strict else differing),
    )


def _reading(given: Dataset | Reading) -> Reading:
    return given if isinstance(given, Reading) else json_model.read(given)


def _sent_status(dataset: DataSet) -> str | None:
    """Return one of the three, or None where the attribute is absent. Raises MppsRefused."""
    element = dataset.get(STATUS.key)
    if element is None:
        return None
    if json_model.is_empty(element):
        raise MppsRefused(MISSING_ATTRIBUTE_VALUE, _comment("Empty", (STATUS.tag,)))
    texts = json_model.texts(element)
    if len(texts) != 1 or texts[0] not in STATUS_OF_TERM:
        raise MppsRefused(INVALID_ATTRIBUTE_VALUE, _comment("Illegal value of", (STATUS.tag,)))
    return STATUS_OF_TERM[texts[0]]


def _missing(table: Iterable[MppsAttribute], dataset: DataSet, path: Path = ()) -> Iterator[Fault]:
    """Yield attributes of type 1 without a value and of type 2 that were not sent, in items as well."""
    for attribute in table:
        element = dataset.get(attribute.key)
        if element is None:
            if attribute.n_create in ("1", "2"):
                yield _without_value(attribute, element, path)
            continue
        if attribute.n_create == "1" and json_model.is_empty(element):
            yield _without_value(attribute, element, path)
        if attribute.items and not json_model.has_packed(element):
            for item in json_model.items(element):
                yield from _missing(attribute.items, item, (*path, attribute.tag))


def _missing_in_items(dataset: DataSet) -> Iterator[Fault]:
    """Yield what is missing in the items of the sequences that an N-SET may carry."""
    for attribute in ATTRIBUTES:
        if attribute.items and attribute.n_set is not None:
            for item in json_model.items(dataset.get(attribute.key)):
                yield from _missing(attribute.items, item, (attribute.tag,))


def _without_final_values(dataset: DataSet, status: str, *, strict: bool) -> Iterator[Fault]:
    """Yield what a completed or discontinued step must have and has not (Table F.7.2-1, Final State)."""
    for attribute in (END_DATE, END_TIME, PERFORMED_SERIES):
        # Many a scanner is stopped before its first series: that says nothing worth reading.
        is_usual = attribute is PERFORMED_SERIES and status == DISCONTINUED and not strict
        element = dataset.get(attribute.key)
        if json_model.is_empty(element) and not is_usual:
            yield replace(_without_value(attribute, element, ()), required=True)


def _without_value(attribute: MppsAttribute, element: object, path: Path) -> Fault:
    here = (*path, attribute.tag)
    required = attribute.n_create == "1"
    if element is None:
        return Fault(MISSING_ATTRIBUTE, here, f"{_named(here)} is missing.", required)
    return Fault(MISSING_ATTRIBUTE_VALUE, here, f"{_named(here)} is empty.", required)


def _illegal(dataset: DataSet, doubtful: Iterable[DoubtfulValue]) -> Iterator[Fault]:
    for each in doubtful:
        sentence = f"{_named(each.path)}: {each.sentence}"
        yield Fault(INVALID_ATTRIBUTE_VALUE, each.path, sentence)
    yield from _illegal_values(dataset, BY_KEY)


def _illegal_values(dataset: DataSet, table: Mapping[str, MppsAttribute], path: Path = ()) -> Iterator[Fault]:
    for key, element in dataset.items():
        attribute = table.get(key)
        if attribute is None:
            continue
        here = (*path, attribute.tag)
        for sentence in _problems(attribute, element):
            yield Fault(INVALID_ATTRIBUTE_VALUE, here, f"{_named(here)} {sentence}")
        if attribute.items and not json_model.has_packed(element):
            for item in json_model.items(element):
                yield from _illegal_values(item, attribute.by_key, here)


def _problems(attribute: MppsAttribute, element: Any) -> Iterator[str]:
    if element["vr"] != attribute.vr:
        yield f"is sent as {element['vr']} and not as {attribute.vr}."
        return
    if attribute.vr == "SQ":
        return
    texts = json_model.texts(element)
    if len(texts) > 1 and not attribute.is_multiple:
        yield f"has {len(texts)} values where one is allowed: {_quoted(texts)}."
    for text in filter(None, texts):
        problem = representations.problem(attribute.vr, text)
        if problem is not None:
            yield f"holds {_quoted([text])}. {problem}"


def _judged(
    missing: Iterable[Fault], illegal: Iterable[Fault], *, strict: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return deviations and remarks; where `strict`, raise MppsRefused for the gravest fault."""
    missing = list(missing)
    grave = [*(fault for fault in missing if fault.required), *illegal]
    slight = [fault for fault in missing if not fault.required]
    if strict and (grave or slight):
        raise (grave or slight)[0].refusal()
    sentences = list(dict.fromkeys(fault.sentence for fault in grave))
    if len(sentences) > MOST_DEVIATIONS:
        more = len(sentences) - MOST_DEVIATIONS
        sentences[MOST_DEVIATIONS:] = [f"There are {more} more deviations of these kinds."]
    paths = dict.fromkeys(fault.path for fault in slight)
    return tuple(sentences), (_left_out(paths),) if paths else ()


def _left_out(paths: Iterable[Path]) -> str:
    """Return one sentence for all that may be empty and was left out."""
    by_sequence: dict[Path, list[str]] = {}
    for path in paths:
        by_sequence.setdefault(path[:-1], []).append(_named(path[-1:]))
    parts = [
        (f"in {_named(sequence)}: " if sequence else "") + ", ".join(names)
        for sequence, names in sorted(by_sequence.items(), key=lambda part: len(part[0]))
    ]
    return f"Attributes that may be empty, but not absent, are missing: {'; '.join(parts)}."


def _not_changed(stored: DataSet, differing: DataSet) -> Iterator[str]:
    """Yield what an N-SET tried to change: an operator who retypes the patient is seen here."""
    for key, element in differing.items():
        sent, kept = list(_leaves(element)), list(_leaves(stored.get(key)))
        held = f"{_quoted(kept)} is kept" if kept else "no value is kept"
        yield f"{_named((int(key, 16),))} may not be changed: {_quoted(sent)} was sent, {held}."


def _leaves(element: Any) -> Iterator[str]:
    """Yield all values in an attribute and its items, without what is not significant in them."""
    for item in json_model.items(element):
        for nested in item.values():
            yield from _leaves(nested)
    yield from filter(None, (text.rstrip("^= ") for text in json_model.texts(element)))


def _repeated(keys: Iterable[str]) -> Iterator[str]:
    names = [_named((int(key, 16),)) for key in sorted(keys)]
    if names:
        yield f"Repeated with N-SET, which may not carry it: {', '.join(names)}."


def _not_created(stored: DataSet, allowed: DataSet) -> Iterator[str]:
    names = [_named((int(key, 16),)) for key in allowed if key in BY_KEY and key not in stored]
    if names:
        yield f"Set, but not created at N-CREATE: {', '.join(names)}."


def _warning(ignored: DataSet) -> str:
    """Return the Error Comment of the answer to an N-SET with attributes that it may not carry."""
    if not ignored:
        return ""
    tags = [printed(int(key, 16)) for key in ignored]
    if len(tags) <= MOST_IGNORED_NAMED:
        return f"Not allowed in N-SET: {', '.join(tags)}"
    named = ", ".join(tags[: MOST_IGNORED_NAMED - 1])
    return f"Not allowed in N-SET: {named} and {len(tags) - MOST_IGNORED_NAMED + 1} more"


def _named(path: Path) -> str:
    """Name the attribute and the sequences around it, from the inside out, each with its tag."""
    return " in ".join(f"{_name(tag)} {printed(tag)}" for tag in reversed(path))


def _name(tag: int) -> str:
    return dictionary_description(tag) if dictionary_has_tag(tag) else "Attribute"


def _comment(verb: str, path: Path) -> str:
    """Return an Error Comment with as much of the name as fits."""
    short = f"{verb} {' in '.join(printed(tag) for tag in reversed(path[-3:]))}"
    full = f"{verb} {printed(path[-1])} {_name(path[-1])}"
    full += "".join(f" in {printed(tag)}" for tag in reversed(path[-3:-1]))
    return full if len(full) <= LONGEST_COMMENT else short[:LONGEST_COMMENT]


def _quoted(texts: Sequence[str]) -> str:
    joined = ", ".join(texts)
    shown = joined if len(joined) <= LONGEST_SHOWN else f"{joined[:LONGEST_SHOWN]}..."
    return f'"{shown}"'
