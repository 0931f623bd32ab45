"""Data sets are written and read here as XML: the Native DICOM Model (PS3.19 A.1).

Both sides are the DICOM JSON Model, whose names of parts are nearly the same. A document that declares a type
or an entity is refused before anything of it is resolved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any
from xml.parsers import expat

from pydicom.datadict import keyword_for_tag

from worklist.dicom.json_model import PERSON_NAME_GROUPS, DataSet

NAMESPACE = "http://dicom.nema.org/PS3.19/models/NativeDICOM"
DEEPEST = 64  # elements within each other
MOST = 500_000  # elements
ROOT, ATTRIBUTE = "NativeDicomModel", "DicomAttribute"
COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")

_HEAD = f'<?xml version="1.0" encoding="UTF-8"?><{ROOT} xmlns="{NAMESPACE}" xml:space="preserve">'
_NO_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TAG = re.compile(r"[0-9A-Fa-f]{8}")


class XmlRefused(ValueError):
    """The text says what is wrong, without what was sent."""


def document(dataset: DataSet) -> str:
    """Return the data set as one document, which says that it is UTF-8."""
    return f"{_HEAD}{''.join(_attributes(dataset))}</{ROOT}>"


def _attributes(dataset: DataSet) -> Iterator[str]:
    for key, element in sorted(dataset.items()):
        tag = int(key, 16)
        keyword = keyword_for_tag(tag)
        named = f' keyword="{keyword}"' if keyword else ""
        creator = _creator(dataset, tag)
        held = "".join(_held(element))
        yield f'<{ATTRIBUTE} tag="{key}" vr="{element["vr"]}"{named}{creator}>{held}</{ATTRIBUTE}>'


def _creator(dataset: DataSet, tag: int) -> str:
    """Return who reserved the block of a private attribute, as an attribute of its element."""
    block = tag >> 8 & 0xFF
    if not tag >> 16 & 1 or not block:
        return ""
    names = dataset.get(f"{tag >> 16:04X}00{block:02X}", {}).get("Value") or [""]
    return f' privateCreator="{_text(str(names[0]))}"' if names[0] else ""


def _held(element: Mapping[str, Any]) -> Iterator[str]:
    if "InlineBinary" in element:
        yield f"<InlineBinary>{element['InlineBinary']}</InlineBinary>"
    for number, value in enumerate(element.get("Value", ()), start=1):
        if element["vr"] == "SQ":
            yield f'<Item number="{number}">{"".join(_attributes(value))}</Item>'
        elif element["vr"] == "PN":
            yield f'<PersonName number="{number}">{"".join(_name(value or {}))}</PersonName>'
        else:
            yield f'<Value number="{number}">{_text("" if value is None else str(value))}</Value>'


def _name(value: Mapping[str, str]) -> Iterator[str]:
    for group in PERSON_NAME_GROUPS:
        if text := value.get(group):
            parts = zip(COMPONENTS, text.split("^", len(COMPONENTS) - 1), strict=False)
            inner = "".join(f"<{name}>{_text(part)}</{name}>" for name, part in parts if part)
            yield f"<{group}>{inner}</{group}>"


def _text(text: str) -> str:
    """Escape what means something to XML, and replace what XML 1.0 cannot say."""
    return escape(_NO_XML.sub("\ufffd", text)).replace("\r", "&#13;")


@dataclass
class _Node:
    name: str
    attributes: dict[str, str]
    children: list[_Node] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.texts)


def read(text: bytes) -> DataSet:
    """Return the data set of a document. Raises XmlRefused; values are left as they are written."""
    root = _Builder().build(text)
    if root.name != ROOT:
        raise XmlRefused(f"The document's element is not {ROOT}.")
    return _data_set(root)


class _Builder:
    """It keeps a document's elements, names without the model's namespace."""

    def __init__(self) -> None:
        self._open: list[_Node] = []
        self._root: _Node | None = None
        self._count = 0

    def build(self, text: bytes) -> _Node:
        parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_type
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(text, True)  # noqa: FBT003  (it has no keyword)
        except expat.ExpatError as error:
            raise XmlRefused(
                f"It is not XML: {expat.ErrorString(error.code)} in line {error.lineno}, "
                f"column {error.offset + 1}."
            ) from None
        except (LookupError, ValueError) as error:  # an encoding that Python or expat does not know
            if isinstance(error, XmlRefused):
                raise
            raise XmlRefused("It is not XML in an encoding that is known: send UTF-8.") from None
        if self._root is None:
            raise XmlRefused("It is not XML.")
        return self._root

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST:
            raise XmlRefused(f"The XML has more than {MOST} elements.")
        if len(self._open) >= DEEPEST:
            raise XmlRefused(f"More than {DEEPEST} elements stand within each other.")
        node = _Node(name.removeprefix(f"{NAMESPACE}}}"), attributes)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self._root = node
        self._open.append(node)

    def _end(self, name: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        self._open[-1].texts.append(text)


def _refuse_type(*declared: object) -> None:
    raise XmlRefused("The XML declares a document type, which is refused: leave the DOCTYPE out.")


def _data_set(node: _Node) -> DataSet:
    found: DataSet = {}
    for child in node.children:
        tag = child.attributes.get("tag", "").upper()
        if child.name != ATTRIBUTE or not _TAG.fullmatch(tag):
            raise XmlRefused(f"{node.name} has something else in it than {ATTRIBUTE} with a tag.")
        if tag in found:
            raise XmlRefused(f"{_printed(tag)} stands twice in one data set: which is meant?")
        found[tag] = _element(tag, child)
    return found


def _element(tag: str, node: _Node) -> dict[str, Any]:
    vr = node.attributes.get("vr", "")
    names = {child.name for child in node.children}
    if not names:
        return {"vr": vr}
    wanted = {"SQ": "Item", "PN": "PersonName"}.get(vr, "Value")
    if names == {"InlineBinary"} and len(node.children) == 1:
        return {"vr": vr, "InlineBinary": re.sub(r"\s", "", node.children[0].text)}
    if names != {wanted}:
        raise XmlRefused(f"{_printed(tag)} is {vr[:2]}, and has something else in it than {wanted}.")
    return {"vr": vr, "Value": [_value(tag, vr, child) for child in _in_order(tag, node)]}


def _in_order(tag: str, node: _Node) -> list[_Node]:
    """Return the values by their numbers, which are from 1 to how many there are."""
    by_number = {child.attributes.get("number"): child for child in node.children}
    wanted = [str(number) for number in range(1, len(node.children) + 1)]
    if by_number.keys() != set(wanted):
        raise XmlRefused(f"{_printed(tag)} has values that are not numbered from 1, each once.")
    return [by_number[number] for number in wanted]


def _value(tag: str, vr: str, node: _Node) -> Any:
    if vr == "SQ":
        return _data_set(node)
    if vr == "PN":
        return _person_name(tag, node)
    if node.children:
        raise XmlRefused(f"{_printed(tag)} has elements in a value.")
    return node.text or None


def _person_name(tag: str, node: _Node) -> dict[str, str]:
    found = {}
    for group in node.children:
        parts = {part.name: part.text for part in group.children}
        known = group.name in PERSON_NAME_GROUPS and parts.keys() <= set(COMPONENTS)
        if not known or group.name in found or len(parts) < len(group.children):
            raise XmlRefused(f"{_printed(tag)} is no person name of {', '.join(COMPONENTS)}.")
        if any(set("^=\\") & set(text) for text in parts.values()):
            raise XmlRefused(f"{_printed(tag)} has a delimiter in a component of a name.")
        found[group.name] = "^".join(parts.get(name, "") for name in COMPONENTS).rstrip("^")
    return found


def _printed(tag: str) -> str:
    return f"({tag[:4]},{tag[4:]})"
