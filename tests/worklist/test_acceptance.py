"""A pynetdicom SCU asks a running `run_mwl` for what docs/acceptance.md says of queries and answers.

Errors, order, cancel and transfer syntaxes are in test_find_server.py; bytes and character sets in detail
in test_encoding.py; every combination of keys in test_matching_property.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.config import RAISE
from pydicom.dataelem import DataElement
from pydicom.uid import UID
from pydicom.valuerep import validate_value

from tests.scu import extended_negotiation, keys
from tests.worklist.conftest import RunningServer
from worklist.dicom import item_attributes
from worklist.items import intake
from worklist.models import WorklistItem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("acceptance_store")]

Query = Callable[..., list[tuple[int, Any]]]
PENDING, WITHOUT_SOME_KEYS, SUCCESS = 0xFF00, 0xFF01, 0x0000
VISIBLE = {"S1", "S2", "S3", "S5", "S6", "S7", "S8", "S9"}
MR1 = {"S1", "S3", "S5", "S6", "S7", "S8", "S9"}


def found(responses: list[tuple[int, Any]]) -> set[str]:
    """Return the steps that were answered, each once, before one final success without an identifier."""
    *pending, (final, nothing) = responses
    assert (final, nothing) == (SUCCESS, None)
    assert {status for status, _ in pending} <= {PENDING, WITHOUT_SOME_KEYS}
    names = [step(answer).ScheduledProcedureStepID for _, answer in pending]
    assert len(names) == len(set(names))
    return set(names)


def step(answer: Dataset) -> Dataset:
    item: Dataset
    (item,) = answer.ScheduledProcedureStepSequence
    return item


def asking(step_keys: dict[str, Any] | None = None, **root: Any) -> Dataset:
    return keys({"ScheduledProcedureStepID": "", **(step_keys or {})}, **root)


def in_charset(charset: str, name: str) -> Dataset:
    identifier = asking(PatientName=name)
    identifier.SpecificCharacterSet = charset
    return identifier


STEP_ROWS = [
    ("D1", {}, VISIBLE),
    ("D2", {"Modality": "CT"}, {"S2"}),
    ("D3", {"ScheduledStationAETitle": "MR1"}, MR1),
    ("D4", {"ScheduledStationAETitle": "NOPE"}, set()),
    ("D5", {"ScheduledStationAETitle": "MR2"}, {"S6"}),
    ("D6 trailing", {"ScheduledStationAETitle": "MR1   "}, MR1),
    ("D6 leading", {"ScheduledStationAETitle": "  MR1"}, MR1),
    ("D7", {"ScheduledProcedureStepStartDate": "20260111"}, {"S2"}),
    ("D8", {"ScheduledProcedureStepStartDate": "20260111-20260112"}, {"S2", "S3"}),
    ("D9", {"ScheduledProcedureStepStartDate": "20260111-"}, {"S2", "S3", "S5"}),
    ("D10", {"ScheduledProcedureStepStartDate": "-20260110"}, VISIBLE - {"S2", "S3", "S5"}),
    (
        "D11",
        {
            "ScheduledProcedureStepStartDate": "20260110-20260112",
            "ScheduledProcedureStepStartTime": "100000-180000",
        },
        {"S2", "S3"},
    ),
    ("D12", {"ScheduledProcedureStepStartTime": "0930"}, VISIBLE - {"S2", "S3"}),
    ("D12 fraction", {"ScheduledProcedureStepStartTime": "093000.000"}, VISIBLE - {"S2", "S3"}),
    ("D13", {"ScheduledProcedureStepStartTime": "0900-1000"}, VISIBLE - {"S3"}),
    ("D24", {"ScheduledPerformingPhysicianName": "SMITH*"}, {"S1"}),
    ("D25", {"ScheduledPerformingPhysicianName": "*"}, VISIBLE),
    ("D28 step", {"ScheduledProcedureStepID": "S5"}, {"S5"}),
    ("D32 hidden", {"ScheduledStationAETitle": "MR1"}, MR1),
    ("D32 asked for", {"ScheduledProcedureStepStatus": "COMPLETED"}, {"S4"}),
    ("D39", {"Modality": "mr"}, MR1),
]

ROOT_ROWS = [
    ("D14", {"PatientName": "DOE*"}, {"S1", "S2", "S5"}),
    ("D15", {"PatientName": "*"}, VISIBLE),
    ("D16", {"PatientName": "D?E^JOHN"}, {"S1", "S5"}),
    ("D17", {"PatientName": "doe^john"}, {"S1", "S5"}),
    ("D18 carets", {"PatientName": "DOE^JOHN^^"}, {"S1", "S5"}),
    ("D18 group", {"PatientName": "DOE^JOHN="}, {"S1", "S5"}),
    ("D19", {"PatientName": "*^JOHN"}, {"S1", "S5"}),
    ("D19 whole", {"PatientName": "DOE"}, set()),
    ("D21", {"PatientID": "P1"}, {"S1", "S5"}),
    ("D22", {"PatientID": "*"}, VISIBLE),
    ("D23 trailing", {"PatientID": "P1 "}, {"S1", "S5"}),
    ("D23 leading", {"PatientID": " P1"}, {"S1", "S5"}),
    ("D26", {"AccessionNumber": "A1"}, {"S1"}),
    ("D27", {"AccessionNumber": "ZZZ"}, set()),
    ("D28 procedure", {"RequestedProcedureID": "R1"}, {"S1"}),
    ("D28 study", {"StudyInstanceUID": "1.2.3.5"}, {"S5"}),
    ("D29", {"StudyInstanceUID": ["1.2.3.1", "1.2.3.5"]}, {"S1", "S5"}),
    ("D30", {"StudyInstanceUID": "1.2.3.99"}, set()),
    ("D47", {"PatientName": "M*"}, {"S3"}),
]


@pytest.mark.parametrize(("row", "step_keys", "expected"), STEP_ROWS, ids=[row[0] for row in STEP_ROWS])
def test_a_key_of_the_step_finds_its_items(
    query: Query, row: str, step_keys: dict[str, Any], expected: set[str]
) -> None:
    assert found(query(asking(step_keys))) == expected


@pytest.mark.parametrize(("row", "root", "expected"), ROOT_ROWS, ids=[row[0] for row in ROOT_ROWS])
def test_a_key_of_the_root_finds_its_items(
    query: Query, row: str, root: dict[str, Any], expected: set[str]
) -> None:
    assert found(query(asking(**root))) == expected


@pytest.mark.acceptance("D5")
def test_all_values_of_a_station_that_matched_by_one_are_returned(query: Query) -> None:
    (_, answer), _ = query(asking({"ScheduledStationAETitle": "MR2"}))
    assert list(step(answer).ScheduledStationAETitle) == ["MR1", "MR2"]


@pytest.mark.parametrize(
    ("charset", "name", "expected"),
    [
        pytest.param("ISO_IR 192", "*山田*", {"S9"}, id="D20"),
        pytest.param(["", "ISO 2022 IR 87"], "*山田*", {"S9"}, id="D46"),
        pytest.param("ISO_IR 192", "MÜLLER*", {"S3"}, id="D48"),
        pytest.param("ISO_IR 100", "müller*", {"S3"}, id="D48 in Latin-1"),
    ],
)
def test_a_name_is_found_in_the_querys_own_character_set(
    query: Query, charset: str, name: str, expected: set[str]
) -> None:
    assert found(query(in_charset(charset, name))) == expected


@pytest.mark.acceptance("D33")
def test_without_a_step_sequence_the_items_are_returned_without_one(query: Query) -> None:
    *answers, _ = query(keys(PatientName="DOE*", PatientID=""))
    assert sorted(answer.PatientID for _, answer in answers) == ["P1", "P1", "P2"]
    assert all("ScheduledProcedureStepSequence" not in answer for _, answer in answers)


@pytest.mark.parametrize("sequence", [[], [Dataset()]], ids=["D34", "D35"])
def test_a_universal_step_sequence_returns_the_whole_step(query: Query, sequence: list[Dataset]) -> None:
    identifier = keys(PatientID="P2")
    identifier.ScheduledProcedureStepSequence = sequence
    (_, answer), _ = query(identifier)
    whole = step(answer)
    assert whole.Modality == "CT"
    for attribute in item_attributes.STEP_ATTRIBUTES:
        if attribute.return_type in ("1", "2"):
            assert attribute.tag in whole, attribute.keyword


@pytest.mark.acceptance("D40")
def test_group_lengths_and_a_level_in_the_query_are_ignored(query: Query) -> None:
    identifier = asking(PatientID="P2")
    for tag in (0x00100000, 0x00400000):
        identifier.add(DataElement(tag, "UL", 0))
    identifier.add_new(0x00080052, "CS", "")
    (status, answer), _ = query(identifier)
    assert status == PENDING
    assert {element.tag for element in answer} == {0x00100020, 0x00400100}


@pytest.mark.acceptance("D41")
def test_an_unsupported_private_key_is_answered_with_a_warning(query: Query) -> None:
    identifier = asking(PatientID="P2")
    identifier.add_new(0x00091001, "LO", "")
    responses = query(identifier)
    assert found(responses) == {"S2"}
    assert responses[0][0] == WITHOUT_SOME_KEYS


@pytest.mark.acceptance("D42")
def test_supported_optional_keys_are_answered_without_a_warning(query: Query) -> None:
    root: dict[str, Any] = {
        attribute.keyword: None if attribute.vr != "SQ" else []
        for attribute in item_attributes.ROOT_ATTRIBUTES
        if attribute is not item_attributes.STEP_SEQUENCE
    }
    responses = query(asking(**root))
    assert found(responses) == VISIBLE
    assert {status for status, _ in responses[:-1]} == {PENDING}


@pytest.mark.acceptance("D43")
def test_an_unsupported_key_with_a_value_is_ignored_and_returned_empty_with_a_warning(query: Query) -> None:
    """The key is Ethnic Group (0010,2160)."""
    responses = query(asking(EthnicGroup="X"))
    assert found(responses) == VISIBLE
    assert {status for status, _ in responses[:-1]} == {WITHOUT_SOME_KEYS}
    assert all(answer.EthnicGroup == "" for _, answer in responses[:-1])


@pytest.mark.parametrize("proposed", [pytest.param(b"\1\1\1", id="D44"), pytest.param(b"\1\1\0\1", id="D45")])
def test_fuzzy_matching_and_time_zones_are_never_promised(
    server: RunningServer, users: ProcessPoolExecutor, proposed: bytes
) -> None:
    assert users.submit(extended_negotiation, server.port, proposed).result(20) == {}


def everything() -> Dataset:
    """Ask for every attribute of Table K.6-1, all empty."""
    identifier = Dataset()
    for attribute in item_attributes.ROOT_ATTRIBUTES:
        identifier.add_new(attribute.tag, attribute.vr, None)
    item = Dataset()
    for attribute in item_attributes.STEP_ATTRIBUTES:
        item.add_new(attribute.tag, attribute.vr, None)
    identifier.ScheduledProcedureStepSequence = [item]
    return identifier


def answers_to_everything(query: Query) -> list[Dataset]:
    *pending, (final, _) = query(everything())
    assert final == SUCCESS
    return [answer for _, answer in pending]


def with_places(answer: Dataset) -> list[tuple[tuple[item_attributes.ItemAttribute, ...], Dataset]]:
    return [(item_attributes.ROOT_ATTRIBUTES, answer), (item_attributes.STEP_ATTRIBUTES, step(answer))]


@pytest.mark.acceptance("D52")
def test_only_the_requested_attribute_is_returned(query: Query) -> None:
    (_, answer), _ = query(keys(PatientID="P2"))
    assert [element.keyword for element in answer] == ["PatientID"]


@pytest.mark.acceptance("D53", "D59", "D69", "D70")
def test_type_1_has_a_value_and_type_2_is_present(query: Query) -> None:
    """The weight too is present, and empty when it is not known."""
    for answer in answers_to_everything(query):
        for place, dataset in with_places(answer):
            for attribute in place:
                if attribute.return_type == "1":
                    assert dataset[attribute.tag].value not in (None, "", []), attribute.keyword
                elif attribute.return_type in ("2", "2C"):
                    assert attribute.tag in dataset, attribute.keyword
        assert answer.PatientWeight is None
        assert answer.ReferencedStudySequence == []
        assert answer.ReferencedPatientSequence == []


@pytest.mark.acceptance("D55", "D65", "D71", "D79")
def test_no_answer_breaks_a_value_representation(query: Query) -> None:
    for answer in answers_to_everything(query):
        for element in (*answer, *step(answer)):
            if element.VR != "SQ":
                values = element.value if element.VM > 1 else [element.value]
                for value in values:
                    validate_value(element.VR, value, RAISE)
        assert re.fullmatch(r"\d{8}", str(step(answer).ScheduledProcedureStepStartDate))
        assert re.fullmatch(r"\d{6}", str(step(answer).ScheduledProcedureStepStartTime))
        assert step(answer).ScheduledProcedureStepStatus in ("SCHEDULED", "STARTED", "DISCONTINUED")
        assert UID(answer.StudyInstanceUID).is_valid
        assert ("SpecificCharacterSet" in answer) != str(answer.PatientName).isascii()


def added(**values: Any) -> WorklistItem:
    least = {
        "patient_name": "NEW^ITEM",
        "patient_id": "NEW",
        "modality": "MR",
        "scheduled_start_date": "20260110",
    }
    return intake.create({**least, **values}, actor="alice")


def answer_for(query: Query, item: WorklistItem, charset: str = "") -> Dataset:
    identifier = everything()
    identifier.StudyInstanceUID = item.study_instance_uid
    if charset:
        identifier.SpecificCharacterSet = charset
    answer: Dataset
    (_, answer), _ = query(identifier)
    return answer


@pytest.mark.acceptance("D54", "D57")
def test_identifiers_are_unique_and_the_same_at_every_query(query: Query) -> None:
    items = [added(), added()]
    answers = [answer_for(query, item) for item in items]
    again = [answer_for(query, item) for item in items]
    for keyword in ("StudyInstanceUID", "AccessionNumber", "RequestedProcedureID"):
        assert len({answer[keyword].value for answer in answers}) == 2, keyword
    assert answers == again
    assert step(answers[0]).ScheduledProcedureStepID != step(answers[1]).ScheduledProcedureStepID


@pytest.mark.acceptance("D56")
def test_an_unknown_time_is_midnight(query: Query) -> None:
    assert step(answer_for(query, added())).ScheduledProcedureStepStartTime == "000000"


@pytest.mark.acceptance("D53")
def test_an_item_without_a_station_is_answered_with_the_asking_one(query: Query) -> None:
    """Type 1 has a value, whatever was not decided."""
    assert step(answer_for(query, added())).ScheduledStationAETitle == "MR1"


@pytest.mark.acceptance("D58")
def test_pounds_arrive_as_kilograms(query: Query) -> None:
    weight = answer_for(query, added(patient_weight_lb="154")).PatientWeight
    assert abs(Decimal(str(weight)) - Decimal("69.9")) <= Decimal("0.1")
    assert len(str(weight)) <= 16


@pytest.mark.parametrize(
    ("name", "asked_in", "answered_in"),
    [
        pytest.param("MÜLLER^JÖRG", "ISO_IR 100", "ISO_IR 100", id="D62"),
        pytest.param("MÜLLER^JÖRG", "", "ISO_IR 100", id="D62, nothing said"),
        pytest.param("王^小明", "ISO_IR 192", "ISO_IR 192", id="D63"),
        pytest.param("王^小明", "ISO_IR 100", "ISO_IR 192", id="D64"),
        pytest.param("王^小明", "GB18030", "GB18030", id="D63 in GB18030"),
        pytest.param("DOE^JOHN", "ISO_IR 192", None, id="D65"),
    ],
)
def test_a_name_arrives_whole_in_a_character_set_that_has_it(
    query: Query, name: str, asked_in: str, answered_in: str | None
) -> None:
    answer = answer_for(query, added(patient_name=name), asked_in)
    assert answer.PatientName == name
    assert answer.get("SpecificCharacterSet") == answered_in


@pytest.mark.parametrize(
    ("protocol", "scheme", "code"),
    [
        pytest.param("B" * 29, "GEHC", {"LongCodeValue": "B" * 29}, id="D66"),
        pytest.param("BRAIN", "GEHC", {"CodeValue": "BRAIN"}, id="D68"),
    ],
)
def test_a_protocol_is_a_code_with_its_scheme_and_meaning(
    query: Query, protocol: str, scheme: str, code: dict[str, str]
) -> None:
    answer = step(answer_for(query, added(protocol_name=protocol, hisris_coding_designator=scheme)))
    (item,) = answer.ScheduledProtocolCodeSequence
    expected = {**code, "CodingSchemeDesignator": scheme, "CodeMeaning": protocol}
    assert {element.keyword: element.value for element in item} == expected


@pytest.mark.acceptance("D67")
def test_a_protocol_without_a_scheme_is_a_description(query: Query) -> None:
    answer = step(answer_for(query, added(protocol_name="BRAIN")))
    assert "ScheduledProtocolCodeSequence" not in answer
    assert answer.ScheduledProcedureStepDescription == "BRAIN"


@pytest.mark.acceptance("D72")
def test_text_with_an_emoji_arrives_and_the_association_lives(query: Query) -> None:
    """What cannot be sent is refused at the door (test_intake.py)."""
    assert answer_for(query, added(study_description="🧠")).RequestedProcedureDescription == "🧠"


@pytest.mark.acceptance("D78")
def test_two_steps_of_one_procedure_are_two_answers(query: Query) -> None:
    first = added()
    shared = ("study_instance_uid", "accession_number", "requested_procedure_id")
    added(**{field: getattr(first, field) for field in shared})
    identifier = everything()
    identifier.StudyInstanceUID = first.study_instance_uid
    *answers, _ = query(identifier)
    assert len(answers) == 2
    for keyword in ("StudyInstanceUID", "AccessionNumber", "RequestedProcedureID"):
        assert len({answer[keyword].value for _, answer in answers}) == 1
    assert len({step(answer).ScheduledProcedureStepID for _, answer in answers}) == 2
