"""Texts with escape sequences are written and read here (PS3.5 6.1.2.5), as its Annexes H, I and K show.

pydicom leaves the escape sequences of ISO 2022 IR 58 in the text, and takes the second byte of a character
for a delimiter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from worklist.dicom import code_elements
from worklist.dicom.code_elements import ASCII, BY_ESCAPE, EXTENSIONS, G0, G1, KS_X_1001, CodeElement

# Before each of these what was active first is active again (PS3.5 6.1.2.5.3).
DELIMITERS_OF_LINES = "\t\n\f\r"
DELIMITERS_OF_VALUES = DELIMITERS_OF_LINES + "\\"
DELIMITERS_OF_NAMES = DELIMITERS_OF_VALUES + "^="

_HIGH = re.compile(rb"[\x80-\xff]+")
_LOW = re.compile(rb"[\x21-\x7e]+")
_ESCAPE = re.compile(b"|".join(re.escape(escape) for escape in sorted(BY_ESCAPE, key=len, reverse=True)))
_ESC, _SPACE, _HIGHEST = 0x1B, 0x20, 0x7F


class CodeExtensions:
    """This reads and writes by the terms of (0008,0005), the first of which is active at each beginning."""

    def __init__(self, terms: Sequence[str], *, extensible: bool = True) -> None:
        self._extensible = extensible
        elements = [element for term in terms for element in _elements(term)]
        self._elements = tuple(dict.fromkeys(elements))
        first = _elements(terms[0])
        self._first_g0 = next((each for each in first if each.area == G0 and each.width == 1), ASCII)
        self._first_g1 = next((each for each in first if each.area == G1), None)
        self.begins_with_ascii = self._first_g0 is ASCII
        self.has_high_bytes_first = self._first_g1 is not None
        self._segment = lru_cache(maxsize=4096)(self._encoded_segment)

    def encode(self, text: str, delimiters: str) -> bytes:
        """Return the text, encoded between its delimiters. Raises UnicodeEncodeError."""
        parts = re.split(f"([{re.escape(delimiters)}])", text)
        return b"".join(
            part.encode("ascii") if index % 2 else self._segment(part) for index, part in enumerate(parts)
        )

    def decode(self, encoded: bytes, delimiters: str) -> str:
        """Return the text. Raises UnicodeDecodeError for what is not written in these character sets."""
        return "".join(self._decoded(encoded, delimiters.encode("ascii")))

    def _encoded_segment(self, segment: str) -> bytes:
        active: list[CodeElement | None] = [self._first_g0, self._first_g1]
        parts = []
        designated_to_g1 = [self._first_g1] if self._first_g1 else []
        for character in segment:
            element, code = self._find(character, active)
            if element.area == G1 or element.width == 1:
                parts += self._return_to_first(active)
            if active[element.area] is not element:
                active[element.area] = element
                parts.append(element.escape)
                designated_to_g1 += [element] if element.area == G1 else []
            parts.append(code)
        parts += self._return_to_first(active)
        # At the head of a line, as Annex I has it, where nothing else is designated in it.
        is_alone = designated_to_g1 == [KS_X_1001] and self._first_g0.escape not in parts
        if self._first_g1 is None and is_alone:
            parts.remove(KS_X_1001.escape)
            parts.insert(0, KS_X_1001.escape)
        return b"".join(parts)

    def _return_to_first(self, active: list[CodeElement | None]) -> list[bytes]:
        """Make the first G0 active, and return its escape sequence where it was not.

        Many readers take all that follows it for characters of that code element: G1 is designated anew.
        """
        if active[G0] is self._first_g0:
            return []
        active[:] = [self._first_g0, None]
        return [self._first_g0.escape]

    def _find(self, character: str, active: Sequence[CodeElement | None]) -> tuple[CodeElement, bytes]:
        for element in (*active, *self._elements):
            code = element.encoded(character) if element else None
            if element and code is not None:
                return element, code
        raise UnicodeEncodeError("Specific Character Set", character, 0, 1, "none of them has it")

    def _decoded(self, encoded: bytes, delimiters: bytes) -> Iterator[str]:
        active: list[CodeElement | None] = [self._first_g0, self._first_g1]
        at = 0
        while at < len(encoded):
            byte = encoded[at]
            if byte == _ESC:
                element = self._designated(encoded, at)
                active[element.area] = element
                at += len(element.escape)
            elif byte in delimiters and (byte < _SPACE or _width(active[G0]) == 1):
                active = [self._first_g0, self._first_g1 or active[G1]]
                yield chr(byte)
                at += 1
            elif byte <= _SPACE or byte == _HIGHEST:
                yield chr(byte)
                at += 1
            else:
                run = self._run(encoded, at, active[G0], delimiters)
                yield _characters(active[G1 if byte > _HIGHEST else G0], run, encoded, at)
                at += len(run)

    def _designated(self, encoded: bytes, at: int) -> CodeElement:
        found = _ESCAPE.match(encoded, at) if self._extensible else None
        if found is None:
            raise _undecodable(encoded, at)
        return BY_ESCAPE[found[0]]

    def _run(self, encoded: bytes, at: int, g0: CodeElement | None, delimiters: bytes) -> bytes:
        """Return the bytes of one area; a delimiter ends it where a character is one byte."""
        found = (_HIGH if encoded[at] > _HIGHEST else _LOW).match(encoded, at)
        run = found[0] if found else b""
        if encoded[at] > _HIGHEST or _width(g0) > 1:
            return run
        end = next((index for index, byte in enumerate(run) if byte in delimiters), len(run))
        return run[:end]


def _elements(term: str) -> tuple[CodeElement, ...]:
    if term == code_elements.JAPANESE_EIGHT_BITS or term in code_elements.EIGHT_BIT_CODECS:
        term = extensible(term)
    return EXTENSIONS[term or "ISO 2022 IR 6"]


def extensible(term: str) -> str:
    """Return the term for the same character set with code extensions."""
    return term.replace("ISO_IR ", "ISO 2022 IR ")


def _width(element: CodeElement | None) -> int:
    return element.width if element else 1


def _characters(element: CodeElement | None, run: bytes, encoded: bytes, at: int) -> str:
    if element is None or len(run) % element.width:
        raise _undecodable(encoded, at)
    return element.decoded(run)


def _undecodable(encoded: bytes, at: int) -> UnicodeDecodeError:
    return UnicodeDecodeError("Specific Character Set", encoded, at, len(encoded), "it is not written in it")
