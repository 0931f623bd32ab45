"""`extra_attributes` holds attributes by DICOM keyword, checked against the data dictionary (PS3.6)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydicom.datadict import dictionary_VM, dictionary_VR, tag_for_keyword
from pydicom.tag import BaseTag, Tag

from worklist.dicom import item_attributes, representations
from worklist.dicom.values import HEAVIEST_KG, LIGHTEST_KG, SHORTEST_M, TALLEST_M

_OF_THE_IDENTIFIER = frozenset(attribute.keyword for attribute in item_attributes.IDENTIFIER_ATTRIBUTES)
# With the units of PS3.3 C.7.2.2. A weight is an item's own field, and may stand in a sequence as well.
_PLAUSIBLE = {
    "PatientSize": (SHORTEST_M, TALLEST_M, "m", "metres"),
    "PatientWeight": (LIGHTEST_KG, HEAVIEST_KG, "kg", "kilograms"),
}
_MULTIPLICITY = re.compile(r"(\d+)(?:-(\d*)(n?))?")


class ExtraAttributesError(ValueError):
    """`problems` maps the path of each attribute (`A` or `A[0].B`) to a sentence without its value."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{path}: {sentence}" for path, sentence in problems.items()))
        self.problems = problems


def check(given: object) -> dict[str, Any]:
    """Clean the attributes: text in NFC and stripped, numbers as numbers, empty values left out.

    `given` maps keywords to text, a number, a list of them where the dictionary allows several, or for a
    sequence a list of such mappings. Raises ExtraAttributesError with every problem found.
    """
    problems: dict[str, str] = {}
    cleaned = _item(given, "", problems)
    if problems:
        raise ExtraAttributesError(problems)
    return cleaned


def _item(given: object, path: str, problems: dict[str, str]) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        problems[path or "extra_attributes"] = "A mapping from DICOM keywords to values is expected."
        return {}
    cleaned = {}
    for keyword, value in given.items():
        here = f"{path}.{keyword}" if path else str(keyword)
        sentence = _refusal(keyword) or (_place_refusal(keyword) if not path else None)
        if sentence:
            problems[here] = sentence
            continue
        result = _value(keyword, value, here, problems)
        if not _is_empty(result):
            cleaned[keyword] = result
    return cleaned


def _refusal(keyword: object) -> str | None:
    """Return why an attribute can be in no item at all."""
    tag = tag_for_keyword(keyword) if isinstance(keyword, str) else None
    if tag is None:
        return "This is not a keyword of the DICOM data dictionary, such as MedicalAlerts."
    if keyword in _OF_THE_IDENTIFIER or keyword == item_attributes.STEP_SEQUENCE.keyword:
        return "This attribute is made for each answer and cannot be set."
    if Tag(tag).group < representations.FIRST_GROUP_OF_DATA_SETS or not _is_supported(dictionary_VR(tag)):
        return "Attributes of this kind are not part of a worklist item."
    return None


def _place_refusal(keyword: str) -> str | None:
    """Return why an attribute cannot be among the item's own; nested in a sequence it may well be."""
    attribute = item_attributes.BY_KEYWORD.get(keyword)
    if attribute is None or attribute.field is None:
        return None
    return f"This is the item's field {attribute.field}: set it there."


def _is_supported(vr: str) -> bool:
    return vr == "SQ" or vr in representations.BINARY or representations.is_text(vr)


def _value(keyword: str, value: object, path: str, problems: dict[str, str]) -> Any:
    tag = Tag(tag_for_keyword(keyword) or 0)
    vr = dictionary_VR(tag)
    if vr == "SQ":
        return _sequence(value, path, problems)
    try:
        cleaned = _values(tag, vr, value) if isinstance(value, list | tuple) else _single(vr, value)
        _refuse_implausible(keyword, cleaned)
        return cleaned
    except ValueError as error:
        problems[path] = str(error)
        return None


def _refuse_implausible(keyword: str, cleaned: Any) -> None:
    """Raise ValueError for a measure that nobody has: it is never converted, for its unit is a guess."""
    if keyword not in _PLAUSIBLE:
        return
    low, high, unit, named = _PLAUSIBLE[keyword]
    for value in cleaned if isinstance(cleaned, list) else [cleaned]:
        if value is not None and not low <= Decimal(str(value)) <= high:
            raise ValueError(f"Only {low} to {high} {unit} are plausible: is it in {named}?")


def _sequence(value: object, path: str, problems: dict[str, str]) -> list[dict[str, Any]]:
    if _is_empty(value):
        return []
    if not isinstance(value, list | tuple):
        problems[path] = "A list of items is expected, each a mapping from DICOM keywords to values."
        return []
    items = [_item(item, f"{path}[{index}]", problems) for index, item in enumerate(value)]
    return [item for item in items if item]


def _values(tag: BaseTag, vr: str, given: list[Any] | tuple[Any, ...]) -> list[Any] | None:
    values = [cleaned for value in given if not _is_empty(cleaned := _single(vr, value))]
    if not values:
        return None
    multiplicity = dictionary_VM(tag)
    if not _allows(multiplicity, len(values)):
        raise ValueError(f"{len(values)} values are given where the dictionary allows {multiplicity}.")
    return values


def _allows(multiplicity: str, count: int) -> bool:
    """Return whether a multiplicity such as `1`, `1-3`, `1-n` or `2-2n` (PS3.5 6.4) allows so many values."""
    low, high, open_end = _bounds(multiplicity)
    if count < low:
        return False
    if open_end:
        return count % (high or 1) == 0
    return count <= (high or low)


def _bounds(multiplicity: str) -> tuple[int, int, bool]:
    match = _MULTIPLICITY.fullmatch(multiplicity)
    if match is None:
        raise LookupError(f"{multiplicity} is not a value multiplicity")
    low, high, open_end = match.groups()
    return int(low), int(high or 0), bool(open_end)


def _single(vr: str, value: object) -> str | float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("Text or a number is expected.")
    if vr in representations.BINARY:
        return _number(vr, value)
    cleaned = _clean_text(vr, value) if isinstance(value, str) else value
    if cleaned == "":
        return None
    sentence = representations.problem(vr, representations.to_text(vr, cleaned))
    if sentence:
        raise ValueError(sentence)
    return cleaned


def _clean_text(vr: str, value: str) -> str:
    """Strip the spaces that are padding: in paragraphs the leading ones are not (PS3.5 6.2)."""
    value = unicodedata.normalize("NFC", value)
    padding = representations.PADDING
    return value.rstrip(padding) if vr in representations.PARAGRAPHS else value.strip(padding)


def _number(vr: str, value: str | int | float) -> float | None:
    if isinstance(value, str):
        if not value.strip():
            return None
        value = _parsed(vr, value.strip())
    sentence = representations.number_problem(vr, value)
    if sentence:
        raise ValueError(sentence)
    return value


def _parsed(vr: str, text: str) -> float:
    try:
        return float(text) if vr in representations.FLOATS else int(text)
    except ValueError:
        raise ValueError("A number is expected.") from None


def _is_empty(value: object) -> bool:
    return value is None or value == "" or value == [] or value == ()
