"""A query's identifier says which attributes it asks for (PS3.4 K.4.1.1.3.1)."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

from worklist.dicom import item_attributes
from worklist.dicom.representations import FIRST_GROUP_OF_DATA_SETS

# Said of the query itself, or of another information model: nothing to match, return or complain of.
NO_KEYS = frozenset(
    {Tag("QueryRetrieveLevel"), *(attribute.tag for attribute in item_attributes.IDENTIFIER_ATTRIBUTES)}
)


def keys(identifier: Dataset) -> list[BaseTag]:
    """Return the attributes that a request asks for, ascending; group lengths say nothing (PS3.5 7.2)."""
    return sorted(
        tag
        for tag in map(Tag, identifier.keys())
        if tag.element and tag.group >= FIRST_GROUP_OF_DATA_SETS and tag not in NO_KEYS
    )


def first_item(identifier: Dataset, tag: BaseTag) -> Dataset | None:
    """Return the keys within a sequence, or None where it asks for all: zero length or an empty item."""
    if not dictionary_has_tag(tag) or dictionary_VR(tag) != "SQ":
        return None
    items = identifier[tag].value
    return items[0] if isinstance(items, Sequence) and items and keys(items[0]) else None


def requested_vr(identifier: Dataset, tag: BaseTag) -> str:
    vr = dictionary_VR(tag) if dictionary_has_tag(tag) else identifier.get_item(tag).VR or "UN"
    return "OW" if vr == "OB or OW" else vr[:2]  # of several, the one that a zero length is written as


def private_creator(identifier: Dataset, tag: BaseTag) -> bytes:
    """Give a private creator back: it says whose the requested private attributes are."""
    if not tag.is_private_creator:
        return b""
    value = identifier[tag].value
    encoded = value.encode("ascii") if isinstance(value, str) and value.isascii() else b""
    return encoded + b" " * (len(encoded) % 2)


def requested_character_set(identifier: Dataset) -> Iterable[str]:
    value = identifier.get("SpecificCharacterSet")
    if not value:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
