"""What is written plainly in a file is read without pydicom's elements, and is what they would say."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag

from tests.effort import tries
from worklist.dicom import decoding, reading
from worklist.dicom.reading import FileRefused
from worklist.items.worklist_files import _text

# Attributes of these value representations, and one whose own is another than is sent.
TAGS = {
    "AE": 0x00400001,
    "AS": 0x00101010,
    "CS": 0x00080060,
    "DA": 0x00100030,
    "DS": 0x00101030,
    "DT": 0x00404010,
    "IS": 0x00200013,
    "LO": 0x00100020,
    "LT": 0x00104000,
    "PN": 0x00100010,
    "SH": 0x00080050,
    "ST": 0x00080081,
    "TM": 0x00080030,
    "UC": 0x00189908,
    "UI": 0x0020000D,
    "UT": 0x0040A160,
}
TERMS = [
    b"",
    b"ISO_IR 192",
    b"ISO_IR 100",
    b"\\ISO 2022 IR 87",
    b"ISO_IR 13 ",
    b"ISO 2022 IR 149",
    b"no such",
]
TEXTS = st.text(st.sampled_from("AB^=10.-+e ~\t\n\0\\é山"), max_size=10).map(lambda text: text.encode())
BYTES = st.one_of(TEXTS, TEXTS.map(lambda text: text + b" "), st.binary(max_size=10))


def dataset_of(vr: str, tag: int, value: bytes, terms: bytes) -> Any:
    encoded = _element("CS", 0x00080005, terms) if terms else b""
    encoded += _element(vr, tag, value)
    return read_dataset(BytesIO(encoded), is_implicit_VR=False, is_little_endian=True)


def _element(vr: str, tag: int, value: bytes) -> bytes:
    long = b"\0\0" if vr in {"UC", "UT", "UN"} else b""
    length = struct.pack("<I" if long else "<H", len(value))
    return struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode()) + long + length + value


def by_pydicom(dataset: Any, tag: BaseTag) -> tuple[str, Any]:
    """Return the text for a field and the value for an extra attribute, as they come of an element."""
    declared = reading.declares_character_set(dataset)
    element = reading.element(dataset, tag, declared=declared)
    return _text(element), reading.json_value(element, [], declared=declared)


@pytest.mark.acceptance("WR34")
@pytest.mark.parametrize("vr", TAGS)
@given(value=BYTES, terms=st.sampled_from(TERMS), other=st.booleans())
@settings(max_examples=tries(40, nightly=1000), deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_written_plainly_is_what_an_element_says(
    vr: str, value: bytes, terms: bytes, other: bool
) -> None:
    """`other` gives the value to an attribute that the dictionary has of another representation."""
    tag = Tag(TAGS["LO" if other and vr != "LO" else vr])
    with reading.strictly():
        dataset = dataset_of(vr, tag, value, terms)
        declared = reading.declares_character_set(dataset)
        plain = reading.plain_text(dataset, tag, decoding.decoder(dataset), declared=declared)
        if plain is not None:
            said = plain.text.strip("\0 "), reading.plain_json_value(plain)
            assert said == by_pydicom(dataset, tag)
            assert list(map(type, said)) == [str, type(reading.plain_json_value(plain))]


@pytest.mark.acceptance("WR34")
@pytest.mark.parametrize("vr", TAGS)
def test_a_usual_value_is_written_plainly(vr: str) -> None:
    value = {"DS": b"72.5", "IS": b"7 ", "DA": b"20260131", "PN": b"DOE^JOHN"}.get(vr, b"1.20")
    dataset = dataset_of(vr, TAGS[vr], value, b"ISO_IR 100")

    plain = reading.plain_text(dataset, Tag(TAGS[vr]), decoding.decoder(dataset), declared=True)

    assert plain is not None
    assert plain.text == value.decode().strip()


@pytest.mark.acceptance("WR34")
@pytest.mark.parametrize(
    ("vr", "value", "terms"),
    [
        ("LO", b"caf\xe9", b""),
        ("LO", b"\xff\xfe", b"ISO_IR 192"),
        ("LO", b"\x1b$B;3", b"ISO_IR 100"),
        ("DS", b"heavy ", b""),
        ("CS", b"A\\B ", b""),
        ("DA", b"2026\0131", b""),
    ],
)
def test_what_is_doubtful_is_left_to_an_element(vr: str, value: bytes, terms: bytes) -> None:
    dataset = dataset_of(vr, TAGS[vr], value, terms)
    declared = reading.declares_character_set(dataset)

    assert reading.plain_text(dataset, Tag(TAGS[vr]), decoding.decoder(dataset), declared=declared) is None


@pytest.mark.acceptance("WR34")
def test_a_doubtful_text_is_still_refused_by_name() -> None:
    dataset = dataset_of("LO", TAGS["LO"], b"caf\xe9", b"")

    with pytest.raises(FileRefused, match=r"PatientID \(0010,0020\) is not ASCII"):
        reading.element(dataset, Tag(TAGS["LO"]), declared=False)
