"""A stored data set is written out for people, a line for each attribute.

Items are indented below their sequence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydicom.datadict import dictionary_description, dictionary_has_tag

from worklist.dicom import json_model
from worklist.dicom.json_model import DataSet

MOST_ITEMS = 25  # of one sequence: a series may refer to thousands of images
INDENT = "   "


def as_text(dataset: DataSet) -> str:
    return "\n".join(_lines(dataset, ""))


def _lines(dataset: DataSet, indent: str) -> Iterator[str]:
    for key, element in sorted(dataset.items()):
        tag = int(key, 16)
        heading = f"{indent}({key[:4]},{key[4:]}) {element['vr']} {_name(tag)}"
        if element["vr"] != "SQ":
            yield f"{heading}: {_value(element)}"
            continue
        items = json_model.items(element)
        yield f"{heading}: {len(items)} item{'' if len(items) == 1 else 's'}"
        for number, item in enumerate(items[:MOST_ITEMS], start=1):
            yield f"{indent}{INDENT}Item {number}"
            yield from _lines(item, indent + 2 * INDENT)
        if len(items) > MOST_ITEMS:
            yield f"{indent}{INDENT}and {len(items) - MOST_ITEMS} more"


def _name(tag: int) -> str:
    return dictionary_description(tag) if dictionary_has_tag(tag) else "Unknown attribute"


def _value(element: Any) -> str:
    if binary := element.get("InlineBinary"):
        return f"{len(binary.rstrip('=')) * 3 // 4} bytes"
    return " \\ ".join(json_model.texts(element))
