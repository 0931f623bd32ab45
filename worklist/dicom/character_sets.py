"""Specific Character Set (0008,0005) is chosen here, and texts are encoded in it (PS3.3 C.12.1.1.2).

Nothing is ever replaced: a text either fits exactly or raises UnicodeEncodeError.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Protocol

from worklist.dicom import code_extensions
from worklist.dicom.code_elements import (
    DEFINED_TERMS,
    EIGHT_BIT_CODECS,
    EXTENSIONS,
    JAPANESE_EIGHT_BITS,
    ONLY_EXTENSIONS,
    STAND_ALONE_CODECS,
)
from worklist.dicom.code_extensions import CodeExtensions

DEFAULT_REPERTOIRE = frozenset({"", "ISO_IR 6", "ISO 2022 IR 6"})
_KNOWN = DEFAULT_REPERTOIRE | {*DEFINED_TERMS}
# Scanners write `ISO IR 100` or `ISO-2022-IR-87`, and older versions of the standard `ISO 2022 GBK`.
_MISSPELT = re.compile(r"ISO[ _-]IR[ _-]?(?P<alone>\d+)|ISO.2022.(IR.?)?(?P<extension>\d+)", re.IGNORECASE)
_OTHERWISE_NAMED = {"ISO 2022 GBK": "GBK"}
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


class ExtendedCodec:
    """Escape sequences switch between several character sets; ISO_IR 13, which is two, is here as well."""

    def __init__(self, terms: tuple[str, ...]) -> None:
        self.terms = "\\".join(terms)
        self._extensions = CodeExtensions(terms)

    def text(self, value: str) -> bytes:
        return self._encoded(value, code_extensions.DELIMITERS_OF_LINES)

    def name(self, value: str) -> bytes:
        return self._encoded(value, code_extensions.DELIMITERS_OF_NAMES)

    def _encoded(self, value: str, delimiters: str) -> bytes:
        if value.isascii() and self._extensions.begins_with_ascii:
            return value.encode("ascii")
        return self._extensions.encode(value, delimiters)


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


def corrected(term: str) -> str:
    """Spell a term as the standard does."""
    found = _MISSPELT.fullmatch(term) if term not in _KNOWN else None
    if found is None:
        return _OTHERWISE_NAMED.get(term, term)
    return f"ISO_IR {found['alone']}" if found["alone"] else f"ISO 2022 IR {found['extension']}"


def requested_set(requested: Iterable[str]) -> CharacterSet | None:
    """Return what the terms name, spelled as the standard does, or None where they name none beyond ASCII."""
    terms = tuple(corrected(term.strip()) for term in requested)
    if not terms or not set(terms) <= _KNOWN or terms[0] in ONLY_EXTENSIONS:
        return None
    if len(terms) == 1:
        return _set_of(terms[0])
    if not all(term in EXTENSIONS for term in terms[1:]) or terms[0] in STAND_ALONE_CODECS:
        return None
    # With others beside it, the first is written as one with code extensions too.
    return ExtendedCodec((code_extensions.extensible(terms[0]), *terms[1:]))


def _set_of(term: str) -> CharacterSet | None:
    if term in DEFAULT_REPERTOIRE:
        return None
    if term in STAND_ALONE_CODECS:
        return SingleCodec(term, STAND_ALONE_CODECS[term])
    without_extensions = term.replace("ISO 2022 IR ", "ISO_IR ")
    if without_extensions == JAPANESE_EIGHT_BITS:
        return ExtendedCodec((term,))
    return SingleCodec(term, EIGHT_BIT_CODECS[without_extensions])


def _misfit(value: str) -> UnicodeEncodeError:
    return UnicodeEncodeError("Specific Character Set", value, 0, len(value), "it does not hold the text")
