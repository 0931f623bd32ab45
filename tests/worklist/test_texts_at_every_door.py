"""Each Defined Term of PS3.3 C.12.1.1.2 is tried at each door: files, queries, answers, reports, devices.

A text comes through right, or is refused or told of by name, or its limit stands in docs/conformance.md.
"""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filereader import read_dataset

from tests.effort import tries
from tests.worklist.conftest import make_item
from tests.worklist.encoding_examples import RECORD
from worklist.answering import requests
from worklist.answering.compiled import FindRequest
from worklist.answering.previews import preview
from worklist.conformance.queries import FURTHER, terms
from worklist.dicom import code_elements, datasets, decoding, json_model, performed
from worklist.dicom.character_sets import requested_set
from worklist.dicom.decoding import HIDES_UTF_8, UNDECLARED, UNDECLARED_UTF_8, UNDECODABLE
from worklist.dicom.encoding import AnswerPlan
from worklist.dicom.matching import IdentifierError, read_keys
from worklist.dicom.output_rules import OutputRules
from worklist.dicom.reading import FileRefused
from worklist.items import worklist_files
from worklist.models import CHARACTER_SETS

# pydicom warns of terms that it does not know; in the server that ends nothing.
pytestmark = pytest.mark.filterwarnings("ignore:Unknown encoding")

NAME, ID, CHARACTER_SET, STEPS = 0x00100010, 0x00100020, 0x00080005, 0x00400100
# What each holds, by the number of its registration, and Python's codec for it where that is all.
SINGLE = {
    "100": ("Müller^Jörg", "latin_1"),
    "101": ("ZIÓŁKOWSKI^Čeněk", "iso8859_2"),
    "109": ("Ġorġ^Ħaż", "iso8859_3"),
    "110": ("Ģirts^Ķēniņš", "iso8859_4"),
    "144": ("Люксембург", "iso8859_5"),
    "127": ("قباني^لنزار", "iso8859_6"),
    "126": ("Διονυσιος", "iso8859_7"),
    "138": ("שרון^דבורה", "iso8859_8"),
    "148": ("Çavuşoğlu^İsmail", "iso8859_9"),
    "203": ("Œuvrard^Šárka", "iso8859_15"),
    "166": ("นาง^ก", "tis_620"),
}
WRITTEN: dict[tuple[str, ...], tuple[str, bytes]] = {
    **{(f"ISO_IR {number}",): (name, name.encode(codec)) for number, (name, codec) in SINGLE.items()},
    **{(f"ISO 2022 IR {number}",): (name, name.encode(codec)) for number, (name, codec) in SINGLE.items()},
    ("ISO_IR 13",): ("ﾔﾏﾀﾞ^ﾀﾛｳ", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3"),
    ("ISO 2022 IR 13",): ("ﾔﾏﾀﾞ^ﾀﾛｳ", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3"),
    ("ISO 2022 IR 6", "ISO 2022 IR 100"): ("Jörg", b"J\x1b-A\xf6rg"),
    ("", "ISO 2022 IR 144"): ("Ив^И", b"\x1b-L\xb8\xd2^\x1b-L\xb8"),
    ("ISO 2022 IR 100", "ISO 2022 IR 126"): ("é^Σ", b"\xe9^\x1b-F\xd3"),
    ("", "ISO 2022 IR 87"): ("Y=山田^太郎", b"Y=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"),
    ("", "ISO 2022 IR 87", "ISO 2022 IR 159"): ("山丂", b"\x1b$B;3\x1b$(D\x30!\x1b(B"),
    ("ISO 2022 IR 100", "ISO 2022 IR 87"): ("ü^山", b"\xfc^\x1b$B;3\x1b(B"),
    ("", "ISO 2022 IR 149"): ("H=洪^吉", b"H=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce"),
    ("", "ISO 2022 IR 58"): ("Zhang=张^小东", b"Zhang=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab"),
    ("ISO_IR 192",): ("王^小明", "王^小明".encode()),
    ("GB18030",): ("王^乗", b"\xcd\xf5^\x81\x5c"),
    ("GBK",): ("王^乗", b"\xcd\xf5^\x81\x5c"),
}


def element(tag: int, vr: str, value: bytes) -> bytes:
    padded = value + b" " * (len(value) % 2)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    size = struct.pack("<HL", 0, len(padded)) if vr == "SQ" else struct.pack("<H", len(padded))
    return head + size + padded


def declared(given: tuple[str, ...]) -> bytes:
    return element(CHARACTER_SET, "CS", "\\".join(given).encode()) if given else b""


def in_file(folder: Path, given: tuple[str, ...], name: bytes, patient_id: bytes = b"P1") -> str:
    step = element(0x00080060, "CS", b"MR") + element(0x00400002, "DA", b"20260110")
    step += element(0x00400003, "TM", b"0930") + element(0x00400009, "SH", b"S1")
    item = struct.pack("<HHL", 0xFFFE, 0xE000, len(step)) + step
    content = declared(given) + element(NAME, "PN", name) + element(ID, "LO", patient_id)
    content += element(0x0020000D, "UI", b"1.2") + element(STEPS, "SQ", item)
    path = folder / "a.wl"
    meta = element(0x00020010, "UI", b"1.2.840.10008.1.2.1\0")
    path.write_bytes(
        b"\0" * 128 + b"DICM" + element(0x00020000, "UL", struct.pack("<L", len(meta))) + meta + content
    )
    return worklist_files.read(path).steps[0].values["patient_name"]


def query(given: tuple[str, ...], name: bytes) -> FindRequest:
    return FindRequest(declared(given) + element(NAME, "PN", name), implicit_vr=False)


def asked(request: FindRequest) -> str:
    return read_keys(requests.read(request)).keys[0].asked[0]


def reported(given: tuple[str, ...], name: bytes) -> tuple[str, list[str]]:
    data = declared(given) + element(NAME, "PN", name)
    reading = json_model.read(datasets.read(data, implicit_vr=False, deflated=False, longest=10_000))
    return performed.patient(reading.dataset).name, [each.sentence for each in reading.doubtful]


def answered(request: FindRequest, name: str, rules: OutputRules) -> tuple[str, bytes]:
    """Return Specific Character Set and the bytes of the name."""
    plan = AnswerPlan(requests.read(request), implicit_vr=False, rules=rules)
    answer = plan.encode({**RECORD, "patient_name": name}).identifier
    dataset = read_dataset(BytesIO(answer), is_implicit_VR=False, is_little_endian=True)
    raw = dataset.get_item(NAME)
    assert str(decoding.element(dataset, raw.tag).element.value) == name
    return "\\".join(decoding.terms(dataset)), bytes(raw.value).rstrip(b" ")


@pytest.mark.acceptance("D181")
@pytest.mark.parametrize("given", WRITTEN, ids=lambda given: "\\".join(given))
def test_a_name_in_any_character_set_comes_through_every_door(given: tuple[str, ...], tmp_path: Path) -> None:
    name, encoded = WRITTEN[given]
    assert in_file(tmp_path, given, encoded) == name
    assert asked(query(given, encoded)) == name
    assert reported(given, encoded) == (name, [])
    assert answered(query(given, b""), name, OutputRules()) == ("\\".join(given), encoded)
    if "\\".join(given) in CHARACTER_SETS:
        by_rule = answered(query((), b""), name, OutputRules(character_set=given))
        assert by_rule == ("\\".join(given), encoded)


@pytest.mark.acceptance("D181")
def test_the_table_of_defined_terms_says_what_is_so() -> None:
    rows = {term.strip("`"): row for term, *row in terms()}
    # ASCII alone is the default repertoire, which needs no term.
    assert {term for given in WRITTEN for term in given} - {""} == rows.keys()
    for term, (read, answer, rules) in rows.items():
        assert read == "yes"
        is_default = term == "ISO 2022 IR 6"
        assert answer == (FURTHER if requested_set((term,)) is None and not is_default else "yes")
        assert all(rule.strip("` ") in CHARACTER_SETS for rule in rules.split(",") if rule != "-")
    assert len(rows) == len(set(code_elements.DEFINED_TERMS)) == 32


@pytest.mark.acceptance("D184")
@pytest.mark.parametrize(
    ("given", "name", "hidden", "read"),
    [
        ((), "Müller*", UNDECLARED_UTF_8, "Müller*"),
        (("ISO_IR 6",), "山田", UNDECLARED_UTF_8, "山田"),
        (("ISO_IR 999",), "Müller", UNDECLARED_UTF_8, "Müller"),
        (("", "ISO 2022 IR 87"), "Müller", UNDECLARED_UTF_8, "Müller"),
        (("ISO_IR 100",), "Müller", HIDES_UTF_8, "MÃ¼ller"),
        (("ISO_IR 100",), "Šimek", HIDES_UTF_8, "Å\xa0imek"),
        (("ISO_IR 100",), "山田", HIDES_UTF_8, "å±±ç\x94°"),
        (("ISO_IR 100",), "Юло", HIDES_UTF_8, "Ð®Ð»Ð¾"),
        (("ISO 2022 IR 100", "ISO 2022 IR 87"), "Müller", HIDES_UTF_8, "MÃ¼ller"),
        (("ISO_IR 101",), "Müller", HIDES_UTF_8, "MĂźller"),
        (("ISO_IR 101",), "Čapek", HIDES_UTF_8, "Ä\x8capek"),
        (("ISO_IR 144",), "Юло", HIDES_UTF_8, "аЎаЛаО"),
        (("ISO_IR 148",), "Çelik", HIDES_UTF_8, "Ã\x87elik"),
    ],
)
def test_utf_8_that_is_not_declared_is_told_and_a_files_refused(
    given: tuple[str, ...], name: str, hidden: str, read: str, tmp_path: Path
) -> None:
    request = query(given, name.encode())
    assert asked(request) == read
    assert f"PatientName (0010,0010): {hidden}" in requests.doubts(request)
    assert reported(given, name.encode())[1][-1] == hidden
    with pytest.raises(FileRefused, match="PatientName \\(0010,0010\\)"):
        in_file(tmp_path, given, name.encode())
    with pytest.raises(FileRefused, match="PatientID \\(0010,0020\\)"):
        in_file(tmp_path, given, b"DOE", patient_id=name.encode())


def test_latin_1_that_is_not_declared_is_read_as_that() -> None:
    assert asked(query((), b"M\xfcller")) == "Müller"
    assert requests.doubts(query((), b"M\xfcller")) == [f"PatientName (0010,0010): {UNDECLARED}"]


@pytest.mark.acceptance("D184")
@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("ISO_IR 100", "Weiß\xa0Hans"),
        ("ISO_IR 100", "JOSÉ\xa0MARIA"),
        ("ISO_IR 100", "CONCEIÇÃO^João"),
        ("ISO_IR 100", "D\xb4ÀNGELO"),
        ("ISO_IR 100", "Ångström^Élodie"),
        ("ISO_IR 101", "ZIÓŁKOWSKI"),
        ("ISO_IR 101", "DĹŽEŇ"),
        ("ISO_IR 101", "KOČŠ"),
        ("ISO_IR 148", "ŞİMŞEK^Gül"),
    ],
)
def test_a_name_of_one_byte_each_is_not_taken_for_utf_8(term: str, name: str, tmp_path: Path) -> None:
    encoded = name.encode(code_elements.EIGHT_BIT_CODECS[term])
    assert in_file(tmp_path, (term,), encoded) == name
    assert requests.doubts(query((term,), encoded)) == []


@pytest.mark.acceptance("D180")
@pytest.mark.parametrize(
    ("given", "encoded"),
    [
        ((), b"\x1b$)A\xd5\xc5"),
        (("ISO_IR 100",), b"\x1b$)A\xd5\xc5"),
        (("", "ISO 2022 IR 58"), b"\x1b$)A\xd5"),
        (("", "ISO 2022 IR 58"), b"\x1b$+Q\xd5\xc5"),
        (("ISO_IR 192",), b"M\xfcller"),
    ],
)
def test_what_is_not_written_in_its_character_set_is_refused_by_name(
    given: tuple[str, ...], encoded: bytes, tmp_path: Path
) -> None:
    with pytest.raises(FileRefused, match="PatientName \\(0010,0010\\)"):
        in_file(tmp_path, given, encoded)
    with pytest.raises(IdentifierError) as refused:
        asked(query(given, encoded))
    assert refused.value.tag == NAME
    assert len(refused.value.comment) <= 64
    assert reported(given, encoded)[1] == [UNDECODABLE]


def test_items_of_a_sequence_have_the_character_set_of_what_is_around_them() -> None:
    physician = element(0x00400006, "PN", b"\x1b$)A\xd5\xc5")
    item = struct.pack("<HHL", 0xFFFE, 0xE000, len(physician)) + physician
    data = declared(("", "ISO 2022 IR 58")) + element(STEPS, "SQ", item)
    assert asked(FindRequest(data, implicit_vr=False)) == "张"
    own = declared(("ISO_IR 192",)) + element(0x00400006, "PN", "张".encode())
    item = struct.pack("<HHL", 0xFFFE, 0xE000, len(own)) + own
    data = declared(("", "ISO 2022 IR 58")) + element(STEPS, "SQ", item)
    assert asked(FindRequest(data, implicit_vr=False)) == "张"


@pytest.mark.acceptance("D184")
@pytest.mark.django_db
def test_an_undeclared_query_finds_whom_it_names_and_is_answered_in_a_declared_set() -> None:
    item = make_item(patient_name="Müller^Jörg")
    item.save_as("test")
    found = preview("MR1", query((), "Müller*".encode()))
    assert [answer.pk for answer in found.answers] == [item.pk]
    assert found.answers[0].dataset.SpecificCharacterSet == "ISO_IR 100"
    assert preview("MR1", query(("ISO_IR 100",), "Müller*".encode())).answers == []


@pytest.mark.acceptance("D181")
@settings(deadline=None, max_examples=tries(100, nightly=3000))
@given(st.sampled_from(list(WRITTEN)), st.data())
def test_what_is_answered_in_a_set_is_read_the_same_at_every_door(
    given: tuple[str, ...], data: st.DataObject
) -> None:
    letters = "".join(sorted({*WRITTEN[given][0]} - {"^", "="})) + "aZ-. "
    name = "^".join(data.draw(st.lists(st.text(letters, min_size=1, max_size=6), min_size=1, max_size=4)))
    name = "^".join(part.strip() for part in name.split("^")).strip("^")
    if not name:
        return
    terms_sent, encoded = answered(query(given, b""), name, OutputRules())
    sent = tuple(terms_sent.split("\\")) if terms_sent else ()
    assert terms_sent in ("", "\\".join(given))
    assert asked(query(sent, encoded)) == name
    assert reported(sent, encoded)[0] == name


def test_padding_is_not_counted_as_a_character() -> None:
    """Sixteen characters of seventeen bytes are padded to eighteen."""
    accession = "A" * 15 + "Ü"
    data = declared(("ISO_IR 192",)) + element(0x00080050, "SH", accession.encode())
    request = FindRequest(data, implicit_vr=False)
    assert asked(request) == accession
    dataset = decoding.decoded(requests.read(request))
    assert dataset.AccessionNumber == accession


def test_a_data_set_is_decoded_whole() -> None:
    dataset = datasets.read(
        declared(("", "ISO 2022 IR 58")) + element(NAME, "PN", b"\x1b$)A\xd5\xc5"),
        implicit_vr=False,
        deflated=False,
        longest=1000,
    )
    found: Dataset = decoding.decoded(dataset)
    assert str(found.PatientName) == "张"
