"""The data dictionary decides what `extra_attributes` may hold, beside what the fields have already."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from pydicom import Dataset

from tests.effort import tries
from tests.worklist.encoding_examples import RECORD, extra_attributes
from worklist.dicom.encoding import AnswerPlan
from worklist.dicom.extra import ExtraAttributesError, check
from worklist.dicom.item_attributes import BY_FIELD, IDENTIFIER_ATTRIBUTES


def problem(attributes: object) -> tuple[str, str]:
    with pytest.raises(ExtraAttributesError) as refused:
        check(attributes)
    ((path, sentence),) = refused.value.problems.items()
    return path, sentence


@pytest.mark.parametrize(
    ("given_value", "cleaned"),
    [
        ({"MedicalAlerts": " Pacemaker "}, {"MedicalAlerts": "Pacemaker"}),
        ({"MedicalAlerts": ["a", " ", "b"]}, {"MedicalAlerts": ["a", "b"]}),
        ({"PatientComments": " first\nsecond  "}, {"PatientComments": " first\nsecond"}),
        ({"AdmissionID": "Cafe\u0301"}, {"AdmissionID": "Café"}),
        ({"PregnancyStatus": "4"}, {"PregnancyStatus": 4}),
        ({"PatientSize": 1.75}, {"PatientSize": 1.75}),
        ({"PatientSize": "1.75"}, {"PatientSize": "1.75"}),
        ({"Allergies": "", "SpecialNeeds": None, "PatientState": []}, {}),
        ({"ReferencedPatientSequence": [{}, {"PatientID": ""}]}, {}),
        (
            {"OtherPatientIDsSequence": [{"PatientID": "X "}]},
            {"OtherPatientIDsSequence": [{"PatientID": "X"}]},
        ),
        ({"OtherPatientIDs": ["A", "B"]}, {"OtherPatientIDs": ["A", "B"]}),
        ({}, {}),
    ],
)
def test_values_are_cleaned(given_value: dict[str, Any], cleaned: dict[str, Any]) -> None:
    assert check(given_value) == cleaned


@pytest.mark.acceptance("D183")
@pytest.mark.parametrize("value", [180, 186, "186", 0, -1, "0.19", 2.81, "1e3", [180]])
def test_a_size_that_nobody_has_in_metres_is_refused_and_never_converted(value: object) -> None:
    assert problem({"PatientSize": value}) == (
        "PatientSize",
        "Only 0.2 to 2.8 m are plausible: is it in metres?",
    )


@pytest.mark.acceptance("D183")
@pytest.mark.parametrize("value", [0.2, "0.25", "1.75", 2.72, [1.8]])
def test_a_size_that_someone_has_is_taken(value: object) -> None:
    assert check({"PatientSize": value}) == {"PatientSize": value}


@pytest.mark.acceptance("D183")
def test_a_weight_in_a_sequence_is_judged_as_an_items_own() -> None:
    assert problem({"ReferencedPatientSequence": [{"PatientWeight": 1540}]}) == (
        "ReferencedPatientSequence[0].PatientWeight",
        "Only 0.3 to 650 kg are plausible: is it in kilograms?",
    )


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("NoSuchKeyword", "x"),
        ("PixelData", "x"),
        ("LUTData", 1),
        ("TransferSyntaxUID", "1.2"),
        ("AffectedSOPInstanceUID", "1.2"),
        ("ScheduledProcedureStepSequence", [{}]),
        ("MedicalAlerts", "a\\b"),
        ("MedicalAlerts", "a\x1bb"),
        ("AdmissionID", "B\u00c3\x85"),
        ("PatientComments", "B\u00c3\x85"),
        ("MedicalAlerts", "x" * 65),
        ("MedicalAlerts", {"a": 1}),
        ("AdmissionID", True),
        ("AdmissionID", ["a", "b"]),
        ("RequestedProcedurePriority", "x" * 17),
        ("PatientComments", "x" * 10241),
        ("NamesOfIntendedRecipientsOfResults", "A=B=C=D"),
        ("NamesOfIntendedRecipientsOfResults", "A^B^C^D^E^F"),
        ("StudyDate", "2026-01-10"),
        ("StudyDate", "20260230"),
        ("StudyTime", "24"),
        ("DateTime", "202613"),
        ("PatientSize", "1,75"),
        ("PatientSize", float("nan")),
        ("PatientSize", "1.23456789012345678"),
        ("PatientAge", "34"),
        ("PregnancyStatus", 65536),
        ("PregnancyStatus", 1.5),
        ("PregnancyStatus", "x"),
        ("SelectorFLValue", 1e39),
        ("SelectorISValue", 2**31),
        ("SelectorUIValue", "1.02"),
        ("SelectorCSValue", "mr"),
        ("SelectorATValue", "0010"),
        ("ImageOrientationPatient", [1, 0, 0]),
        ("ReferencedPatientSequence", {"PatientID": "X"}),
        ("ReferencedPatientSequence", "X"),
        *[(attribute.keyword, "x") for attribute in IDENTIFIER_ATTRIBUTES],
    ],
)
def test_what_dicom_does_not_allow_is_refused_by_keyword(keyword: str, value: object) -> None:
    path, sentence = problem({keyword: value})
    assert path == keyword
    assert sentence.endswith(".")


@pytest.mark.parametrize(("field", "attribute"), list(BY_FIELD.items()), ids=list(BY_FIELD))
def test_an_attribute_that_is_a_field_names_the_field(field: str, attribute: Any) -> None:
    assert problem({attribute.keyword: "x"}) == (
        attribute.keyword,
        f"This is the item's field {field}: set it there.",
    )


def test_a_problem_within_a_sequence_is_told_by_its_path() -> None:
    sequence = [{"CodeValue": "a"}, {"CodeValue": "x" * 17}]
    path, _ = problem({"RequestedProcedureCodeSequence": sequence})
    assert path == "RequestedProcedureCodeSequence[1].CodeValue"


@pytest.mark.parametrize("attributes", [None, [], "x", 1])
def test_only_a_mapping_is_accepted(attributes: object) -> None:
    assert problem(attributes)[0] == "extra_attributes"


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(ExtraAttributesError) as refused:
        check({"StudyDate": "x", "PatientAge": "x", "AdmissionID": "ok"})
    assert set(refused.value.problems) == {"StudyDate", "PatientAge"}
    assert "ok" not in str(refused.value)


@settings(deadline=None, max_examples=tries(50, nightly=150))
@given(extra_attributes())
def test_what_is_accepted_can_be_encoded(attributes: dict[str, Any]) -> None:
    cleaned = check(attributes)
    assert check(cleaned) == cleaned
    request = Dataset()
    request.ScheduledProcedureStepSequence = []
    for keyword in cleaned:
        request.add_new(keyword, "SQ" if keyword.endswith("Sequence") else "UN", None)
    AnswerPlan(request, implicit_vr=False).encode(RECORD | {"extra_attributes": cleaned})
