"""An attribute that is sent again repeats what is stored where no value of it differs.

Padding, the writing of numbers, days and names, and the value representation make no difference. What is
empty or absent contradicts nothing. Data sets are in the DICOM JSON Model.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from worklist.dicom import json_model, moments, person_name, representations
from worklist.dicom.json_model import DataSet

NUMBERS = frozenset({"DS", "IS", *representations.BINARY}) - {"AT"}


def repeats(sent: Any, kept: Any) -> bool:
    """Return whether no value that was sent differs from what is kept."""
    if json_model.items(sent):
        return _repeats_items(json_model.items(sent), json_model.items(kept))
    texts = _texts(sent)
    return not texts or _comparable(texts, sent, kept) == _comparable(_texts(kept), sent, kept)


def _repeats_items(sent: list[DataSet], kept: list[DataSet]) -> bool:
    """Return whether each item repeats another one, in whatever order, and none is left."""
    sent, kept = list(filter(_says_something, sent)), list(filter(_says_something, kept))
    if sent and len(sent) != len(kept):
        return False
    for item in sent:
        same = next((each for each in kept if _repeats_item(item, each)), None)
        if same is None:
            return False
        kept.remove(same)
    return True


def _repeats_item(sent: DataSet, kept: DataSet) -> bool:
    return all(repeats(element, kept.get(key)) for key, element in sent.items())


def _says_something(item: DataSet) -> bool:
    return any(
        any(map(_says_something, json_model.items(element))) or _texts(element) for element in item.values()
    )


def _texts(element: Any) -> list[str]:
    """Return the values as text without padding; what is empty at the end says nothing."""
    if isinstance(element, dict) and "InlineBinary" in element:
        texts = _decoded(base64.b64decode(element["InlineBinary"])).split("\\")
    else:
        texts = json_model.texts(element)
    texts = [unicodedata.normalize("NFC", text).strip(" \0") for text in texts]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _comparable(texts: list[str], *elements: Any) -> list[object]:
    """Return what the texts mean in the more telling of the elements' representations."""
    told = {element["vr"] for element in elements if isinstance(element, dict)}
    means = next((meaning for vrs, meaning in _MEANINGS if told & vrs), str)
    return [_meaning(text, means) for text in texts]


def _meaning(text: str, means: Callable[[str], object]) -> object:
    try:
        return means(text)
    except (ValueError, InvalidOperation):  # it is no such value: its letters count
        return text


def _number(text: str) -> object:
    number = Decimal(text)
    return number if number.is_finite() else text


def _name(text: str) -> object:
    groups = ["^".join(part.strip() for part in group.split("^")).rstrip("^") for group in text.split("=")]
    return tuple(groups + [""] * (len(person_name.GROUPS) - len(groups)))


_MEANINGS: tuple[tuple[frozenset[str], Callable[[str], object]], ...] = (
    (frozenset({"DA"}), moments.date_range),
    (frozenset({"TM"}), moments.time_range),
    (frozenset({"PN"}), _name),
    (NUMBERS, _number),
)
