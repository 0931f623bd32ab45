"""The character sets that DICOM designates by escape sequences stand here (PS3.3 C.12.1.1.2, PS3.5 6.1.2).

What is active holds two code elements: G0, whose bytes go to 7F, and G1, whose bytes begin at A0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

_HIGH_BIT = 0x80
_FIRST_OF_G1 = 0xA0
G0, G1 = 0, 1


class CodeElement(Protocol):
    """`escape` designates it to G0 or G1, its `area`; one character takes `width` bytes."""

    @property
    def escape(self) -> bytes: ...
    @property
    def area(self) -> int: ...
    @property
    def width(self) -> int: ...

    def encoded(self, character: str) -> bytes | None:
        """Return the bytes of a character, or None where the code element does not have it."""

    def decoded(self, run: bytes) -> str:
        """Return the characters of bytes of its area. Raises UnicodeDecodeError."""


@dataclass(frozen=True)
class _SevenBits:
    """ISO 646 is this, and its Japanese form, which has two other characters."""

    escape: bytes
    others: tuple[tuple[str, str], ...] = ()
    area: int = G0
    width: int = 1

    def encoded(self, character: str) -> bytes | None:
        # None of the others is written: a yen sign has the byte of the delimiter of values.
        if not character.isascii() or any(character == code for code, _ in self.others):
            return None
        return character.encode("ascii")

    def decoded(self, run: bytes) -> str:
        text = run.decode("ascii")
        for code, meant in self.others:
            text = text.replace(code, meant)
        return text


@dataclass(frozen=True)
class _Table:
    """A character of this is `lead` and `width` high bytes in a codec of Python's."""

    escape: bytes
    area: int
    codec: str
    width: int = 1
    lead: bytes = b""
    last: int = 0xFF

    def encoded(self, character: str) -> bytes | None:
        try:
            found = character.encode(self.codec)
        except UnicodeEncodeError:
            return None
        code = found.removeprefix(self.lead)
        if len(code) + len(self.lead) != len(found) or len(code) != self.width:
            return None
        if min(code) < _FIRST_OF_G1 or max(code) > self.last:
            return None
        return bytes(byte & ~_HIGH_BIT for byte in code) if self.area == G0 else code

    def decoded(self, run: bytes) -> str:
        high = bytes(byte | _HIGH_BIT for byte in run)
        if min(high) < _FIRST_OF_G1 or max(high) > self.last:
            raise UnicodeDecodeError(self.codec, run, 0, len(run), "these bytes are no characters of it")
        if self.lead:
            codes = (high[at : at + self.width] for at in range(0, len(high), self.width))
            high = b"".join(self.lead + code for code in codes)
        return high.decode(self.codec)


_ESC = b"\x1b"
ASCII = _SevenBits(_ESC + b"(B")
ROMAJI = _SevenBits(_ESC + b"(J", (("\\", "\N{YEN SIGN}"), ("~", "\N{OVERLINE}")))
KATAKANA = _Table(_ESC + b")I", G1, "shift_jis", last=0xDF)
JIS_X_0208 = _Table(_ESC + b"$B", G0, "euc_jp", width=2)
JIS_X_0212 = _Table(_ESC + b"$(D", G0, "euc_jp", width=2, lead=b"\x8f")
KS_X_1001 = _Table(_ESC + b"$)C", G1, "euc_kr", width=2)
GB_2312 = _Table(_ESC + b"$)A", G1, "gb2312", width=2)
# By registration number: what ISO_IR and ISO 2022 IR name, beside ASCII (Tables C.12-2 and C.12-3).
EIGHT_BITS: Mapping[str, _Table] = {
    "100": _Table(_ESC + b"-A", G1, "iso8859_1"),
    "101": _Table(_ESC + b"-B", G1, "iso8859_2"),
    "109": _Table(_ESC + b"-C", G1, "iso8859_3"),
    "110": _Table(_ESC + b"-D", G1, "iso8859_4"),
    "144": _Table(_ESC + b"-L", G1, "iso8859_5"),
    "127": _Table(_ESC + b"-G", G1, "iso8859_6"),
    "126": _Table(_ESC + b"-F", G1, "iso8859_7"),
    "138": _Table(_ESC + b"-H", G1, "iso8859_8"),
    "148": _Table(_ESC + b"-M", G1, "iso8859_9"),
    "203": _Table(_ESC + b"-b", G1, "iso8859_15"),
    "166": _Table(_ESC + b"-T", G1, "tis_620"),
}
# Defined Terms with code extensions (Tables C.12-3 and C.12-4): the code elements of each.
EXTENSIONS: Mapping[str, tuple[CodeElement, ...]] = {
    "ISO 2022 IR 6": (ASCII,),
    **{f"ISO 2022 IR {number}": (ASCII, table) for number, table in EIGHT_BITS.items()},
    "ISO 2022 IR 13": (ROMAJI, KATAKANA),
    "ISO 2022 IR 87": (JIS_X_0208,),
    "ISO 2022 IR 159": (JIS_X_0212,),
    "ISO 2022 IR 149": (KS_X_1001,),
    "ISO 2022 IR 58": (GB_2312,),
}
# Never the first value: they have no characters of their own for the default repertoire (Table C.12-4).
ONLY_EXTENSIONS = frozenset({"ISO 2022 IR 87", "ISO 2022 IR 159", "ISO 2022 IR 149", "ISO 2022 IR 58"})
# Those without code extensions, and Python's codecs for them (Tables C.12-2 and C.12-5).
EIGHT_BIT_CODECS: Mapping[str, str] = {
    f"ISO_IR {number}": table.codec for number, table in EIGHT_BITS.items()
}
STAND_ALONE_CODECS: Mapping[str, str] = {"ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk"}
JAPANESE_EIGHT_BITS = "ISO_IR 13"  # two code elements that no escape sequence changes
BY_ESCAPE: Mapping[bytes, CodeElement] = {
    element.escape: element for elements in EXTENSIONS.values() for element in elements
}
DEFINED_TERMS = (*EIGHT_BIT_CODECS, JAPANESE_EIGHT_BITS, *EXTENSIONS, *STAND_ALONE_CODECS)
