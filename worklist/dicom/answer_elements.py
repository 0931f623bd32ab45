"""The elements of an answer are compiled once each, and then written for every item."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydicom.datadict import dictionary_VM

from worklist.dicom import elements
from worklist.dicom.character_sets import UTF_8, CharacterSet
from worklist.dicom.item_attributes import ItemAttribute
from worklist.dicom.values import Record

Stored = Mapping[str, Any]  # keyword to value: extra_attributes, or an item of a sequence in it
Read = Callable[[Record, Stored], Any]
Frame = Callable[[bytes], bytes]

_UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class EncodingError(Exception):
    """An item's value of the attribute `keyword` cannot be sent: the item is left out of the answers."""

    def __init__(self, keyword: str) -> None:
        super().__init__(f"the value of {keyword} cannot be encoded")
        self.keyword = keyword


class EncodingAttempt:
    """An item is encoded in one character set at a time; each time is one attempt."""

    __slots__ = ("character_set", "exact", "record")

    def __init__(self, record: Record, character_set: CharacterSet, exact: CharacterSet) -> None:
        self.record = record
        self.character_set = character_set
        self.exact = exact  # the same one, and it never rewrites


# The bytes of one element; none where it is left out.
Element = Callable[[EncodingAttempt, Stored], bytes]


def identifies(keyword: str, vr: str) -> bool:
    """Return whether a value is an ID, a code or the like, which rewritten would be another one."""
    return vr == "SH" or keyword.endswith(("ID", "Identifier", "CodeValue", "BarcodeValue"))


def value_element(keyword: str, vr: str, read: Read, frame: Frame, absent: bytes) -> Element:
    write, pad, separator = elements.writer(vr), elements.padding(vr), elements.separator(vr)
    if write is None:
        raise EncodingError(keyword)
    is_exact = identifies(keyword, vr)

    def element(answering: EncodingAttempt, stored: Stored) -> bytes:
        try:
            value = read(answering.record, stored)
            if not value and value != 0:
                return absent
            character_set = answering.exact if is_exact else answering.character_set
            if not isinstance(value, list):
                encoded = write(value, character_set)
            elif separator is None:
                raise EncodingError(keyword)
            else:
                encoded = separator.join([write(one, character_set) for one in value])
            return frame(encoded + pad if len(encoded) & 1 else encoded)
        except UnicodeEncodeError:
            raise
        except _UNREADABLE:
            raise EncodingError(keyword) from None

    return element


def sequence_element(keyword: str, read: Read, encode_item: Element, frame: Frame, absent: bytes) -> Element:
    def element(answering: EncodingAttempt, stored: Stored) -> bytes:
        items = read(answering.record, stored)
        if not items:
            return absent
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise EncodingError(keyword)
        contents = [encode_item(answering, item) for item in items]
        encoded = b"".join([elements.item(content) for content in contents if content])
        return frame(encoded) if encoded else absent

    return element


def stored_elements(keywords: Iterable[str], made: Sequence[Element]) -> Element:
    """Return as one the elements of what is stored under these keywords, if anything is."""
    named = frozenset(keywords)
    nothing = EncodingAttempt({}, UTF_8, UTF_8)
    absent = b"".join([element(nothing, {}) for element in made])

    def element(answering: EncodingAttempt, stored: Stored) -> bytes:
        if named.isdisjoint(stored):
            return absent
        return b"".join([each(answering, stored) for each in made])

    return element


def reader(attribute: ItemAttribute) -> Read:
    keyword, field, derive = attribute.keyword, attribute.field, attribute.derive
    if derive is not None:
        made = derive
        if field is not None:
            return lambda record, stored: made(record)
        if (complete := attribute.completed) is not None:
            return lambda record, stored: complete(record, stored.get(keyword)) or made(record)
        return lambda record, stored: stored.get(keyword) or made(record)
    if field is None:
        return stored_reader(keyword)
    column = field
    if dictionary_VM(attribute.tag) == "1":
        return lambda record, stored: record[column]
    return lambda record, stored: [value for value in (record[column] or "").split("\\") if value]


def stored_reader(keyword: str) -> Read:
    return lambda record, stored: stored.get(keyword)
