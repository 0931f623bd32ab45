"""Query parameters become the identifier that a C-FIND of the same keys has (PS3.18 8.3.4, 14.4.1.2).

`PatientID=P1` and `00400100.00400002=20260110-` are keys; `includefield` asks for attributes beside them.
What is no keyword and no tag is refused: a filter that is misspelt must not show everyone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.http import QueryDict
from pydicom import DataElement, Dataset, Sequence, config
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.tag import BaseTag, Tag
from rest_framework.exceptions import ValidationError

from worklist.answering.compiled import FindRequest
from worklist.answering.requests import ASCII_ONLY
from worklist.dicom import datasets, item_attributes, representations
from worklist.dicom.character_sets import UTF_8
from worklist.dicom.item_attributes import ROOT_ATTRIBUTES, STEP_ATTRIBUTES, STEP_SEQUENCE
from worklist.dicom.request_keys import NO_KEYS

INCLUDE, LIMIT, OFFSET, FUZZY = "includefield", "limit", "offset", "fuzzymatching"
EMPTY_VALUES, SEVERAL_VALUES = "emptyvaluematching", "multiplevaluematching"
ACCEPT, ACCEPT_CHARSET = "accept", "accept-charset"
NO_ATTRIBUTES = frozenset(
    {INCLUDE, LIMIT, OFFSET, FUZZY, EMPTY_VALUES, SEVERAL_VALUES, ACCEPT, ACCEPT_CHARSET}
)
ALL = "all"
MOST_RESULTS = 5000  # in one response: more are had by offset
FURTHEST = 2**31 - 1
DEEPEST = 8  # attributes of a path
LONGEST_VALUE = 16_000  # characters, whose bytes an element of any VR can have
ALWAYS_RETURNED = frozenset({"1", "1C", "2"})  # Return Key Types of PS3.4 Table K.6-1

UNKNOWN = "There is no such parameter, and no DICOM attribute of this keyword or tag."
TWICE = "This stands more than once: separate values by a backslash."
NOT_SUPPORTED = {
    FUZZY: "The fuzzymatching parameter is not supported. Only literal matching has been performed.",
    EMPTY_VALUES: "The emptyvaluematching parameter is not supported. An empty value matches anything.",
    SEVERAL_VALUES: "The multiplevaluematching parameter is not supported. "
    "Values that a backslash separates match any of them.",
}

Path = tuple[BaseTag, ...]


@dataclass(frozen=True)
class AskedSearch:
    """This is what the parameters ask for; `unsupported` are warnings about what is not done."""

    request: FindRequest
    limit: int
    offset: int
    unsupported: tuple[str, ...]


def read(parameters: QueryDict) -> AskedSearch:
    """Return the search. Raises ValidationError, which names the parameter."""
    given = Identifier()
    for name in parameters:
        if name not in NO_ATTRIBUTES:
            given.put(path_of(name), _one(parameters, name), name)
    for path in included(parameters.getlist(INCLUDE)):
        given.include(path)
    return AskedSearch(
        given.encoded(),
        _number(parameters, LIMIT, MOST_RESULTS),
        _number(parameters, OFFSET, 0),
        tuple(text for name, text in NOT_SUPPORTED.items() if _truth(parameters, name)),
    )


def path_of(name: str, *, parameter: str = "") -> Path:
    """Return the tags of `Keyword`, `GGGGEEEE` or such in a row with dots. Raises ValidationError."""
    words = name.split(".")
    tags = [_tag(word) for word in words[: DEEPEST + 1]]
    if None in tags or len(tags) > DEEPEST:
        raise ValidationError({parameter or name: [UNKNOWN]})
    path = tuple(tag for tag in tags if tag is not None)
    if not all(dictionary_has_tag(tag) and dictionary_VR(tag) == "SQ" for tag in path[:-1]):
        raise ValidationError({parameter or name: ["Only in a sequence stand other attributes."]})
    return path


def _tag(word: str) -> BaseTag | None:
    if re.fullmatch(r"[0-9A-Fa-f]{8}", word):
        tag = Tag(int(word, 16))
        is_data = representations.FIRST_GROUP_OF_DATA_SETS <= tag.group < 0xFFFC and tag.element
        return tag if is_data else None
    found = tag_for_keyword(word) if re.fullmatch(r"[A-Za-z0-9]+", word) else None
    return Tag(found) if found is not None and found >> 16 >= 8 else None


def included(values: list[str]) -> Iterator[Path]:
    """Yield what `includefield` asks for. Raises ValidationError."""
    if ALL in values:
        if len(values) > 1:
            raise ValidationError({INCLUDE: ["`all` stands alone."]})
        yield from ((attribute.tag,) for attribute in ROOT_ATTRIBUTES if attribute is not STEP_SEQUENCE)
        yield from ((STEP_SEQUENCE.tag, attribute.tag) for attribute in STEP_ATTRIBUTES)
        return
    for value in values:
        for word in filter(None, (part.strip() for part in value.split(","))):
            yield path_of(word, parameter=INCLUDE)


@dataclass
class _Keys:
    """The keys at one place: text of values, or the keys within a sequence."""

    values: dict[BaseTag, str] = field(default_factory=dict)
    nested: dict[BaseTag, _Keys] = field(default_factory=dict)

    def at(self, path: Path) -> _Keys:
        here = self
        for tag in path:
            here = here.nested.setdefault(tag, _Keys())
        return here


class Identifier:
    """An identifier is gathered key by key; what every answer has is in it from the start."""

    def __init__(self) -> None:
        self._root = _Keys()
        self._names: dict[Path, str] = {}
        for attribute in ROOT_ATTRIBUTES:
            if attribute.return_type in ALWAYS_RETURNED and attribute is not STEP_SEQUENCE:
                self.include((attribute.tag,))
        for attribute in STEP_ATTRIBUTES:
            if attribute.return_type in ALWAYS_RETURNED:
                self.include((STEP_SEQUENCE.tag, attribute.tag))

    def include(self, path: Path) -> None:
        """Ask for the attribute without a value, or for all of the step."""
        if path == (STEP_SEQUENCE.tag,):
            for attribute in STEP_ATTRIBUTES:
                self.include((*path, attribute.tag))
            return
        self._root.at(path[:-1]).values.setdefault(path[-1], "")

    def put(self, path: Path, value: str, name: str) -> None:
        """Add a key with its value. Raises ValidationError."""
        if path in self._names:
            raise ValidationError({name: [f"{self._names[path]} asks for the same attribute."]})
        if path[-1] in NO_KEYS:
            raise ValidationError({name: ["This is said of a query, and is no key of it."]})
        self._names[path] = name
        self._root.at(path[:-1]).values[path[-1]] = value

    def encoded(self) -> FindRequest:
        """Return the identifier in Explicit VR Little Endian and UTF-8. Raises ValidationError."""
        with config.disable_value_validation():
            dataset = self._data_set(self._root, ())
            dataset.SpecificCharacterSet = UTF_8.terms
            return FindRequest(datasets.write(dataset, implicit_vr=False, deflated=False), implicit_vr=False)

    def _data_set(self, keys: _Keys, path: Path) -> Dataset:
        dataset = Dataset()
        for tag, value in keys.values.items():
            if tag not in keys.nested or value:
                dataset.add(self._element(tag, value, (*path, tag)))
        for tag, inner in keys.nested.items():
            dataset.add(DataElement(tag, "SQ", Sequence([self._data_set(inner, (*path, tag))])))
        return dataset

    def _element(self, tag: BaseTag, value: str, path: Path) -> DataElement:
        vr = dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"
        vr = "OW" if vr == "OB or OW" else vr[:2]
        if not value:
            return DataElement(tag, vr, None)
        try:
            return DataElement(tag, vr, _values(vr, value), validation_mode=config.IGNORE)
        except ValueError as error:
            raise ValidationError({self._names.get(path) or _named(path): [str(error)]}) from error


def _values(vr: str, value: str) -> str | list[str] | list[int] | list[float]:
    """Return the values as pydicom takes them. Raises ValueError with a sentence."""
    if len(value) > LONGEST_VALUE:
        raise ValueError(f"At most {LONGEST_VALUE} characters can be asked for.")
    if vr in representations.BINARY:
        convert = float if vr in representations.FLOATS else int
        return _numbers(vr, value, convert)
    if vr == "SQ":
        raise ValueError("This is a sequence: name the attribute in it, after a dot.")
    if not representations.is_text(vr) or vr == "AT":
        raise ValueError(f"Values of {vr} are not matched.")
    if vr in ASCII_ONLY and not value.isascii():
        raise ValueError("Only ASCII can be asked for here.")
    if vr in ("DS", "IS"):
        bad = [each for each in value.split("\\") if each and representations.problem(vr, each)]
        if bad:
            raise ValueError(f"This is no number of {vr}.")
    if vr == "UI":
        value = value.replace(",", "\\")
    return value if vr in representations.PARAGRAPHS else value.split("\\")


def _numbers(vr: str, value: str, convert: type[int] | type[float]) -> list[int] | list[float]:
    try:
        numbers = [convert(each) for each in value.split("\\")]
        for number in numbers:
            representations.BINARY[vr].pack(number)
    except Exception:  # what `struct` raises is no ValueError
        raise ValueError(f"This is no number of {vr}.") from None
    return numbers


def _named(path: Path) -> str:
    return ".".join(keyword_for_tag(tag) or f"{tag:08X}" for tag in path)


def _one(parameters: QueryDict, name: str) -> str:
    values = parameters.getlist(name)
    if len(values) > 1:
        raise ValidationError({name: [TWICE]})
    return values[0]


def _number(parameters: QueryDict, name: str, default: int) -> int:
    if name not in parameters:
        return default
    given = _one(parameters, name)
    if not re.fullmatch(r"[0-9]{1,10}", given) or int(given) > FURTHEST:
        raise ValidationError({name: [f"This must be a whole number from 0 to {FURTHEST}."]})
    return int(given)


def _truth(parameters: QueryDict, name: str) -> bool:
    given = _one(parameters, name) if name in parameters else "false"
    if given not in ("true", "false"):
        raise ValidationError({name: ["This must be `true` or `false`."]})
    return given == "true"


def parameter_names() -> frozenset[str]:
    """Return the names that the audit trail may keep: parameters, keywords and paths of the table."""
    root = {attribute.keyword for attribute in item_attributes.BY_KEYWORD.values()}
    in_step = {f"{STEP_SEQUENCE.keyword}.{attribute.keyword}" for attribute in STEP_ATTRIBUTES}
    return NO_ATTRIBUTES | root | in_step
