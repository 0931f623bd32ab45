"""A stored data set is written out for people, a line for each attribute.

Items are indented below their sequence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydicom.datadict import dictionary_description, dictionary_has_tag

from worklist.dicom import json_model
from worklist.dicom.json_model import DataSet

MOST_ITEMS = 25  # of one sequence: a series may refer to thousands of images
INDENT = "   "


def as_text(dataset: DataSet) -> str:
    return "\n".join(_lines(dataset, ""))


def shown(text: object) -> str:
    """Return the text as HTML that a keyboard can scroll."""
    return format_html(
        '<pre class="dataset" tabindex="0" role="group" aria-label="{}">{}</pre>', _("Data set"), text
    )


def _lines(dataset: DataSet, indent: str) -> Iterator[str]:
    for key, element in sorted(dataset.items()):
        tag = int(key, 16)
        heading = f"{indent}({key[:4]},{key[4:]}) {element['vr']} {_name(tag)}"
        if element["vr"] != "SQ":
            yield f"{heading}: {_value(element)}"
            continue
        items = json_model.items(element)
        count = ngettext("%(count)s item", "%(count)s items", len(items)) % {"count": len(items)}
        yield f"{heading}: {count}"
        for number, item in enumerate(items[:MOST_ITEMS], start=1):
            yield indent + INDENT + _("Item %(number)s") % {"number": number}
            yield from _lines(item, indent + 2 * INDENT)
        if len(items) > MOST_ITEMS:
            yield indent + INDENT + _("and %(count)s more") % {"count": len(items) - MOST_ITEMS}


def _name(tag: int) -> str:
    return dictionary_description(tag) if dictionary_has_tag(tag) else _("Unknown attribute")


def _value(element: Any) -> str:
    if binary := element.get("InlineBinary"):
        length = len(binary.rstrip("=")) * 3 // 4
        return ngettext("%(count)s byte", "%(count)s bytes", length) % {"count": length}
    return " \\ ".join(json_model.texts(element))
