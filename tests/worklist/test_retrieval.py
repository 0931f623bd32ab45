"""N-GET is answered as PS3.4 F.8.2 says, without a network."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.tag import BaseTag, Tag
from pynetdicom.dsutils import decode, encode

from tests.worklist.identifiers import data_set
from worklist.dicom import json_model
from worklist.dicom.json_model import DataSet
from worklist.dicom.mpps import COMPLETED, DISCONTINUED, IN_PROGRESS
from worklist.dicom.mpps_attributes import ATTRIBUTES
from worklist.dicom.retrieval import retrieve

pytestmark = pytest.mark.usefixtures("values_as_they_come")


def stored(**values: Any) -> DataSet:
    default = {"PatientName": "DOE^JOHN", "PatientID": "P1", "PerformedProcedureStepStatus": "IN PROGRESS"}
    return json_model.read(data_set(default | values)).dataset


def tags(*keywords: str) -> list[BaseTag]:
    return [Tag(tag_for_keyword(keyword) or 0) for keyword in keywords]


def received(dataset: Dataset, *, implicit: bool) -> Dataset:
    encoded = encode(dataset, implicit, is_little_endian=True)
    assert encoded is not None
    return decode(BytesIO(encoded), implicit, is_little_endian=True)


@pytest.mark.acceptance("D130")
def test_without_a_list_all_that_is_stored_is_answered() -> None:
    dataset = stored(PatientWeight="69.9", PerformedSeriesSequence=[data_set({"ProtocolName": "T1w"})])

    answer, supported = retrieve(dataset, IN_PROGRESS, [])

    assert supported
    assert {f"{tag:08X}" for tag in answer.keys()} == dataset.keys()  # noqa: SIM118  elements otherwise
    assert answer.PatientName == "DOE^JOHN"
    assert answer.PatientWeight == 69.9
    assert answer.PerformedSeriesSequence[0].ProtocolName == "T1w"
    assert "SpecificCharacterSet" not in answer


@pytest.mark.acceptance("D130")
def test_only_what_is_requested_is_answered() -> None:
    answer, supported = retrieve(stored(), IN_PROGRESS, tags("PatientID"))

    assert supported
    assert [element.keyword for element in answer] == ["PatientID"]


@pytest.mark.acceptance("D130")
@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.keyword)
def test_an_attribute_of_the_table_without_a_value_is_empty(attribute: Any) -> None:
    answer, supported = retrieve({}, IN_PROGRESS, [attribute.tag])

    assert supported
    assert list(answer.keys()) == [attribute.tag]
    assert answer[attribute.tag].is_empty == (attribute.keyword != "PerformedProcedureStepStatus")


@pytest.mark.acceptance("D130")
@pytest.mark.parametrize("tag", [0x00091001, 0x00102160, 0x00080016, 0x7FE00010])
def test_an_attribute_that_is_neither_in_the_table_nor_stored_is_not_supported(tag: int) -> None:
    answer, supported = retrieve(stored(), IN_PROGRESS, [Tag(tag), *tags("PatientID")])

    assert not supported
    assert [element.keyword for element in answer] == ["PatientID"]


@pytest.mark.acceptance("D130")
def test_an_attribute_outside_the_table_is_supported_where_it_is_stored() -> None:
    answer, supported = retrieve(stored(PatientWeight="70"), IN_PROGRESS, tags("PatientWeight"))

    assert supported
    assert answer.PatientWeight == 70


@pytest.mark.parametrize(
    ("status", "term"),
    [(IN_PROGRESS, "IN PROGRESS"), (COMPLETED, "COMPLETED"), (DISCONTINUED, "DISCONTINUED")],
)
def test_the_status_is_the_steps_own(status: str, term: str) -> None:
    dataset = stored()

    answer, _ = retrieve(dataset, status, [])

    assert answer.PerformedProcedureStepStatus == term
    assert dataset["00400252"] == {"vr": "CS", "Value": ["IN PROGRESS"]}


@pytest.mark.parametrize("implicit", [True, False], ids=["implicit VR", "explicit VR"])
@pytest.mark.parametrize("name", ["MÜLLER^JÖRG", "Yamada=山田^太郎=やまだ", "=王^小明"])
def test_text_beyond_ascii_is_answered_in_utf_8(name: str, implicit: bool) -> None:
    code = data_set({"CodeMeaning": "Kopf é 王"})
    dataset = stored(PatientName=name, PerformedProtocolCodeSequence=[code])

    answer, _ = retrieve(dataset, IN_PROGRESS, [])

    assert answer.SpecificCharacterSet == "ISO_IR 192"
    found = received(answer, implicit=implicit)
    assert found.PatientName == name
    assert found.PerformedProtocolCodeSequence[0].CodeMeaning == "Kopf é 王"


def test_the_character_set_is_that_of_what_is_answered() -> None:
    answer, supported = retrieve(
        stored(PatientName="MÜLLER"), IN_PROGRESS, tags("PatientID", "SpecificCharacterSet")
    )

    assert supported
    assert [element.keyword for element in answer] == ["PatientID"]


UNENCODABLE = [
    {"vr": "DS", "Value": ["heavy"]},
    {"vr": "DS", "Value": [{"00100020": {"vr": "LO"}}]},
    {"vr": "OB", "InlineBinary": "AAAA"},
    {"vr": "UN", "InlineBinary": "AAAA"},
    {"vr": "SQ", "Value": []},
]


@pytest.mark.parametrize("element", UNENCODABLE, ids=str)
@pytest.mark.parametrize("implicit", [True, False], ids=["implicit VR", "explicit VR"])
def test_what_is_no_value_of_its_attribute_is_left_out_in_silence(
    element: dict[str, Any], implicit: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="pydicom"):
        answer, supported = retrieve(stored() | {"00101030": element}, IN_PROGRESS, [])

    assert supported
    assert "PatientWeight" not in answer
    assert received(answer, implicit=implicit).PatientID == "P1"
    assert caplog.records == []


@pytest.mark.parametrize(
    ("key", "element"),
    [
        ("00280010", {"vr": "US", "Value": [70000]}),
        ("00280010", {"vr": "US", "Value": ["text"]}),
        ("00080060", {"vr": "CS", "Value": ["王"]}),
        ("00404010", {"vr": "DT", "Value": ["\ufffd"]}),
    ],
)
def test_what_pydicom_cannot_write_is_left_out_alone(key: str, element: dict[str, Any]) -> None:
    dataset = stored(PatientName="MÜLLER") | {key: element}

    answer, _ = retrieve(dataset, IN_PROGRESS, [])

    assert int(key, 16) not in answer
    for implicit in (True, False):
        assert received(answer, implicit=implicit).PatientName == "MÜLLER"


@pytest.mark.parametrize(
    ("key", "element", "value"),
    [
        ("00101030", {"vr": "DS", "Value": [0.1 + 0.2]}, 0.3),
        ("00400301", {"vr": "US", "Value": [1]}, 1),
        ("00189087", {"vr": "FD", "Value": [1.5]}, 1.5),
        ("00280009", {"vr": "AT", "Value": ["00181063"]}, 0x00181063),
        ("00191001", {"vr": "OB", "InlineBinary": "AAE="}, b"\0\1"),
        ("00081070", {"vr": "PN", "Value": [{"Alphabetic": "A"}, None, {"Alphabetic": "B"}]}, ["A", "", "B"]),
        ("00280106", {"vr": "SS", "Value": [-3]}, -3),
    ],
)
def test_every_kind_of_value_is_given_back(key: str, element: dict[str, Any], value: Any) -> None:
    answer, _ = retrieve(stored() | {key: element}, IN_PROGRESS, [])

    found = answer[int(key, 16)].value
    assert (list(found) if isinstance(value, list) else found) == value
    assert received(answer, implicit=False)[int(key, 16)].value == found
