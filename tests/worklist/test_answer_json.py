"""An answer in the DICOM JSON Model is what pydicom makes of the same bytes, for every value representation.

What the API answers is tested with test_api_items.py, and the bytes with test_encoding.py.
"""

from __future__ import annotations

import json
import struct
import warnings
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filereader import read_dataset
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from tests.effort import tries
from tests.worklist.encoding_examples import RECORD, VALUES, records, requests
from worklist.answering.requests import universal_query
from worklist.dicom import answer_json, decoding, elements
from worklist.dicom.answer_json import JsonWriter
from worklist.dicom.encoding import AnswerPlan

SEVERAL_TIMES = {"deadline": None, "suppress_health_check": list(HealthCheck)}
# Texts as they come, and as they should not: padded, empty, of several values, with signs of other scripts.
ODD_TEXTS = st.text(st.sampled_from("A1.0 -^=\\\0\t\nüé山 +eE"), max_size=12)


def by_pydicom(identifier: bytes) -> dict[str, Any]:
    dataset = read_dataset(BytesIO(identifier), is_implicit_VR=False, is_little_endian=True)
    made: dict[str, Any] = decoding.decoded(dataset).to_json_dict()
    return made


def is_the_same(identifier: bytes) -> bool:
    """Compare the texts, which say more than equal numbers do, and keep the order of the attributes."""
    return json.dumps(answer_json.of_answer(identifier)) == json.dumps(by_pydicom(identifier))


def element(vr: str, value: bytes, *, tag: tuple[int, int] = (0x0072, 0x0001)) -> bytes:
    head = struct.pack("<HH2s", *tag, vr.encode())
    if vr in EXPLICIT_VR_LENGTH_32:
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


@pytest.mark.acceptance("WR30")
@settings(max_examples=tries(40, nightly=400), **SEVERAL_TIMES)  # type: ignore[arg-type]
@given(records, st.one_of(st.just(universal_query()), requests()))
def test_an_answer_is_what_pydicom_makes_of_it(item: dict[str, Any], asked: Dataset) -> None:
    assert is_the_same(AnswerPlan(asked, implicit_vr=False).encode(item).identifier)


@pytest.mark.acceptance("WR53")
@settings(max_examples=tries(40, nightly=400), **SEVERAL_TIMES)  # type: ignore[arg-type]
@given(st.lists(records, min_size=1, max_size=4), st.one_of(st.just(universal_query()), requests()))
def test_what_is_written_is_the_text_of_what_pydicom_makes(
    items: list[dict[str, Any]], asked: Dataset
) -> None:
    """One writer writes all, and each twice: what it remembers of one must be right for the next."""
    plan = AnswerPlan(asked, implicit_vr=False)
    plain, in_utf_8 = JsonWriter(), JsonWriter(in_utf_8=True)
    for item in (*items, *items):
        parts = plan.parts(item)
        expected = by_pydicom(plan.encode(item).identifier)

        assert plain.write(parts) == as_text(expected)
        assert in_utf_8.write(parts) == as_text(said_in_utf_8(expected))


@pytest.mark.acceptance("WR53")
@pytest.mark.parametrize("vr", ["SH", "SQ", "UN"])
def test_what_an_item_says_of_its_character_set_is_its_own(vr: str) -> None:
    """An item may name another one than what is around it, and what is left to pydicom may have items."""
    within = element("CS", b"ISO_IR 100", tag=(0x0008, 0x0005)) + element(
        "LO", b"M\xfcller", tag=(0x0010, 0x0020)
    )
    encoded = element("CS", b"ISO_IR 192", tag=(0x0008, 0x0005))
    encoded += element(vr, elements.item(b"") if vr != "SH" else b"\xc3\xbc", tag=(0x0040, 0x0260))
    encoded += element("SQ", elements.item(within) + elements.item(b""), tag=(0x0040, 0x0440))
    encoded += element("SQ", b"", tag=(0x0040, 0x0555))
    expected = by_pydicom(encoded)

    assert as_text(answer_json.of_answer(encoded)) == as_text(expected)
    assert as_text(answer_json.of_answer(encoded, in_utf_8=True)) == as_text(said_in_utf_8(expected))


def as_text(dataset: dict[str, Any]) -> str:
    return json.dumps(dataset, ensure_ascii=False, separators=(",", ":"))


def said_in_utf_8(dataset: dict[str, Any], *, is_item: bool = False) -> dict[str, Any]:
    """Name UTF-8 where a character set is named, and only at the root; no values have no `Value`."""
    found: dict[str, Any] = {}
    for key, held in dataset.items():
        if key == "00080005":
            if not is_item:
                found[key] = {"vr": "CS", "Value": ["ISO_IR 192"]}
        elif held["vr"] == "SQ":
            items = [said_in_utf_8(item, is_item=True) for item in held.get("Value", ())]
            found[key] = {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
        else:
            found[key] = held
    return found


@pytest.mark.acceptance("WR30")
@pytest.mark.parametrize("vr", sorted({*VALUES, "OB", "OW", "UN"}))
@settings(max_examples=tries(20, nightly=300), **SEVERAL_TIMES)  # type: ignore[arg-type]
@given(data=st.data())
def test_a_value_is_what_pydicom_makes_of_it(vr: str, data: st.DataObject) -> None:
    """In a character set of its own, at the root and in an item; any bytes are as pydicom reads them."""
    terms = data.draw(st.sampled_from([b"", b"ISO_IR 192", b"ISO_IR 100", b"\\ISO 2022 IR 87", b"unknown "]))
    value = data.draw(st.one_of(ODD_TEXTS.map(lambda text: text.encode()), st.binary(max_size=24)))
    within = elements.item(element(vr, value))
    encoded = element("CS", terms, tag=(0x0008, 0x0005)) if terms else b""
    encoded += element(vr, value) + element("SQ", within + elements.item(b""), tag=(0x0072, 0x0002))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = by_pydicom(encoded)
        except Exception as error:
            with pytest.raises(type(error)):
                answer_json.of_answer(encoded)
            return
        assert json.dumps(answer_json.of_answer(encoded)) == json.dumps(expected)


@pytest.mark.acceptance("WR30")
@pytest.mark.parametrize("vr", sorted(VALUES))
def test_a_usual_value_needs_no_pydicom(vr: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this, nothing would be faster: what is left to pydicom is what nobody writes."""
    monkeypatch.setattr(answer_json, "read_dataset", None)
    usual = {
        "AT": b"\x10\0\x20\0",
        "DS": b"72.5",
        "IS": b"7 ",
        "AS": b"034Y",
        "UR": b"a:b ",
        "DA": b"20260131",
    }
    binary = {"FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"}
    value = bytes(8) if vr in binary else usual.get(vr, b"ABC ")

    assert answer_json.of_answer(element(vr, value))["00720001"]["Value"]


@pytest.mark.acceptance("WR30")
@pytest.mark.parametrize("cut", range(1, 8))
def test_an_answer_that_is_cut_off_is_no_data_set(cut: int) -> None:
    identifier = AnswerPlan(universal_query(), implicit_vr=False).encode(RECORD).identifier

    with pytest.raises(struct.error):
        answer_json.of_answer(identifier[:-cut])
