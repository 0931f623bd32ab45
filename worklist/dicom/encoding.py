"""Answers to a Modality Worklist query are encoded by a plan that its keys are compiled to once.

PS3.4 K.4.1.1.3.2: only the requested attributes are returned, and Specific Character Set where it is
needed. pydicom's Dataset is not built: it costs about thirty times as much for each item.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, groupby
from typing import NamedTuple

from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.tag import BaseTag, Tag

from worklist.dicom import character_sets, elements, item_attributes, request_keys
from worklist.dicom.answer_elements import (
    Element,
    EncodingAttempt,
    EncodingError,
    Frame,
    Read,
    Stored,
    reader,
    sequence_element,
    stored_elements,
    stored_reader,
    value_element,
)
from worklist.dicom.character_sets import CharacterSet, Transliterating
from worklist.dicom.item_attributes import ItemAttribute, Place
from worklist.dicom.output_rules import OutputRules
from worklist.dicom.values import Record

__all__ = ["AnswerParts", "AnswerPlan", "EncodedAnswer", "EncodingError"]

CHARACTER_SET = Tag("SpecificCharacterSet")
NO_RULES = OutputRules()
CODES = frozenset({"CodeValue", "LongCodeValue", "URNCodeValue"})


class EncodedAnswer(NamedTuple):
    identifier: bytes
    complete: bool  # as its plan
    departure: str = ""  # how it is not in the device's own character set as it is stored


class AnswerParts(NamedTuple):
    """An identifier is in these parts, each of whole elements: answers have many of them in common."""

    before: list[bytes]  # Specific Character Set
    character_set: bytes  # none where it needs none
    after: list[bytes]
    departure: str  # as of EncodedAnswer

    @property
    def identifier(self) -> bytes:
        return b"".join(chain(self.before, (self.character_set,), self.after))


class AnswerPlan:
    """A plan says how the items of one query are answered.

    `identifier` is the request's, as pydicom decoded it; `rules` are those of who asks. It is `complete`
    where every attribute that is asked for is supported for existence (PS3.4 C.2.2.1.3): an item could have
    it there, and it is returned, of zero length where it is not known.
    """

    def __init__(self, identifier: Dataset, *, implicit_vr: bool, rules: OutputRules = NO_RULES) -> None:
        self._implicit_vr = implicit_vr
        self._rules = rules
        self.complete = True
        self._stored_elements: dict[str, Element] = {}
        keys = request_keys.keys(identifier)
        self._before = self._root_elements(identifier, [tag for tag in keys if tag < CHARACTER_SET])
        self._after = self._root_elements(identifier, [tag for tag in keys if tag > CHARACTER_SET])
        self._character_sets = [
            (character_set, exact, self._character_set_element(character_set))
            for character_set, exact in self._candidates(identifier)
        ]

    def encode(self, record: Record) -> EncodedAnswer:
        """Return the item's answer. Raises EncodingError when a value of the item cannot be sent."""
        parts = self.parts(record)
        return EncodedAnswer(parts.identifier, self.complete, parts.departure)

    def parts(self, record: Record) -> AnswerParts:
        """Return the item's answer in its parts. Raises as `encode` does."""
        record = self._rules.applied(record)
        stored = record["extra_attributes"] or {}
        if not isinstance(stored, Mapping):
            raise EncodingError("extra_attributes")
        for character_set, exact, announced in self._character_sets:
            answering = EncodingAttempt(record, character_set, exact)
            try:
                before = [element(answering, stored) for element in self._before]
                after = [element(answering, stored) for element in self._after]
            except UnicodeEncodeError:
                continue
            return AnswerParts(before, announced, after, self._departure(character_set))
        raise EncodingError("SpecificCharacterSet")

    def _candidates(self, identifier: Dataset) -> list[tuple[CharacterSet, CharacterSet]]:
        """Return the character sets in the order of trial, each with the one for identifiers."""
        terms = self._rules.character_set
        if terms:
            found = character_sets.candidates_of_a_device(terms, transliterates=self._rules.transliterates)
        else:
            found = character_sets.candidates(request_keys.requested_character_set(identifier))
        return [(each, each.exact if isinstance(each, Transliterating) else each) for each in found]

    def _departure(self, character_set: CharacterSet) -> str:
        if isinstance(character_set, Transliterating):
            return "without accents, or without further component groups of a name"
        own = "\\".join(self._rules.character_set)
        return f"in {character_set.terms}" if own and character_set.terms not in ("", own) else ""

    def _character_set_element(self, character_set: CharacterSet) -> bytes:
        if not character_set.terms:
            return b""
        value = character_set.terms.encode("ascii")
        return self._frame(CHARACTER_SET, "CS")(value + b" " * (len(value) % 2))

    def _root_elements(self, identifier: Dataset, tags: Sequence[BaseTag]) -> list[Element]:
        return _merged(Place.ROOT, tags, lambda tag: self._root_element(identifier, tag))

    def _root_element(self, identifier: Dataset, tag: BaseTag) -> Element:
        if tag == item_attributes.STEP_SEQUENCE.tag:
            return self._step_sequence(request_keys.first_item(identifier, tag))
        attribute = item_attributes.BY_PLACE[Place.ROOT].get(tag)
        if attribute is not None:
            return self._attribute_element(attribute, request_keys.first_item(identifier, tag))
        return self._unlisted(identifier, tag, elsewhere=Place.STEP)

    def _step_sequence(self, keys: Dataset | None) -> Element:
        if keys is None:
            inner = self._every_step_attribute()
        else:
            inner = _merged(Place.STEP, request_keys.keys(keys), lambda tag: self._step_element(keys, tag))
        frame = self._frame(item_attributes.STEP_SEQUENCE.tag, "SQ")

        def element(answering: EncodingAttempt, stored: Stored) -> bytes:
            return frame(elements.item(b"".join([key(answering, stored) for key in inner])))

        return element

    def _every_step_attribute(self) -> list[Element]:
        """Return what universal matching of the sequence returns: what has a value, and types 1 and 2."""
        table = item_attributes.BY_PLACE[Place.STEP]

        def element(tag: BaseTag) -> Element:
            left_out_empty = table[tag].return_type not in {"1", "2"}
            return self._attribute_element(table[tag], None, left_out_empty=left_out_empty)

        return _merged(Place.STEP, sorted(table), element)

    def _step_element(self, keys: Dataset, tag: BaseTag) -> Element:
        attribute = item_attributes.BY_PLACE[Place.STEP].get(tag)
        if attribute is None:
            return self._unlisted(keys, tag, elsewhere=Place.ROOT)
        return self._attribute_element(attribute, request_keys.first_item(keys, tag))

    def _attribute_element(
        self, attribute: ItemAttribute, keys: Dataset | None, *, left_out_empty: bool | None = None
    ) -> Element:
        if left_out_empty is None:
            left_out_empty = attribute.return_type == "1C"
        return self._element(attribute.tag, reader(attribute), attribute, keys, left_out_empty=left_out_empty)

    def _unlisted(self, keys: Dataset, tag: BaseTag, *, elsewhere: Place) -> Element:
        """Return an element for an attribute that the table has not at this place.

        One that it has elsewhere is not known here, whatever is stored.
        """
        if tag in item_attributes.BY_PLACE[elsewhere] or not _is_writable(tag):
            return self._unsupported(keys, tag)
        return self._stored(keys, tag)

    def _stored(self, keys: Dataset, tag: BaseTag) -> Element:
        """Return an element for what is stored under its keyword, if anything is."""
        read = stored_reader(keyword_for_tag(tag))
        return self._element(tag, read, None, request_keys.first_item(keys, tag), left_out_empty=False)

    def _unsupported(self, keys: Dataset, tag: BaseTag) -> Element:
        """Return an element of zero length, in the VR of the request, for what no item has."""
        self.complete = False
        content = self._frame(tag, request_keys.requested_vr(keys, tag))(
            request_keys.private_creator(keys, tag)
        )
        return lambda answering, stored: content

    def _element(
        self,
        tag: BaseTag,
        read: Read,
        attribute: ItemAttribute | None,
        keys: Dataset | None,
        *,
        left_out_empty: bool,
    ) -> Element:
        vr = dictionary_VR(tag)
        frame = self._frame(tag, vr)
        absent = b"" if left_out_empty else frame(b"")
        if vr == "SQ":
            encode_item = self._item(attribute, keys)
            return sequence_element(keyword_for_tag(tag), read, encode_item, frame, absent)
        return value_element(keyword_for_tag(tag), vr, read, frame, absent)

    def _item(self, sequence: ItemAttribute | None, keys: Dataset | None) -> Element:
        """Return the content of one stored item: the keys' attributes, or without keys all that it has."""
        if keys is None:
            return self._whole_item
        listed = {attribute.tag: attribute for attribute in sequence.items} if sequence else {}
        inner = [self._item_element(listed, keys, tag) for tag in request_keys.keys(keys)]
        codes = CODES & {keyword_for_tag(tag) for tag in request_keys.keys(keys)}
        needs_code = "CodeValue" in codes

        def element(answering: EncodingAttempt, stored: Stored) -> bytes:
            # A meaning without its code would be taken for a code: the item is left out.
            if needs_code and not any(stored.get(keyword) for keyword in codes):
                return b""
            return b"".join([key(answering, stored) for key in inner])

        return element

    def _item_element(self, listed: Mapping[BaseTag, ItemAttribute], keys: Dataset, tag: BaseTag) -> Element:
        attribute = listed.get(tag)
        if attribute is not None:
            return self._attribute_element(attribute, request_keys.first_item(keys, tag))
        if not _is_writable(tag):
            return self._unsupported(keys, tag)
        return self._stored(keys, tag)

    def _whole_item(self, answering: EncodingAttempt, stored: Stored) -> bytes:
        tags = sorted((_tag(keyword), keyword) for keyword in stored)
        return b"".join([self._stored_element(tag, keyword)(answering, stored) for tag, keyword in tags])

    def _stored_element(self, tag: BaseTag, keyword: str) -> Element:
        element = self._stored_elements.get(keyword)
        if element is None:
            element = self._element(tag, stored_reader(keyword), None, None, left_out_empty=True)
            self._stored_elements[keyword] = element
        return element

    def _frame(self, tag: BaseTag, vr: str) -> Frame:
        return elements.framing(tag, vr, implicit_vr=self._implicit_vr)


def _merged(place: Place, tags: Sequence[BaseTag], made: Callable[[BaseTag], Element]) -> list[Element]:
    """Return the elements of ascending tags, neighbours that no field holds as one: most items have none."""
    table = item_attributes.BY_PLACE[place]
    found: list[Element] = []
    for is_stored, some in groupby(tags, lambda tag: tag not in table or table[tag].is_stored_alone):
        neighbours = list(some)
        each = [made(tag) for tag in neighbours]
        found += [stored_elements(map(keyword_for_tag, neighbours), each)] if is_stored else each
    return found


def _is_writable(tag: BaseTag) -> bool:
    """Return whether an item can have the attribute at all (`worklist.dicom.extra`)."""
    if not dictionary_has_tag(tag):
        return False
    vr = dictionary_VR(tag)
    return vr == "SQ" or elements.writer(vr) is not None


def _tag(keyword: str) -> BaseTag:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise EncodingError(keyword)
    return Tag(tag)
