"""Specific Character Set (0008,0005): which one holds a text, and the text in it (PS3.3 C.12.1.1.2).

Nothing is ever replaced: a text either fits exactly or raises UnicodeEncodeError. Code extensions
(PS3.5 6.1.2.5) are pydicom's work; what it made of a text is decoded again before it is believed.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

from pydicom.charset import (
    STAND_ALONE_ENCODINGS,
    custom_encoders,
    decode_bytes,
    encode_string,
    python_encoding,
)
from pydicom.valuerep import PN_DELIMS, TEXT_VR_DELIMS

DEFAULT_REPERTOIRE = frozenset({"", "ISO_IR 6", "ISO 2022 IR 6"})
# Never the first value: they have no characters of their own for the default repertoire.
_ONLY_EXTENSIONS = frozenset(
    {"ISO 2022 IR 58", "ISO 2022 IR 87", "ISO 2022 IR 149", "ISO 2022 IR 159", "ISO 2022 58", "ISO 2022 GBK"}
)


class CharacterSet(Protocol):
    """`terms` is the value of (0008,0005); it is empty for the default repertoire, which needs none."""

    terms: str

    def text(self, value: str) -> bytes:
        """One value of LO, LT, SH, ST, UC or UT. Raises UnicodeEncodeError where it does not fit."""

    def name(self, value: str) -> bytes:
        """One value of PN, whose components are encoded each by itself."""


class SingleCodec:
    """A character set without code extensions."""

    def __init__(self, terms: str, codec: str) -> None:
        self.terms = terms
        self._codec = codec

    def text(self, value: str) -> bytes:
        return value.encode(self._codec)

    name = text


class CodeExtensions:
    """Several character sets between which escape sequences switch; ISO_IR 13, which is two, as well."""

    def __init__(self, terms: tuple[str, ...]) -> None:
        self.terms = "\\".join(terms)
        self._default_is_ascii = terms[0] in DEFAULT_REPERTOIRE
        self._codecs = [python_encoding[term] for term in terms]
        self._fits = lru_cache(maxsize=4096)(self._has)

    def text(self, value: str) -> bytes:
        return self._encoded(value, TEXT_VR_DELIMS)

    def name(self, value: str) -> bytes:
        return b"=".join(
            b"^".join(self._encoded(component, PN_DELIMS) for component in group.split("^"))
            for group in value.split("=")
        )

    def _encoded(self, value: str, delimiters: set[int]) -> bytes:
        if value.isascii():
            encoded = value.encode("ascii")
        else:
            # pydicom replaces what it cannot encode, with a warning: it is only asked where it can.
            if not all(map(self._fits, value)):
                raise _misfit(value)
            encoded = encode_string(value, self._codecs)
        if decode_bytes(encoded, self._codecs, delimiters) != value:
            raise _misfit(value)
        return encoded

    def _has(self, character: str) -> bool:
        if character.isascii():
            return True
        # pydicom takes Latin-1 for the default repertoire and would write its bytes unannounced.
        if self._default_is_ascii and character <= "\xff":
            return False
        return any(_codec_has(codec, character) for codec in self._codecs)


ASCII = SingleCodec("", "ascii")
LATIN_1 = SingleCodec("ISO_IR 100", "latin_1")
UTF_8 = SingleCodec("ISO_IR 192", "utf-8")


def candidates(requested: Iterable[str]) -> tuple[CharacterSet, ...]:
    """The character sets to try for an answer, in order; ISO_IR 192 is among them and holds every text.

    `requested` is the Specific Character Set of the query; one that is not known is ignored.
    """
    asked = requested_set(requested)
    ordered = [ASCII, asked, LATIN_1, UTF_8] if asked else [ASCII, LATIN_1, UTF_8]
    by_terms: dict[str, CharacterSet] = {}
    for character_set in ordered:
        by_terms.setdefault(character_set.terms, character_set)
    return tuple(by_terms.values())


def requested_set(requested: Iterable[str]) -> CharacterSet | None:
    terms = tuple(term.strip() for term in requested)
    if not terms or not set(terms) <= python_encoding.keys() or terms[0] in _ONLY_EXTENSIONS:
        return None
    if len(terms) == 1 and terms[0] in DEFAULT_REPERTOIRE:
        return None
    if len(terms) > 1 and not all(_is_extension(term) for term in terms[1:]):
        return None
    if len(terms) > 1 and terms[0] in STAND_ALONE_ENCODINGS:
        return None
    codec = python_encoding[terms[0]]
    if len(terms) > 1 or codec in custom_encoders:
        return CodeExtensions(terms)
    return SingleCodec(terms[0], codec)


def _is_extension(term: str) -> bool:
    return term.startswith("ISO 2022 IR ")


def _codec_has(codec: str, character: str) -> bool:
    encode = custom_encoders.get(codec)
    try:
        if encode is not None:
            encode(character)
        else:
            character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _misfit(value: str) -> UnicodeEncodeError:
    return UnicodeEncodeError("Specific Character Set", value, 0, len(value), "it does not hold the text")
