"""What fits a Specific Character Set is written as PS3.5 says and read back by pydicom; nothing is replaced.

Whether an answer announces the set in (0008,0005) is tested with the encoder.
"""

from __future__ import annotations

import pytest
from pydicom.charset import convert_encodings
from pydicom.valuerep import PersonName

from worklist.dicom.character_sets import CharacterSet, candidates


def terms(*requested: str) -> list[str]:
    return [character_set.terms for character_set in candidates(requested)]


def chosen(name: str, *requested: str) -> tuple[CharacterSet, bytes]:
    for character_set in candidates(requested):
        try:
            return character_set, character_set.name(name)
        except UnicodeEncodeError:
            continue
    raise AssertionError("ISO_IR 192 holds every text")


def decoded(character_set: CharacterSet, encoded: bytes) -> str:
    return str(PersonName(encoded, convert_encodings(character_set.terms.split("\\"))).decode())


@pytest.mark.parametrize(
    ("name", "requested"),
    [
        ("MÜLLER^JÖRG", ["ISO_IR 100"]),
        ("Čapek^Łukasz", ["ISO_IR 101"]),
        ("Люкceмбypг", ["ISO_IR 144"]),
        ("Διονυσιος", ["ISO_IR 126"]),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ", ["ISO_IR 13"]),
        ("王^小明", ["ISO_IR 192"]),
        ("王^小明", ["GB18030"]),
        ("王^小明", ["GBK"]),
        ("Wang^XiaoDong=王^小东", ["GB18030"]),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", ["", "ISO 2022 IR 87"]),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", ["ISO 2022 IR 13", "ISO 2022 IR 87"]),
        ("Hong^Gildong=洪^吉洞=홍^길동", ["", "ISO 2022 IR 149"]),
        ("Müller^Jörg=山田^太郎", ["ISO 2022 IR 100", "ISO 2022 IR 87"]),
    ],
)
def test_a_name_comes_back_from_the_set_that_was_asked_for(name: str, requested: list[str]) -> None:
    character_set, encoded = chosen(name, *requested)
    assert character_set.terms == "\\".join(requested)
    assert decoded(character_set, encoded) == name


def test_japanese_and_korean_names_are_written_as_the_standard_shows() -> None:
    """The names are the examples of PS3.5 H.3.1 and I.2."""
    _, japanese = chosen("Yamada^Tarou=山田^太郎=やまだ^たろう", "", "ISO 2022 IR 87")
    assert japanese == (
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B"
    )
    _, korean = chosen("Hong^Gildong=洪^吉洞=홍^길동", "", "ISO 2022 IR 149")
    assert korean == (
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf"
    )


@pytest.mark.acceptance("D64")
@pytest.mark.parametrize(
    ("name", "requested", "fitting"),
    [
        ("DOE^JOHN", ["ISO_IR 192"], ""),
        ("王^小明", ["ISO_IR 100"], "ISO_IR 192"),
        ("MÜLLER", [], "ISO_IR 100"),
        ("MÜLLER", ["ISO_IR 192"], "ISO_IR 192"),
        ("MÜLLER", ["", "ISO 2022 IR 87"], "ISO_IR 100"),
        ("MÜLLER^山田", ["", "ISO 2022 IR 87"], "ISO_IR 192"),
        ("김", ["", "ISO 2022 IR 87"], "ISO_IR 192"),
        ("\N{YEN SIGN}", ["ISO_IR 13"], "ISO_IR 100"),  # pydicom would write the byte of a backslash
        ("Čapek", ["ISO_IR 100"], "ISO_IR 192"),
        ("😀", ["GBK"], "ISO_IR 192"),
    ],
)
def test_a_set_that_does_not_hold_the_name_is_passed_over(
    name: str, requested: list[str], fitting: str
) -> None:
    character_set, encoded = chosen(name, *requested)
    assert character_set.terms == fitting
    assert b"?" not in encoded


def test_the_sets_are_tried_from_the_narrowest_with_the_querys_own_first() -> None:
    assert terms() == ["", "ISO_IR 100", "ISO_IR 192"]
    assert terms("ISO_IR 144") == ["", "ISO_IR 144", "ISO_IR 100", "ISO_IR 192"]
    assert terms("ISO_IR 192") == ["", "ISO_IR 192", "ISO_IR 100"]
    assert terms("ISO_IR 100") == ["", "ISO_IR 100", "ISO_IR 192"]


@pytest.mark.parametrize(
    "requested",
    [
        ["NONSENSE"],
        [""],
        ["ISO_IR 6"],
        ["ISO 2022 IR 87"],
        ["ISO_IR 192", "ISO 2022 IR 87"],
        ["", "GB18030"],
        ["", "NONSENSE"],
    ],
)
def test_a_set_that_cannot_be_is_ignored(requested: list[str]) -> None:
    assert terms(*requested) == ["", "ISO_IR 100", "ISO_IR 192"]


def test_each_line_begins_anew_with_its_escape_sequence() -> None:
    korean = candidates(["", "ISO 2022 IR 149"])[1]
    assert korean.text("홍길동") == b"\x1b$)C\xc8\xab\xb1\xe6\xb5\xbf"
    assert korean.text("홍\n길동") == b"\x1b$)C\xc8\xab\n\x1b$)C\xb1\xe6\xb5\xbf"
