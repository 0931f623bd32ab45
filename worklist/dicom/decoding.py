"""Texts that others sent or wrote are decoded here: of files, queries and reports by one rule.

A text is decoded as its Specific Character Set (0008,0005) says. What is doubtful in it is said in a
sentence beside it; each door has its own rule for what becomes of a doubtful text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from pydicom import DataElement, Dataset, config
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

from worklist.dicom import code_extensions, representations
from worklist.dicom.character_sets import DEFAULT_REPERTOIRE, corrected
from worklist.dicom.code_elements import (
    EIGHT_BIT_CODECS,
    EXTENSIONS,
    JAPANESE_EIGHT_BITS,
    STAND_ALONE_CODECS,
)
from worklist.dicom.code_extensions import CodeExtensions

CHARACTER_SET = Tag("SpecificCharacterSet")

UNDECODABLE = "The text cannot be decoded in its Specific Character Set."
_NOT_GIVEN = "The text is not ASCII, and no Specific Character Set (0008,0005) is given for it"
UNDECLARED_UTF_8 = f"{_NOT_GIVEN}: it is read as UTF-8."
UNDECLARED = f"{_NOT_GIVEN}: it is read as Latin 1."
HIDES_UTF_8 = "The text is UTF-8 by its bytes, and Specific Character Set (0008,0005) says otherwise."

_ESCAPE = b"\x1b"
_PADDING = "\0 "
_NUMBERS = frozenset({"DS", "IS"})
_IN_ASCII = _NUMBERS | {"AE", "AS", "CS", "DA", "DT", "TM", "UI"}
_PRINTABLE = re.compile(rb"(?:[!-~][ -~]*)?[ \0]*")
# Not one of these is UTF-8 by accident where A0 to BF are signs and no letters. A capital letter may stand
# before a no-break space, an accent, a soft hyphen, a middle dot or an ordinal indicator.
_SIGNS = re.compile(
    rb"[\xc2-\xc5][\x80-\xbf]|[\xc6-\xdf][\x80-\x9f\xa1-\xa9\xab\xac\xae-\xb3\xb5\xb6\xb8\xb9\xbb-\xbf]"
    rb"|[\xe0-\xf4][\x80-\xbf]{2,3}"
)
_WITH_SIGNS = frozenset({"iso8859_1", "iso8859_9"})
_CONTROL = re.compile(rb"[\x80-\x9f]")  # of eight bits: no text has them


class DecodedText(NamedTuple):
    text: str
    doubt: str | None


class PlainText(NamedTuple):
    vr: str
    text: str


class DecodedElement(NamedTuple):
    element: DataElement
    doubt: str | None


class TextDecoder:
    """This decodes the texts of a data set that declares these terms. Raises LookupError for unknown ones."""

    def __init__(self, terms: tuple[str, ...]) -> None:
        given = [corrected(term) for term in terms]
        self.is_declared = not all(term in DEFAULT_REPERTOIRE for term in given)
        self._codec, self._extensions = "", None
        if given[:1] and given[0] in STAND_ALONE_CODECS:
            self._codec = STAND_ALONE_CODECS[given[0]]
            return
        # One that stands alone is no code extension, and says nothing beside others.
        given = [term for term in given if term not in STAND_ALONE_CODECS]
        for term in given:
            if term not in DEFAULT_REPERTOIRE | EIGHT_BIT_CODECS.keys() | {JAPANESE_EIGHT_BITS, *EXTENSIONS}:
                raise LookupError("This Specific Character Set is not known.")
        if self.is_declared:
            self._codec = EIGHT_BIT_CODECS.get(given[0].replace("ISO 2022 IR ", "ISO_IR "), "")
            if given[0] not in EIGHT_BIT_CODECS or len(given) > 1:
                self._extensions = CodeExtensions(given, extensible=given != [JAPANESE_EIGHT_BITS])

    def decode(self, value: bytes, vr: str) -> DecodedText:
        """Return the text, its delimiters and padding included."""
        if not self.is_declared:
            return _undeclared(value)
        if self._extensions is not None and (_ESCAPE in value or not self._codec):
            return self._with_extensions(self._extensions, value, vr)
        if _ESCAPE in value:
            return DecodedText(_replaced(value, self._codec), UNDECODABLE)
        try:
            text = value.decode(self._codec)
        except UnicodeDecodeError:
            return DecodedText(_replaced(value, self._codec), UNDECODABLE)
        return DecodedText(text, HIDES_UTF_8 if self._hides_utf_8(value, text) else None)

    def _with_extensions(self, extensions: CodeExtensions, value: bytes, vr: str) -> DecodedText:
        if _ESCAPE not in value:
            if value.isascii() and extensions.begins_with_ascii:
                return DecodedText(value.decode("ascii"), None)
            if not extensions.has_high_bytes_first and not value.isascii():
                return _undeclared(value)
        try:
            return DecodedText(extensions.decode(value, _delimiters(vr)), None)
        except UnicodeDecodeError:
            return DecodedText(_replaced(value, "ascii"), UNDECODABLE)

    def _hides_utf_8(self, value: bytes, text: str) -> bool:
        """Return whether the bytes are UTF-8 for certain, though said to be of a set of one byte each."""
        if value.isascii() or self._codec not in EIGHT_BIT_CODECS.values():
            return False
        try:
            meant = value.decode("utf-8")
        except UnicodeDecodeError:
            return False
        if _CONTROL.search(value):
            return True
        if self._codec in _WITH_SIGNS:
            return _SIGNS.search(value) is not None
        # ZIÓŁ is UTF-8 by accident in Latin 2, and means nothing so; DĹŽ is so as well, and means DŮ.
        return _fits(meant, self._codec) and not text.isupper()


@lru_cache(maxsize=256)
def decoder_of(terms: tuple[str, ...]) -> TextDecoder:
    return TextDecoder(terms)


NOTHING_DECLARED = TextDecoder(())


def element(dataset: Dataset, tag: BaseTag) -> DecodedElement:
    """Return one attribute, decoded. Raises what pydicom raises for a value that is no text.

    Items of a sequence are given the character set of what is around them (PS3.5 7.5.3).
    """
    raw: Any = dataset.get_item(tag)
    vr = text_vr(raw) if isinstance(raw, RawDataElement) else None
    if vr is None:
        found = dataset[tag]
        if found.VR == "SQ":
            _pass_on(dataset, found.value or ())
        return DecodedElement(found, None)
    text, doubt = decoder(dataset).decode(raw.value or b"", vr)
    return DecodedElement(DataElement(tag, vr, _values(text, vr), validation_mode=config.IGNORE), doubt)


def decoded(dataset: Dataset) -> Dataset:
    """Return the data set with its texts decoded, which pydicom would decode when they are looked at."""
    for tag in list(dataset.keys()):
        found = element(dataset, tag).element
        dataset[tag] = found
        if found.VR == "SQ":
            for item in found.value or ():
                decoded(item)
    return dataset


def decoder(dataset: Dataset) -> TextDecoder:
    """Return the decoder of the data set; one of unknown terms is as good as none."""
    try:
        return decoder_of(terms(dataset))
    except LookupError:
        return NOTHING_DECLARED


def terms(dataset: Dataset) -> tuple[str, ...]:
    """Return the values of Specific Character Set (0008,0005)."""
    if CHARACTER_SET not in dataset:
        return ()
    return tuple(_terms(dataset.get_item(CHARACTER_SET)))


def text_vr(raw: RawDataElement) -> str | None:
    """Return its VR where a Specific Character Set applies, else None; an attribute's own counts as well."""
    sent, own = representation(raw), _own_vr(raw.tag)
    if sent in representations.TEXT:
        return sent
    return own if own in representations.TEXT and representations.is_text(sent) else None


def plain_text(raw: RawDataElement, decoder: TextDecoder, *, declared: bool) -> PlainText | None:
    """Return the text of an attribute that has one value, written as its VR has it; None for any other.

    It is what `element` would return, as text, without an element of pydicom. `declared` is that of
    `reading.element`.
    """
    value, vr = raw.value or b"", _own_vr(raw.tag)
    if raw.VR not in (None, vr) or b"\\" in value:
        return None
    if vr in representations.TEXT:
        text, doubt = decoder.decode(value, vr)
        is_known = declared or (value.isascii() and _ESCAPE not in value)
        text = text.rstrip(_PADDING) if vr in representations.PARAGRAPHS else text.strip(_PADDING)
        return PlainText(vr, text) if doubt is None and is_known and not text.endswith("=") else None
    if vr not in _IN_ASCII or not _PRINTABLE.fullmatch(value):
        return None
    text = value.decode("ascii").rstrip(_PADDING)
    is_right = vr not in _NUMBERS or not text or representations.problem(vr, text) is None
    return PlainText(vr, text) if is_right else None


def representation(raw: RawDataElement) -> str:
    """Return its VR; where none was sent, or UN, the dictionary's."""
    vr = str(raw.VR) if raw.VR is not None else "UN"
    return (_own_vr(raw.tag) or vr) if vr == "UN" else vr


def _own_vr(tag: BaseTag) -> str | None:
    return _dictionary_vr(int(tag))  # a tag compares itself with others slowly


@lru_cache(maxsize=1024)
def _dictionary_vr(number: int) -> str | None:
    tag = Tag(number)
    return dictionary_VR(tag) if not tag.is_private and dictionary_has_tag(tag) else None


def _terms(raw: Any) -> Iterator[str]:
    value = raw.value or ""
    if isinstance(value, bytes):
        value = value.decode("latin-1").split("\\")
    given = value if isinstance(value, MultiValue | list) else [value]
    yield from (str(term or "").strip(_PADDING) for term in given)


def _pass_on(dataset: Dataset, items: Iterable[Dataset]) -> None:
    if CHARACTER_SET in dataset:
        for item in items:
            if CHARACTER_SET not in item:
                given = list(terms(dataset))
                item[CHARACTER_SET] = DataElement(CHARACTER_SET, "CS", given, validation_mode=config.IGNORE)


def _values(text: str, vr: str) -> str | list[str]:
    if vr in representations.PARAGRAPHS:
        return text.rstrip(_PADDING)
    values = [value.strip(_PADDING) for value in text.split("\\")]
    return values if len(values) > 1 else values[0]


def _undeclared(value: bytes) -> DecodedText:
    """Decode what is ASCII unless it departs from it: hardly any text is UTF-8 by accident."""
    if _ESCAPE in value:
        return DecodedText(_replaced(value, "ascii"), UNDECODABLE)
    if value.isascii():
        return DecodedText(value.decode("ascii"), None)
    try:
        return DecodedText(value.decode("utf-8"), UNDECLARED_UTF_8)
    except UnicodeDecodeError:
        return DecodedText(value.decode("latin-1"), UNDECLARED)


def _delimiters(vr: str) -> str:
    if vr == "PN":
        return code_extensions.DELIMITERS_OF_NAMES
    in_paragraphs = vr in representations.PARAGRAPHS
    return code_extensions.DELIMITERS_OF_LINES if in_paragraphs else code_extensions.DELIMITERS_OF_VALUES


def _replaced(value: bytes, codec: str) -> str:
    return value.decode(codec, errors="replace")


def _fits(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
