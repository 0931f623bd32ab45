"""A query's keys (PS3.4 C.2.2.2, K.2.2.1.1 and K.6.1.2.2) become conditions on worklist items here.

Beyond the standard: CS keys are compared in capitals, person names without case, a key of several
values matches any of them on every VR, and a time range that ends before it begins goes over midnight.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydicom import Dataset
from pydicom.datadict import dictionary_VM
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from worklist.dicom import decoding, item_attributes, moments, person_name, representations
from worklist.dicom.conditions import AllOf, AnyOf, Condition, Range, Scheduled, Text, Within
from worklist.dicom.item_attributes import ItemAttribute, Matching, Place
from worklist.dicom.request_keys import NO_KEYS
from worklist.dicom.values import STATUS_ON_THE_WIRE

STATUS_SYNONYMS = {"IN_PROGRESS": "IN_PROGRESS", "IN PROGRESS": "IN_PROGRESS", "CANCELED": "CANCELLED"}
STATUS_FIELD = "performed_procedure_step_status"
DATE_FIELD, TIME_FIELD = "scheduled_start_date", "scheduled_start_time"

_GROUP_LENGTH = 0x0000
_LONGEST = {"AE": 16, "CS": 16, "LO": 64, "PN": 64, "SH": 16, "UI": 64}  # characters; PN: of a group
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_WILD = re.compile(r"[*?]")
_ASTERISKS = re.compile(r"\*+")
_OPEN_TAIL = re.compile(r"\^[\^*]*\*$")


class IdentifierError(Exception):
    """The identifier does not match the SOP Class: status A900 (PS3.4 Table K.4-1).

    `tag` is the Offending Element (0000,0901), `comment` the Error Comment (0000,0902): at most 64
    characters, none of them from the query.
    """

    def __init__(self, tag: BaseTag, comment: str) -> None:
        super().__init__(f"{tag} {comment}")
        self.tag = tag
        self.comment = comment


@dataclass(frozen=True)
class MatchingKey:
    """This is what one key asks, or two that ask together.

    `asked` are its values as they were written.
    """

    keywords: tuple[str, ...]
    asked: tuple[str, ...]
    condition: Condition


@dataclass(frozen=True)
class MatchingKeys:
    """A query asks for all of `keys`, and for one of `statuses` (stored ones) if it names any.

    `unmatched` are the keys that carry a value this server does not match on.
    """

    keys: tuple[MatchingKey, ...] = ()
    unmatched: tuple[BaseTag, ...] = ()
    statuses: tuple[str, ...] | None = None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return tuple(key.condition for key in self.keys)


def read_keys(identifier: Dataset) -> MatchingKeys:
    """Return the keys of a C-FIND identifier. Raises IdentifierError where one cannot be understood."""
    places = {Place.ROOT: identifier, Place.STEP: _step_item(identifier)}
    given: dict[str, tuple[str, ...]] = {}
    unmatched = []
    for place, dataset in places.items():
        for tag in _keys(dataset):
            attribute = item_attributes.BY_PLACE[place].get(tag)
            if attribute is None or attribute.matching is Matching.NONE:
                if _carries_a_value(dataset, tag):
                    unmatched.append(tag)
            elif attribute.matching is not Matching.SEQUENCE:
                given[attribute.keyword] = _values(dataset, tag)
    statuses = _statuses(given.pop("ScheduledProcedureStepStatus", ()))
    return MatchingKeys(tuple(_matched(given)), tuple(unmatched), statuses)


def _keys(dataset: Dataset) -> Iterator[BaseTag]:
    tags = dataset.keys()  # a data set iterates over decoded elements, its keys are not decoded
    return (tag for tag in tags if tag.element != _GROUP_LENGTH and tag not in NO_KEYS)


def _step_item(identifier: Dataset) -> Dataset:
    """Return the keys of the one item of the Scheduled Procedure Step Sequence; an empty one has none."""
    tag = item_attributes.STEP_SEQUENCE.tag
    if tag not in identifier:
        return Dataset()
    value = _read(identifier, tag)
    if not value:
        return Dataset()
    if not isinstance(value, Sequence):
        raise IdentifierError(tag, "Not a sequence")
    if len(value) > 1:
        raise IdentifierError(tag, "More than one item in a sequence of keys")
    return value[0]


def _read(dataset: Dataset, tag: BaseTag) -> Any:
    try:
        element, doubt = decoding.element(dataset, tag)
    except Exception as error:  # pydicom decodes on access, and raises what its converters raise
        raise IdentifierError(tag, "The value of the key cannot be read") from error
    if doubt == decoding.UNDECODABLE:
        raise IdentifierError(tag, "The key is not written in its Specific Character Set")
    return element.value


def _values(dataset: Dataset, tag: BaseTag) -> tuple[str, ...]:
    """Return the values of a key without padding; none for universal matching (PS3.4 C.2.2.2.3)."""
    value = _read(dataset, tag)
    if isinstance(value, bytes):
        value = value.strip(b" \0")
    if isinstance(value, bytes | Sequence):
        if value:
            raise IdentifierError(tag, "The key has the wrong value representation")
        return ()
    several = value if isinstance(value, MultiValue) else [value]
    texts = [_text(each) for each in several if each is not None]
    return () if any(_only_asterisks(text) for text in texts) else tuple(filter(None, texts))


def _text(value: object) -> str:
    return unicodedata.normalize("NFC", str(value).rstrip(" \0").lstrip(" "))


def _only_asterisks(text: str) -> bool:
    return bool(text) and not text.strip("*")


def _carries_a_value(dataset: Dataset, tag: BaseTag) -> bool:
    """Return whether a key that is not matched on asks for something.

    A binary number of nothing but null bytes does not: some write it for an empty one.
    """
    try:
        value = _read(dataset, tag)
        if dataset[tag].VR in representations.BINARY and _only_zeros(value):
            return False
        if isinstance(value, Sequence):
            return any(_carries_a_value(item, nested) for item in value for nested in _keys(item))
        return bool(_values(dataset, tag))
    except Exception:  # what cannot be read is not empty
        return True


def _only_zeros(value: Any) -> bool:
    return not any(value) if isinstance(value, MultiValue | list) else value == 0


def _matched(given: dict[str, tuple[str, ...]]) -> Iterator[MatchingKey]:
    ranges: dict[str, tuple[Range[Any], ...]] = {}
    for keyword, values in given.items():
        attribute = item_attributes.BY_KEYWORD[keyword]
        if not values:
            continue
        if attribute.matching is Matching.RANGE:
            ranges[_field(attribute)] = _ranges(attribute, values)
        elif condition := _condition(attribute, values):
            yield MatchingKey((keyword,), values, condition)
    for fields, condition in _in_time(ranges):
        keywords = tuple(item_attributes.BY_FIELD[field].keyword for field in fields)
        yield MatchingKey(
            keywords, tuple(value for keyword in keywords for value in given[keyword]), condition
        )


def _field(attribute: ItemAttribute) -> str:
    if attribute.field is None:
        raise LookupError(f"{attribute.keyword} is matched, so it needs a field")
    return attribute.field


def _condition(attribute: ItemAttribute, values: tuple[str, ...]) -> Condition | None:
    if attribute.matching is Matching.UID_LIST:
        return Text(_field(attribute), values=_storable(values, "UI"))
    if attribute.vr == "PN":
        return _person_name(_field(attribute), values)
    if attribute.vr == "CS":
        values = tuple(value.upper() for value in values)
    several = dictionary_VM(attribute.tag) != "1"
    return _like(_field(attribute), _storable(values, attribute.vr), several=several)


def _storable(values: Iterable[str], vr: str) -> tuple[str, ...]:
    """Leave out what no item can hold, and a database need not, or cannot, be asked for."""
    return tuple(
        value
        for value in values
        if len(value.replace("*", "")) <= _LONGEST[vr] and not _UNSTORABLE.search(value)
    )


def _like(field: str, values: Iterable[str], *, several: bool = False) -> Text:
    """Return the condition of single value and wild card matching (PS3.4 C.2.2.2.1 and C.2.2.2.4)."""
    shortest = [_ASTERISKS.sub("*", value) for value in values]
    wild = tuple(value for value in shortest if _WILD.search(value))
    return Text(field, tuple(value for value in shortest if value not in wild), wild, several)


def _statuses(values: tuple[str, ...]) -> tuple[str, ...] | None:
    terms = {term: stored for stored, term in STATUS_ON_THE_WIRE.items()} | STATUS_SYNONYMS
    asked = {stored for value in values for term, stored in terms.items() if is_like(term, value.upper())}
    return tuple(sorted(asked)) if values else None


def is_like(term: str, pattern: str) -> bool:
    """Return whether a term is the value, or like its wild cards."""
    shortest = _ASTERISKS.sub("*", pattern)  # each costs as many steps as all before it together
    escaped = re.escape(shortest).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(escaped, term) is not None


def _person_name(field: str, values: tuple[str, ...]) -> Condition | None:
    """Match any of the names (PS3.5 6.2.1); None when one of them, or all they leave, is universal."""
    names = [_name(field, name) for value in values if (name := value.rstrip(" ^="))]
    return AnyOf(tuple(filter(None, names))) if names and None not in names else None


def _name(field: str, name: str) -> Condition | None:
    """Match one name: without `=` in any component group, with it each group by itself."""
    groups = [_group(group) for group in name.split("=")]
    columns = [f"{field}_{group}" for group in person_name.GROUPS]
    if len(groups) == 1:
        return None if groups[0] is None else AnyOf(tuple(_like(column, groups[0]) for column in columns))
    if any(group is not None for group in groups[len(columns) :]):
        return AnyOf(())
    asked = [(column, group) for column, group in zip(columns, groups, strict=False) if group is not None]
    return AllOf(tuple(_like(column, group) for column, group in asked)) if asked else None


def _group(group: str) -> tuple[str, ...] | None:
    """Return the forms of a component group, any of which may match; None for universal matching.

    DOE is DOE^^ (PS3.5 6.2.1), so `DOE^*` finds it: delimiters and asterisks at the end may be absent.
    """
    whole = person_name.comparable(group)
    forms = {whole: None}
    if tail := _OPEN_TAIL.search(whole):
        cuts = (at for at in range(tail.start(), len(whole)) if whole[at] == "^")
        forms |= dict.fromkeys(filter(None, (whole[:cut].rstrip("^") for cut in cuts)))
    is_universal = not whole or any(_only_asterisks(form) for form in forms)
    return None if is_universal else _storable(forms, "PN")


def _ranges(attribute: ItemAttribute, values: tuple[str, ...]) -> tuple[Range[Any], ...]:
    read: Callable[[str], Range[Any]] = moments.date_range if attribute.vr == "DA" else moments.time_range
    try:
        return tuple(read(value) for value in values)
    except ValueError as error:
        raise IdentifierError(attribute.tag, f"Not a value or range of VR {attribute.vr}") from error


def _in_time(ranges: dict[str, tuple[Range[Any], ...]]) -> Iterator[tuple[tuple[str, ...], Condition]]:
    """Combine a date key and a time range to one interval (PS3.4 K.6.1.2.2).

    Other keys stand by themselves.
    """
    dates, times = ranges.get(DATE_FIELD, ()), ranges.get(TIME_FIELD, ())
    if len(dates) == len(times) == 1 and not times[0].single:
        yield (DATE_FIELD, TIME_FIELD), Scheduled(*moments.interval(dates[0], times[0]))
        ranges = {field: given for field, given in ranges.items() if field not in (DATE_FIELD, TIME_FIELD)}
    for field, given in ranges.items():
        yield (field,), Within(field, tuple(moments.around_midnight(given)) if field == TIME_FIELD else given)
