"""The compiled encoder is held against pydicom, and the rules of answers (PS3.4 K.4.1.1.3.2, Table K.6-1).

Associations, transfer syntaxes as negotiated and the order of answers are tested where they are made.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from io import BytesIO
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset, config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.filereader import read_dataset
from pydicom.tag import Tag

from tests.effort import tries
from tests.worklist.encoding_examples import RECORD, records, requests
from tests.worklist.encoding_reference import expected, read, write
from worklist.dicom.encoding import AnswerPlan, EncodingError
from worklist.dicom.item_attributes import ROOT_ATTRIBUTES, STEP_ATTRIBUTES

BOTH = pytest.mark.parametrize("implicit_vr", [False, True], ids=["explicit", "implicit"])


@pytest.fixture(autouse=True, scope="module")
def strict_pydicom() -> Iterator[None]:
    """What breaks a rule of a VR raises, in writing and in reading."""
    before = config.settings.reading_validation_mode, config.settings.writing_validation_mode
    config.settings.reading_validation_mode = config.RAISE
    config.settings.writing_validation_mode = config.RAISE
    yield
    config.settings.reading_validation_mode, config.settings.writing_validation_mode = before


def keys(*keywords: str) -> Dataset:
    request = Dataset()
    for keyword in keywords:
        tag = tag_for_keyword(keyword)
        assert tag is not None
        request.add_new(tag, dictionary_VR(tag), [] if dictionary_VR(tag) == "SQ" else None)
    return request


def read_lazily(request: Dataset, *, implicit_vr: bool) -> Dataset:
    """Read the request as it arrives: undecoded elements, without VR where it is implicit."""
    buffer = BytesIO(write(request, implicit_vr=implicit_vr))
    return read_dataset(buffer, implicit_vr, is_little_endian=True)


def header(tag: int, vr: str, *, implicit_vr: bool) -> bytes:
    """Return an element of zero length (PS3.5 7.1.2, 7.1.3)."""
    number = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if implicit_vr:
        return number + b"\0\0\0\0"
    return number + vr.encode() + (b"\0\0\0\0\0\0" if vr == "OW" else b"\0\0")


def step_keys(*keywords: str) -> Dataset:
    request = Dataset()
    request.ScheduledProcedureStepSequence = [keys(*keywords)]
    return request


def answer(request: Dataset, *, complete: bool = True, implicit_vr: bool = False, **fields: Any) -> Dataset:
    """Return the decoded answer for the example item with these fields."""
    encoded = AnswerPlan(request, implicit_vr=implicit_vr).encode(RECORD | fields)
    assert encoded.complete is complete
    return read(encoded.identifier, implicit_vr=implicit_vr)


def step(request: Dataset, **fields: Any) -> Dataset:
    item: Dataset = answer(request, **fields).ScheduledProcedureStepSequence[0]
    return item


def keywords(dataset: Dataset) -> list[str]:
    return [element.keyword for element in dataset]


@pytest.mark.acceptance("D79")
@settings(deadline=None, max_examples=tries(20, nightly=60), suppress_health_check=list(HealthCheck))
@given(st.lists(requests(), min_size=3, max_size=3), st.lists(records, min_size=4, max_size=4))
@pytest.mark.timeout(180)
def test_every_byte_is_as_pydicom_writes_it(asked: list[Dataset], items: list[dict[str, Any]]) -> None:
    """Each answer is read again with strict validation. 90 x 3 x 4 x 2 = 2,160 answers."""
    for identifier, implicit_vr in product(asked, (False, True)):
        request = read(write(identifier, implicit_vr=implicit_vr), implicit_vr=implicit_vr)
        plan = AnswerPlan(request, implicit_vr=implicit_vr)
        for item in items:
            encoded = plan.encode(item)
            assert encoded == expected(request, item, implicit_vr=implicit_vr)
            read(encoded.identifier, implicit_vr=implicit_vr)


@BOTH
def test_every_value_representation_is_written_as_pydicom_writes_it(implicit_vr: bool) -> None:
    extra = {
        "SelectorATValue": ["00100020", "0008103E"],
        "SelectorFDValue": -1.5,
        "SelectorFLValue": [0.5, 2],
        "SelectorSLValue": -(2**31),
        "SelectorSSValue": -1,
        "SelectorSVValue": -(2**63),
        "SelectorULValue": 0,
        "SelectorUSValue": [1, 65535],
        "SelectorUVValue": 2**64 - 1,
        "SelectorUCValue": "odd",
        "SelectorUIValue": ["1.2.3", "1.2.4"],
        "SelectorURValue": "https://example.org",
        "SelectorUTValue": "a backslash \\ and\r\na new line",
        "SelectorISValue": 7,
        "SelectorDSValue": [1.75, "1e5"],
    }
    request = keys(*extra)
    item = RECORD | {"extra_attributes": extra}
    encoded = AnswerPlan(request, implicit_vr=implicit_vr).encode(item)
    assert encoded == expected(request, item, implicit_vr=implicit_vr)
    decoded = read(encoded.identifier, implicit_vr=implicit_vr)
    assert decoded.SelectorUVValue == 2**64 - 1
    assert decoded.SelectorATValue == [Tag("PatientID"), Tag("SeriesDescription")]


@pytest.mark.acceptance("D52")
def test_only_what_is_requested_is_returned() -> None:
    assert keywords(answer(keys("PatientID"))) == ["PatientID"]
    assert keywords(answer(keys("PatientID"), patient_id="Müller")) == ["SpecificCharacterSet", "PatientID"]


@pytest.mark.acceptance("D53")
@BOTH
def test_every_attribute_of_the_table_is_there_by_its_type(implicit_vr: bool) -> None:
    request = keys(*(attribute.keyword for attribute in ROOT_ATTRIBUTES))
    request.ScheduledProcedureStepSequence = [keys(*(attribute.keyword for attribute in STEP_ATTRIBUTES))]
    decoded = answer(request, implicit_vr=implicit_vr)
    item = decoded.ScheduledProcedureStepSequence[0]
    for attribute in (*ROOT_ATTRIBUTES, *STEP_ATTRIBUTES):
        holder = item if attribute in STEP_ATTRIBUTES else decoded
        if attribute.return_type != "1C":
            assert attribute.tag in holder, attribute.keyword
        if attribute.return_type == "1":
            assert holder[attribute.tag].value, attribute.keyword


@pytest.mark.acceptance("D54")
def test_ids_are_the_items_own() -> None:
    request = step_keys("ScheduledProcedureStepID")
    request.update(keys("RequestedProcedureID", "AccessionNumber"))
    decoded = answer(
        request, scheduled_procedure_step_id="S7", requested_procedure_id="R7", accession_number="A7"
    )
    assert decoded.ScheduledProcedureStepSequence[0].ScheduledProcedureStepID == "S7"
    assert (decoded.RequestedProcedureID, decoded.AccessionNumber) == ("R7", "A7")


@pytest.mark.acceptance("D55")
def test_dates_have_eight_digits_and_times_six() -> None:
    request = step_keys("ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime")
    item = step(request, scheduled_start_date=date(2026, 1, 2), scheduled_start_time=time(9, 3, 0, 250))
    assert item.ScheduledProcedureStepStartDate == "20260102"
    assert item.ScheduledProcedureStepStartTime == "090300"


@pytest.mark.parametrize(
    ("weight", "sent"),
    [
        pytest.param(Decimal("69.85"), "69.85", id="D58"),
        pytest.param(Decimal("70.00"), "70", id="without trailing zeros"),
        pytest.param(Decimal("100"), "100", id="without an exponent"),
        pytest.param(None, "None", id="D59"),
    ],
)
def test_a_weight_is_sent_in_kilograms_or_empty(weight: Decimal | None, sent: str) -> None:
    assert str(answer(keys("PatientWeight"), patient_weight_kg=weight).PatientWeight) == sent


@pytest.mark.parametrize(
    ("name", "asked", "sent", "value"),
    [
        pytest.param("MÜLLER^JÖRG", "ISO_IR 100", "ISO_IR 100", b"M\xdcLLER^J\xd6RG ", id="D62"),
        pytest.param("MÜLLER^JÖRG", None, "ISO_IR 100", b"M\xdcLLER^J\xd6RG ", id="D62, none asked"),
        pytest.param(
            "MÜLLER", "ISO_IR 192", "ISO_IR 192", "MÜLLER".encode(), id="the query's own goes first"
        ),
        pytest.param("王^小明", "ISO_IR 192", "ISO_IR 192", "王^小明".encode(), id="D63"),
        pytest.param("王^小明", "ISO_IR 100", "ISO_IR 192", "王^小明".encode(), id="D64"),
        pytest.param("王^小明", "GB18030", "GB18030", "王^小明 ".encode("gb18030"), id="GB18030"),
        pytest.param("王^小明", "NONSENSE", "ISO_IR 192", "王^小明".encode(), id="unknown in the query"),
        pytest.param("DOE^JOHN", "ISO_IR 192", None, b"DOE^JOHN", id="D65"),
    ],
)
def test_the_first_character_set_that_holds_the_item_is_sent(
    name: str, asked: str | None, sent: str | None, value: bytes
) -> None:
    request = keys("PatientName")
    if asked:
        request.add_new("SpecificCharacterSet", "CS", asked)
    encoded = AnswerPlan(request, implicit_vr=False).encode(RECORD | {"patient_name": name})
    assert encoded.identifier.endswith(value if len(value) % 2 == 0 else value + b" ")
    assert read(encoded.identifier, implicit_vr=False).get("SpecificCharacterSet") == sent


def test_the_character_set_stands_in_tag_order_and_governs_the_step_item() -> None:
    request = step_keys("ScheduledProcedureStepDescription")
    request.add_new(0x00080001, "UL", None)
    decoded = answer(request, procedure_description="Schädel")
    assert [element.tag for element in decoded] == [0x00080001, 0x00080005, 0x00400100]
    assert decoded.ScheduledProcedureStepSequence[0].ScheduledProcedureStepDescription == "Schädel"


@pytest.mark.acceptance("D66")
def test_a_long_code_is_a_long_code_value() -> None:
    request = step_keys("ScheduledProtocolCodeSequence")
    fields = {"protocol_name": "A protocol name of 29 letters", "hisris_coding_designator": "GEHC"}
    (code,) = step(request, **fields).ScheduledProtocolCodeSequence
    assert keywords(code) == ["CodingSchemeDesignator", "CodeMeaning", "LongCodeValue"]


@pytest.mark.acceptance("D66")
def test_a_code_that_was_requested_without_room_for_it_is_left_out() -> None:
    request = step_keys("Modality")
    request.ScheduledProcedureStepSequence[0].ScheduledProtocolCodeSequence = [
        keys("CodeValue", "CodeMeaning")
    ]
    fields = {"protocol_name": "A protocol name of 29 letters", "hisris_coding_designator": "GEHC"}
    assert keywords(step(request, **fields)) == ["Modality"]


@pytest.mark.acceptance("D67")
def test_a_protocol_without_scheme_is_described_not_coded() -> None:
    request = step_keys("ScheduledProtocolCodeSequence", "ScheduledProcedureStepDescription")
    item = step(request, protocol_name="BRAIN")
    assert keywords(item) == ["ScheduledProcedureStepDescription"]
    assert item.ScheduledProcedureStepDescription == "BRAIN"


@pytest.mark.acceptance("D68")
def test_a_code_has_its_meaning() -> None:
    request = step_keys("Modality")
    request.ScheduledProcedureStepSequence[0].ScheduledProtocolCodeSequence = [
        keys("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
    ]
    (code,) = step(request, protocol_name="T1", hisris_coding_designator="GEHC").ScheduledProtocolCodeSequence
    assert (code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning) == ("T1", "GEHC", "T1")


@pytest.mark.parametrize(
    "keyword",
    [
        pytest.param("ReferencedStudySequence", id="D69"),
        pytest.param("ReferencedPatientSequence", id="D70"),
    ],
)
def test_a_type_2_sequence_without_items_has_zero_length(keyword: str) -> None:
    request = keys(keyword)
    setattr(request, keyword, [keys("ReferencedSOPClassUID", "ReferencedSOPInstanceUID")])
    encoded = AnswerPlan(request, implicit_vr=True).encode(RECORD).identifier
    assert len(encoded) == 8
    assert encoded.endswith(b"\0\0\0\0")


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        pytest.param("SCHEDULED", "SCHEDULED", id="D71"),
        pytest.param("IN_PROGRESS", "STARTED", id="D71, started"),
    ],
)
def test_a_status_is_sent_in_the_terms_of_dicom(status: str, sent: str) -> None:
    item = step(step_keys("ScheduledProcedureStepStatus"), performed_procedure_step_status=status)
    assert item.ScheduledProcedureStepStatus == sent


@pytest.mark.parametrize(
    ("keyword", "fields"),
    [
        pytest.param("PatientName", {"patient_name": "DOE\\JOHN"}, id="D72, backslash"),
        pytest.param("PatientName", {"patient_name": "DOE\x1b$B^JOHN"}, id="D72, control character"),
        pytest.param("PatientName", {"patient_name": "A" * 65}, id="a long name"),
        pytest.param("RequestedProcedureDescription", {"study_description": "d" * 65}, id="D72, too long"),
        pytest.param("AccessionNumber", {"accession_number": "1" * 17}, id="a long accession number"),
        pytest.param("StudyInstanceUID", {"study_instance_uid": "1.02.3"}, id="a UID with a leading zero"),
        pytest.param("PatientSex", {"patient_sex": "ä"}, id="a code that is not ASCII"),
        pytest.param("PregnancyStatus", {"extra_attributes": {"PregnancyStatus": 65536}}, id="out of range"),
        pytest.param(
            "PregnancyStatus", {"extra_attributes": {"PregnancyStatus": "1"}}, id="text for a number"
        ),
        pytest.param("StudyDate", {"extra_attributes": {"StudyDate": "2026-01-01"}}, id="not a DICOM date"),
        pytest.param(
            "PatientComments", {"extra_attributes": {"PatientComments": ["a", "b"]}}, id="two of one"
        ),
        pytest.param("MedicalAlerts", {"extra_attributes": {"MedicalAlerts": {"a": 1}}}, id="a mapping"),
        pytest.param(
            "ReferencedPatientSequence", {"extra_attributes": {"ReferencedPatientSequence": "x"}}, id="SQ"
        ),
        pytest.param("extra_attributes", {"extra_attributes": ["MedicalAlerts"]}, id="no mapping"),
    ],
)
def test_a_corrupt_value_is_refused_by_name_and_without_the_value(
    keyword: str, fields: dict[str, Any]
) -> None:
    plan = AnswerPlan(keys("PatientID" if keyword == "extra_attributes" else keyword), implicit_vr=False)
    with pytest.raises(EncodingError) as refused:
        plan.encode(RECORD | fields)
    assert refused.value.keyword == keyword
    assert str(refused.value) == f"the value of {keyword} cannot be encoded"
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    plan.encode(RECORD)


@pytest.mark.acceptance("D72")
def test_an_emoji_is_sent() -> None:
    assert answer(
        keys("RequestedProcedureDescription"), study_description="knee 🦵"
    ).RequestedProcedureDescription == ("knee 🦵")


@pytest.mark.acceptance("D34", "D35")
def test_an_empty_step_item_asks_for_the_whole_step() -> None:
    open_request, empty_item = Dataset(), Dataset()
    open_request.ScheduledProcedureStepSequence = []
    empty_item.ScheduledProcedureStepSequence = [Dataset()]
    whole = step(open_request)
    assert whole == step(empty_item)
    assert keywords(whole) == [
        "Modality",
        "ScheduledStationAETitle",
        "ScheduledProcedureStepStartDate",
        "ScheduledProcedureStepStartTime",
        "ScheduledPerformingPhysicianName",
        "ScheduledProcedureStepDescription",
        "ScheduledProcedureStepID",
        "ScheduledStationName",
        "ScheduledProcedureStepLocation",
        "ScheduledProcedureStepStatus",
    ]


@pytest.mark.acceptance("D5")
def test_all_stations_of_an_item_are_sent() -> None:
    item = step(step_keys("ScheduledStationAETitle"), scheduled_station_aetitle="MR1\\MR2")
    assert item.ScheduledStationAETitle == ["MR1", "MR2"]


@BOTH
@pytest.mark.parametrize(
    ("tag", "vr", "supported"),
    [
        pytest.param(0x00091001, "LO", False, id="D41"),
        pytest.param(0x00100099, "SH", False, id="unknown"),
        pytest.param(0x00102160, "SH", True, id="D43: with a value, which matching tells"),
        pytest.param(0x00080060, "CS", False, id="a step attribute at the root"),
        pytest.param(0x7FE00010, "OW", False, id="pixel data"),
    ],
)
def test_an_unsupported_attribute_has_zero_length_and_is_told(
    tag: int,
    vr: str,
    supported: bool,
    implicit_vr: bool,
) -> None:
    request = Dataset()
    request.add_new(tag, vr, "X" if vr == "SH" else None)
    decoded = AnswerPlan(read_lazily(request, implicit_vr=implicit_vr), implicit_vr=implicit_vr).encode(
        RECORD
    )
    assert decoded[:2] == (header(tag, vr, implicit_vr=implicit_vr), supported)


def test_a_private_creator_is_given_back_with_its_attributes() -> None:
    request = Dataset()
    request.private_block(0x0009, "ACME", create=True).add_new(0x01, "LO", "")
    assert answer(request, complete=False) == request


@pytest.mark.acceptance("D40")
@pytest.mark.parametrize("tag", [0x00080052, 0x00100000, 0x00080201, 0x0040A390, 0x00080005])
def test_what_is_said_of_the_request_is_not_returned(tag: int) -> None:
    request = keys("PatientID")
    request.add_new(tag, {0x00100000: "UL", 0x0040A390: "SQ"}.get(tag, "SH"), None)
    assert keywords(answer(request)) == ["PatientID"]


@pytest.mark.acceptance("D210")
@pytest.mark.parametrize("asked", [keys("EthnicGroup"), step_keys("EthnicGroup")], ids=["root", "step"])
def test_an_attribute_beyond_the_table_is_supported_and_empty_where_it_is_not_known(asked: Dataset) -> None:
    def told(**fields: Any) -> Dataset:
        decoded = answer(asked, **fields)
        part: Dataset = decoded.get("ScheduledProcedureStepSequence", [decoded])[0]
        return part

    assert told(extra_attributes={"EthnicGroup": "x"}).EthnicGroup == "x"
    assert keywords(told()) == ["EthnicGroup"]
    assert not told().EthnicGroup


@pytest.mark.acceptance("D210")
@pytest.mark.parametrize("asked", [keys("Modality"), step_keys("PatientID")], ids=["root", "step"])
def test_an_attribute_that_belongs_elsewhere_is_not_supported_there(asked: Dataset) -> None:
    answer(asked, complete=False)


def test_extra_attributes_go_before_what_is_derived_but_not_before_a_field() -> None:
    extra = {"StudyDescription": "from extra", "PatientID": "from extra"}
    decoded = answer(keys("StudyDescription", "PatientID"), study_description="field", extra_attributes=extra)
    assert (decoded.StudyDescription, decoded.PatientID) == ("from extra", "P1")


def test_keys_within_a_sequence_choose_from_its_items() -> None:
    other_ids = [{"PatientID": "X1", "TypeOfPatientID": "TEXT"}, {"PatientID": "X2"}]
    request = keys("OtherPatientIDsSequence")
    whole = answer(request, extra_attributes={"OtherPatientIDsSequence": other_ids})
    assert [keywords(item) for item in whole.OtherPatientIDsSequence] == [
        ["PatientID", "TypeOfPatientID"],
        ["PatientID"],
    ]
    request.OtherPatientIDsSequence = [keys("TypeOfPatientID")]
    chosen = answer(request, extra_attributes={"OtherPatientIDsSequence": other_ids})
    assert [item.TypeOfPatientID for item in chosen.OtherPatientIDsSequence] == ["TEXT", ""]


@pytest.mark.acceptance("D210")
def test_a_key_that_a_listed_sequence_does_not_have_is_empty() -> None:
    request = keys("ReferencedStudySequence")
    request.ReferencedStudySequence = [keys("ReferencedSOPInstanceUID", "CodeMeaning")]
    reference = {"ReferencedSOPClassUID": "1.2", "ReferencedSOPInstanceUID": "1.3"}
    decoded = answer(request, extra_attributes={"ReferencedStudySequence": [reference]})
    assert keywords(decoded.ReferencedStudySequence[0]) == ["CodeMeaning", "ReferencedSOPInstanceUID"]


def a_code(value: str, scheme: str = "", *, keyword: str = "CodeValue") -> dict[str, str]:
    return {keyword: value, "CodeMeaning": "M"} | ({"CodingSchemeDesignator": scheme} if scheme else {})


@pytest.mark.acceptance("D215")
@pytest.mark.parametrize(
    ("stored", "scheme", "sent"),
    [
        pytest.param([a_code("A", "X")], "GEHC", [("A", "X")], id="its own"),
        pytest.param([a_code("A")], "GEHC", [("A", "GEHC")], id="the item's"),
        pytest.param([a_code("A"), a_code("B", "X")], "", [("B", "X")], id="none: left out"),
        pytest.param([a_code("A")], "", [], id="none of any"),
        pytest.param(
            [a_code("L" * 20, keyword="LongCodeValue")], "GEHC", [("L" * 20, "GEHC")], id="a long one"
        ),
        pytest.param([a_code("urn:a", keyword="URNCodeValue")], "", [("urn:a", "")], id="a URN needs none"),
    ],
)
def test_a_code_of_a_protocol_has_its_scheme_or_is_not_sent(
    stored: list[dict[str, str]], scheme: str, sent: list[tuple[str, str]]
) -> None:
    extra = {"ScheduledProtocolCodeSequence": stored}
    item = step(
        step_keys("ScheduledProtocolCodeSequence"), extra_attributes=extra, hisris_coding_designator=scheme
    )
    found = [
        (
            code.get("CodeValue") or code.get("LongCodeValue") or code.get("URNCodeValue"),
            code.get("CodingSchemeDesignator", ""),
        )
        for code in item.get("ScheduledProtocolCodeSequence", [])
    ]
    assert found == sent
