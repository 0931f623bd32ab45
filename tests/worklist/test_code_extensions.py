"""Escape sequences are written and read as the examples of PS3.5 Annexes H to K show, and as pydicom does.

Where pydicom departs from the standard, the standard is followed: it leaves the escape sequences of
ISO 2022 IR 58 in the text, does not know ISO_IR 203, and ends kanji after a first value such as
ISO 2022 IR 100 by an escape sequence that leaves G0 as it is.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydicom import config
from pydicom.charset import convert_encodings
from pydicom.valuerep import PersonName

from tests.effort import tries
from worklist.dicom import code_elements, decoding
from worklist.dicom.character_sets import CharacterSet, requested_set
from worklist.dicom.decoding import UNDECODABLE

CRLF = b"\r\n"
KANJI = b"\x1b$B"
# Specific Character Set, VR, text, bytes: as the standard prints them.
EXAMPLES = {
    "H.3.1": (
        ("", "ISO 2022 IR 87"),
        "PN",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
    ),
    "H.3.2": (
        ("ISO 2022 IR 13", "ISO 2022 IR 87"),
        "PN",
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J="
        b"\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
    ),
    "I.2": (
        ("", "ISO 2022 IR 149"),
        "PN",
        "Hong^Gildong=洪^吉洞=홍^길동",
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
    ),
    "I.3": (
        ("", "ISO 2022 IR 149"),
        "LT",
        "The first line includes 한글.\r\nThe second line includes 한글, too.\r\nThe third line.",
        b"\x1b$)CThe first line includes \xc7\xd1\xb1\xdb.\r\n"
        b"\x1b$)CThe second line includes \xc7\xd1\xb1\xdb, too.\r\nThe third line.",
    ),
    "J.1": (
        ("ISO_IR 192",),
        "PN",
        "Wang^XiaoDong=王^小東",
        b"Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1",
    ),
    "J.2": (
        ("ISO_IR 192",),
        "LT",
        "The first line includes 中文.\r\nThe second line includes 中文, too.\r\nThe third line.",
        b"The first line includes \xe4\xb8\xad\xe6\x96\x87.\r\n"
        b"The second line includes \xe4\xb8\xad\xe6\x96\x87, too.\r\nThe third line.",
    ),
    "J.3": (("GB18030",), "PN", "Wang^XiaoDong=王^小东", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab"),
    "J.3, GBK": (("GBK",), "PN", "Wang^XiaoDong=王^小东", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab"),
    "J.4": (
        ("GB18030",),
        "LT",
        "The first line includes 中文.",
        b"The first line includes \xd6\xd0\xce\xc4.",
    ),
    "K.2": (
        ("", "ISO 2022 IR 58"),
        "PN",
        "Zhang^XiaoDong=张^小东",
        b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab",
    ),
    "K.3": (
        ("", "ISO 2022 IR 58"),
        "LT",
        "1.第一行文字。\r\n2.第二行文字。\r\n3.第三行文字。\r\n",
        b"1.\x1b$)A\xb5\xda\xd2\xbb\xd0\xd0\xce\xc4\xd7\xd6\xa1\xa3\r\n"
        b"2.\x1b$)A\xb5\xda\xb6\xfe\xd0\xd0\xce\xc4\xd7\xd6\xa1\xa3\r\n"
        b"3.\x1b$)A\xb5\xda\xc8\xfd\xd0\xd0\xce\xc4\xd7\xd6\xa1\xa3\r\n",
    ),
}


def character_set(*terms: str) -> CharacterSet:
    found = requested_set(terms)
    assert found is not None
    assert found.terms == "\\".join(terms)
    return found


def read(terms: tuple[str, ...], encoded: bytes, vr: str = "PN") -> str:
    text, doubt = decoding.decoder_of(terms).decode(encoded, vr)
    assert doubt is None
    return text


@pytest.mark.acceptance("D180")
@pytest.mark.parametrize(("terms", "vr", "text", "encoded"), EXAMPLES.values(), ids=EXAMPLES)
def test_the_examples_of_the_standard_are_read_and_written_byte_for_byte(
    terms: tuple[str, ...], vr: str, text: str, encoded: bytes
) -> None:
    chosen = character_set(*terms)
    assert (chosen.name(text) if vr == "PN" else chosen.text(text)) == encoded
    assert read(terms, encoded, vr) == text


@pytest.mark.parametrize(
    ("terms", "encoded", "text"),
    [
        pytest.param(("", "ISO 2022 IR 87"), b"\x1b$B=;^5\x1b(B^A", "住浹^A", id="delimiters in kanji"),
        pytest.param(("", "ISO 2022 IR 149"), b"\x1b$)C\xc8\xab^\xb1\xe6", "홍^길", id="said once"),
        pytest.param(("ISO_IR 100", "ISO 2022 IR 87"), b"M\xfc \x1b$B;3\x1b(B", "Mü 山", id="first misspelt"),
        pytest.param(("ISO 2022 IR 87",), b"\x1b$B;3\x1b(B", "山", id="no first value"),
        pytest.param(("", "ISO 2022 IR 87"), b"\x1b(J\x1b$B;3\x1b(J", "山", id="romaji beside kanji"),
        pytest.param(("ISO 2022 IR 58",), b"\xd5\xc5", "张", id="Chinese alone"),
        pytest.param(("ISO 2022 IR 58",), b"\x1b$)A\xd5\xc5", "张", id="Chinese alone, designated"),
        pytest.param(("", "ISO 2022 IR 203"), b"\x1b-b\xbduvre", "œuvre", id="Latin 9"),
        pytest.param(("ISO_IR 203",), b"\xbduvre", "œuvre", id="Latin 9 alone"),
        pytest.param(("iso-ir-101",), b"\xc8apek", "Čapek", id="spelled otherwise"),
        pytest.param(("ISO_IR 192", "ISO 2022 IR 87"), "Č".encode(), "Č", id="Unicode with others"),
        pytest.param(("GB18030",), b"\x81\x5c^A", "乗^A", id="a backslash as second byte"),
    ],
)
def test_what_others_write_is_read_where_it_has_one_meaning(
    terms: tuple[str, ...], encoded: bytes, text: str
) -> None:
    assert read(terms, encoded) == text


@pytest.mark.acceptance("D180")
@pytest.mark.parametrize(
    ("terms", "encoded"),
    [
        pytest.param((), b"\x1b$B;3\x1b(B", id="nothing declared"),
        pytest.param(("ISO_IR 100",), b"\x1b$B;3\x1b(B", id="without code extensions"),
        pytest.param(("ISO_IR 192",), b"\x1b$B;3\x1b(B", id="Unicode"),
        pytest.param(("ISO_IR 13",), b"\x1b$B;3\x1b(B", id="katakana without code extensions"),
        pytest.param(("", "ISO 2022 IR 87"), b"\x1b$A;3\x1b(B", id="no escape sequence of DICOM"),
        pytest.param(("", "ISO 2022 IR 87"), b"\x1b$B;3E\x1b(B", id="half a character"),
        pytest.param(("", "ISO 2022 IR 58"), b"\x1b$)A\xd5", id="half a Chinese character"),
        pytest.param(("", "ISO 2022 IR 87"), b"\x1b$B;3\x1b(B\xe9", id="nothing in G1"),
        pytest.param(("ISO_IR 13",), "やまだ".encode(), id="Unicode said to be katakana"),
        pytest.param(("ISO_IR 192",), b"M\xfcller", id="Latin 1 said to be Unicode"),
    ],
)
def test_what_is_not_written_in_its_character_set_is_doubtful(terms: tuple[str, ...], encoded: bytes) -> None:
    assert decoding.decoder_of(terms).decode(encoded, "PN").doubt == UNDECODABLE


FIRST = ("", *(term for term in code_elements.EXTENSIONS if term not in code_elements.ONLY_EXTENSIONS))
LETTERS = "aZ 9~éßĦČŁģЖяأباΣύשרŞğœนาﾔﾏ山田やまだ丂鿍홍길동洪张小东。·"


@st.composite
def extended(draw: st.DrawFn) -> tuple[str, ...]:
    others = st.lists(st.sampled_from(list(code_elements.EXTENSIONS)), max_size=3, unique=True)
    return (draw(st.sampled_from(FIRST)), *draw(others))


@pytest.mark.acceptance("D180")
@settings(deadline=None, max_examples=tries(300, nightly=5000))
@example(("", "ISO 2022 IR 159", "ISO 2022 IR 149"), "9", "ß。")
@given(extended(), st.text(LETTERS, min_size=1, max_size=12), st.text(LETTERS, max_size=5))
def test_what_fits_comes_back_and_pydicom_reads_it_as_well(
    terms: tuple[str, ...], family: str, given_name: str
) -> None:
    name = f"{family}^{given_name}={family}"
    chosen = requested_set(terms)
    if chosen is None:
        return
    try:
        encoded = chosen.name(name)
    except UnicodeEncodeError:
        return
    assert read(tuple(chosen.terms.split("\\")), encoded) == name
    if not {"ISO 2022 IR 58", "ISO 2022 IR 203"} & {*terms} and "~" not in name:
        encodings = convert_encodings(chosen.terms.split("\\"))
        with config.disable_value_validation():
            assert str(PersonName(encoded, encodings).decode()) == name


@settings(deadline=None, max_examples=tries(100, nightly=2000))
@given(extended(), st.binary(max_size=12), st.sampled_from(["PN", "LO", "LT"]))
def test_no_bytes_end_the_reading(terms: tuple[str, ...], encoded: bytes, vr: str) -> None:
    text, doubt = decoding.decoder_of(terms).decode(encoded, vr)
    assert doubt or "\x1b" not in text
