"""Answers are built here the slow way: a pydicom Dataset of a request and a record, written by pydicom.

It follows PS3.4 K.4.1.1.3.2 and Table K.6-1 on its own, without the code of `worklist.dicom.encoding`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from io import BytesIO
from typing import Any

from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

from worklist.dicom.encoding import EncodedAnswer
from worklist.dicom.item_attributes import BY_KEYWORD, ROOT_ATTRIBUTES, STEP_ATTRIBUTES, ItemAttribute

NOT_RETURNED = {0x00080005, 0x00080052, 0x00080201, 0x0040A390}
STEP_SEQUENCE = 0x00400100
CODES = ("CodeValue", "LongCodeValue", "URNCodeValue")


def write(dataset: Dataset, *, implicit_vr: bool) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = implicit_vr
    buffer.is_little_endian = True
    write_dataset(buffer, dataset)
    return buffer.getvalue()


def read(identifier: bytes, *, implicit_vr: bool) -> Dataset:
    dataset = read_dataset(BytesIO(identifier), implicit_vr, is_little_endian=True)
    dataset.walk(lambda _, element: element.value)
    return dataset


def expected(request: Dataset, record: Mapping[str, Any], *, implicit_vr: bool) -> EncodedAnswer:
    """Return the answer in the first character set that holds it.

    These are none, the request's, ISO_IR 100 and ISO_IR 192.
    """
    builder = _Builder(record)
    answer = builder.root(request)
    asked = request.get("SpecificCharacterSet") or ""
    for character_set in ("", asked, "ISO_IR 100", "ISO_IR 192"):
        if character_set:
            answer.SpecificCharacterSet = character_set
        if _holds(character_set, builder.texts):
            return EncodedAnswer(write(answer, implicit_vr=implicit_vr), builder.complete)
    raise AssertionError("ISO_IR 192 holds every text")


def _holds(character_set: str | Iterable[str], texts: Iterable[str]) -> bool:
    """Return whether pydicom reads back what it writes; its default repertoire is wider than ASCII."""
    terms = [character_set] if isinstance(character_set, str) else list(character_set)
    extended = [character for text in texts for character in text if not character.isascii()]
    if not terms[0] and any(character <= "\xff" or len(terms) == 1 for character in extended):
        return False
    return all(_reads_back(terms, text) for text in set(texts))


def _reads_back(terms: list[str], text: str) -> bool:
    tag, vr = (0x00100010, "PN") if "^" in text or "=" in text else (0x00104000, "LT")
    written = Dataset()
    written.SpecificCharacterSet = terms
    written.add_new(tag, vr, text)
    try:
        return str(read(write(written, implicit_vr=False), implicit_vr=False)[tag].value) == text
    except (UnicodeError, TypeError):  # pydicom fails to raise the first one with the tag in its message
        return False


class _Builder:
    def __init__(self, record: Mapping[str, Any]) -> None:
        self.record = record
        self.extra: Mapping[str, Any] = record["extra_attributes"]
        self.complete = True
        self.texts: list[str] = []

    def root(self, request: Dataset) -> Dataset:
        answer = Dataset()
        table = {attribute.tag: attribute for attribute in ROOT_ATTRIBUTES}
        for tag in _asked(request):
            if tag == STEP_SEQUENCE:
                answer.add_new(tag, "SQ", [self.step(_keys(request, tag))])
            elif tag in table:
                self.add(answer, table[tag], _keys(request, tag))
            elif _may_be_extra(tag):
                self.add_stored(answer, tag, self.extra, _keys(request, tag), None)
            else:
                self.add_unsupported(answer, request, tag)
        return answer

    def step(self, keys: Dataset | None) -> Dataset:
        item = Dataset()
        table = {attribute.tag: attribute for attribute in STEP_ATTRIBUTES}
        if keys is None:
            for attribute in STEP_ATTRIBUTES:
                self.add(item, attribute, None, optional=attribute.return_type not in ("1", "2"))
            return item
        for tag in _asked(keys):
            if tag in table:
                self.add(item, table[tag], _keys(keys, tag))
            elif _may_be_extra(tag):
                self.add_stored(item, tag, self.extra, _keys(keys, tag), None)
            else:
                self.add_unsupported(item, keys, tag)
        return item

    def value(self, attribute: ItemAttribute) -> Any:
        if attribute.field is None and (stored := self.stored(attribute.keyword)):
            return stored
        if attribute.derive is not None:
            return attribute.derive(self.record)
        if attribute.field is not None:
            return self.record[attribute.field]
        return self.extra.get(attribute.keyword)

    def stored(self, keyword: str) -> Any:
        """Return what is stored; a protocol's code has its scheme, the item's if none, or is not sent."""
        stored = self.extra.get(keyword)
        if keyword != "ScheduledProtocolCodeSequence" or not stored:
            return stored
        found = []
        for code in stored:
            needs_one = any(code.get(value) for value in CODES[:2])
            scheme = code.get("CodingSchemeDesignator") or self.record["hisris_coding_designator"]
            if scheme or not needs_one:
                found.append({**code, "CodingSchemeDesignator": scheme} if needs_one else code)
        return found

    def add(
        self, dataset: Dataset, attribute: ItemAttribute, keys: Dataset | None, *, optional: bool = False
    ) -> None:
        listed = {item.tag: item for item in attribute.items} or None
        optional = optional or attribute.return_type == "1C"
        self.put(dataset, attribute.tag, self.value(attribute), keys, listed, optional=optional)

    def add_stored(
        self,
        dataset: Dataset,
        tag: BaseTag,
        stored: Mapping[str, Any],
        keys: Dataset | None,
        listed: dict[BaseTag, ItemAttribute] | None,
        *,
        optional: bool = False,
    ) -> None:
        self.put(dataset, tag, stored.get(keyword_for_tag(tag)), keys, listed, optional=optional)

    def add_unsupported(self, dataset: Dataset, request: Dataset, tag: BaseTag) -> None:
        self.complete = False
        vr = dictionary_VR(tag) if dictionary_has_tag(tag) else request[tag].VR
        if vr == "OB or OW":
            vr = "OW"  # pydicom would look at the image for it
        dataset.add_new(tag, vr, request[tag].value if tag.is_private_creator else None)

    def put(
        self,
        dataset: Dataset,
        tag: BaseTag,
        value: Any,
        keys: Dataset | None,
        listed: dict[BaseTag, ItemAttribute] | None,
        *,
        optional: bool,
    ) -> None:
        vr = dictionary_VR(tag)
        if vr == "SQ":
            self.complete &= not _asks_for_the_unknown(keys)
            value = self.items(value or [], keys, listed)
        if value in (None, "", []):
            if not optional:
                dataset.add_new(tag, vr, [] if vr == "SQ" else None)
            return
        if vr != "SQ":
            value = [self.one(vr, one) for one in _several(tag, value)]
        dataset.add_new(tag, vr, value)

    def items(
        self,
        stored: list[Mapping[str, Any]],
        keys: Dataset | None,
        listed: dict[BaseTag, ItemAttribute] | None,
    ) -> list[Dataset]:
        items = [self.item(one, keys, listed) for one in stored]
        return [item for item in items if item]

    def item(
        self, stored: Mapping[str, Any], keys: Dataset | None, listed: dict[BaseTag, ItemAttribute] | None
    ) -> Dataset:
        item = Dataset()
        if keys is None:
            for keyword in stored:
                self.add_stored(item, Tag(keyword), stored, None, None, optional=True)
            return item
        codes = [code for code in CODES if code in keys]
        if "CodeValue" in codes and not any(stored.get(code) for code in codes):
            return item
        for tag in _asked(keys):
            if not dictionary_has_tag(tag):
                self.add_unsupported(item, keys, tag)
                continue
            attribute = (listed or {}).get(tag)
            inner = {one.tag: one for one in attribute.items} if attribute else None
            optional = attribute is not None and attribute.return_type == "1C"
            self.add_stored(item, tag, stored, _keys(keys, tag), inner or None, optional=optional)
        return item

    def one(self, vr: str, value: Any) -> Any:
        if vr in ("LO", "LT", "PN", "SH", "ST", "UC", "UT"):
            self.texts.append(str(value))
        if isinstance(value, date):
            return value.isoformat().replace("-", "")
        if isinstance(value, time):
            return value.isoformat().replace(":", "")
        if isinstance(value, Decimal):
            return str(int(value)) if value == int(value) else str(value).rstrip("0")
        if vr == "AT":
            return Tag(int(value, 16))
        if vr in ("DS", "IS"):
            return str(value)
        return value


def _asked(request: Dataset) -> list[BaseTag]:
    return [Tag(tag) for tag in sorted(request.keys()) if tag & 0xFFFF and tag not in NOT_RETURNED]


def _may_be_extra(tag: BaseTag) -> bool:
    """Return whether an item may have it beside the table: of the dictionary, and no bytes."""
    known = dictionary_has_tag(tag) and keyword_for_tag(tag) not in BY_KEYWORD
    return known and not dictionary_VR(tag).startswith(("O", "UN", "US or"))


def _keys(request: Dataset, tag: BaseTag) -> Dataset | None:
    value = request[tag].value
    if not isinstance(value, Sequence) or not value or not _asked(value[0]):
        return None
    return value[0]


def _asks_for_the_unknown(keys: Dataset | None) -> bool:
    """Return whether there is a key, at any depth, that no stored item can have."""
    if keys is None:
        return False
    return any(not dictionary_has_tag(tag) or _asks_for_the_unknown(_keys(keys, tag)) for tag in _asked(keys))


def _several(tag: BaseTag, value: Any) -> list[Any]:
    if tag == tag_for_keyword("ScheduledStationAETitle"):
        return list(value.split("\\"))
    return value if isinstance(value, list) else [value]
