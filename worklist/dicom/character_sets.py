"""Specific Character Set (0008,0005) is chosen here, and texts are encoded in it (PS3.3 C.12.1.1.2).

Nothing is ever replaced: a text either fits exactly or raises UnicodeEncodeError. Code extensions
(PS3.5 6.1.2.5) are pydicom's work; what it made of a text is decoded again before it is believed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
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
# Letters that Unicode does not decompose, as they are written where only A to Z is to be had.
PLAIN_LETTERS = {
    **{"ß": "ss", "ẞ": "SS", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Ø": "O", "ø": "o", "Ł": "L"},
    **{"ł": "l", "Đ": "D", "đ": "d", "Ð": "D", "ð": "d", "Þ": "TH", "þ": "th", "Ħ": "H", "ħ": "h"},
    **{"ı": "i", "Ŋ": "NG", "ŋ": "ng", "\u2019": "'", "\u2018": "'", "\u2013": "-", "\u2014": "-"},
}


class CharacterSet(Protocol):
    """`terms` is the value of (0008,0005); it is empty for the default repertoire, which needs none."""

    terms: str

    def text(self, value: str) -> bytes:
        """Encode one value of LO, LT, SH, ST, UC or UT. Raises UnicodeEncodeError where it does not fit."""

    def name(self, value: str) -> bytes:
        """Encode one value of PN, whose components are encoded each by itself."""


class SingleCodec:
    """Such a character set has no code extensions."""

    def __init__(self, terms: str, codec: str) -> None:
        self.terms = terms
        self._codec = codec

    def text(self, value: str) -> bytes:
        return value.encode(self._codec)

    name = text


class CodeExtensions:
    """Escape sequences switch between several character sets; ISO_IR 13, which is two, is here as well."""

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


class Transliterating:
    """This one writes letters without accents or ligatures where a text does not fit into another.

    Only what has one plain Latin form is rewritten, and a name's further component groups that do not fit
    are left out where the first one does; nothing is read from another script, for that would be a guess.
    """

    def __init__(self, exact: CharacterSet) -> None:
        self.terms = exact.terms
        self.exact = exact

    def text(self, value: str) -> bytes:
        return self.exact.text(_fitting(value, self.exact.text))

    def name(self, value: str) -> bytes:
        return self.exact.name(self.rewritten_name(value))

    def rewritten_name(self, value: str) -> str:
        """Return the name as it is sent.

        Raises UnicodeEncodeError where its first group has no plain form.
        """
        first, *others = value.split("=")
        kept = [group if _fits(group, self.exact.name) else "" for group in others]
        rewritten = _fitting(first, self.exact.name)
        if not rewritten:
            raise _misfit(value)
        return "=".join([rewritten, *kept]).rstrip("=")


def _fitting(value: str, write: Callable[[str], bytes]) -> str:
    """Return the text, rewritten where it does not fit.

    Raises UnicodeEncodeError where that does not help.
    """
    if _fits(value, write):
        return value
    rewritten = "".join(_plain(character, write) for character in value)
    write(rewritten)
    return rewritten


def _fits(value: str, write: Callable[[str], bytes]) -> bool:
    try:
        write(value)
    except UnicodeEncodeError:
        return False
    return True


def _plain(character: str, write: Callable[[str], bytes]) -> str:
    """Return the character where it fits, else its plain form; one that has none stays, and does not fit."""
    if _fits(character, write):
        return character
    decomposed = unicodedata.normalize("NFKD", PLAIN_LETTERS.get(character, character))
    return "".join(part for part in decomposed if not unicodedata.combining(part))


ASCII = SingleCodec("", "ascii")
LATIN_1 = SingleCodec("ISO_IR 100", "latin_1")
UTF_8 = SingleCodec("ISO_IR 192", "utf-8")


def candidates(requested: Iterable[str]) -> tuple[CharacterSet, ...]:
    """Return the character sets to try for an answer, in order; ISO_IR 192, which holds all, is among them.

    `requested` is the Specific Character Set of the query; one that is not known is ignored.
    """
    asked = requested_set(requested)
    ordered = [ASCII, asked, LATIN_1, UTF_8] if asked else [ASCII, LATIN_1, UTF_8]
    by_terms: dict[str, CharacterSet] = {}
    for character_set in ordered:
        by_terms.setdefault(character_set.terms, character_set)
    return tuple(by_terms.values())


def candidates_of_a_device(terms: tuple[str, ...], *, transliterates: bool) -> tuple[CharacterSet, ...]:
    """Return those of a device whose character set is known: plain ASCII, its own, then ISO_IR 192.

    Raises ValueError for terms that are not known.
    """
    own = ASCII if is_default(terms) else requested_set(terms)
    if own is None:
        raise ValueError("This Specific Character Set is not known.")
    exact = [ASCII] if own.terms == ASCII.terms else [ASCII, own]
    rewriting = [Transliterating(own)] if transliterates and own.terms != UTF_8.terms else []
    last = [] if own.terms == UTF_8.terms else [UTF_8]
    return (*exact, *rewriting, *last)


def is_default(terms: Iterable[str]) -> bool:
    """Return whether the terms name the default repertoire alone, which is ASCII."""
    return set(terms) <= DEFAULT_REPERTOIRE


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
