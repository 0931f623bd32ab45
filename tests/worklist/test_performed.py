"""A stored performed step says this, and nothing malformed in it is ever more than nothing."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from pydicom import Dataset

from tests.worklist.identifiers import data_set
from worklist.dicom import json_model, performed
from worklist.dicom.json_model import DataSet
from worklist.dicom.performed import MEANINGS, WRONG_ENTRY, Code, Patient, Reference, Series

pytestmark = pytest.mark.usefixtures("values_as_they_come")


def stored(**values: Any) -> DataSet:
    return json_model.read(data_set({"SpecificCharacterSet": "ISO_IR 192", **values})).dataset


def code(value: str, scheme: str = "DCM", meaning: str = "") -> Dataset:
    return data_set({"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning})


def reference(uid: str) -> Dataset:
    return data_set({"ReferencedSOPClassUID": "1.2", "ReferencedSOPInstanceUID": uid})


def reason(*items: Dataset) -> DataSet:
    return stored(PerformedProcedureStepDiscontinuationReasonCodeSequence=list(items))


@pytest.mark.acceptance("D123", "D124")
def test_every_scheduled_step_is_referenced() -> None:
    first = {
        "StudyInstanceUID": "1.2.3",
        "ReferencedStudySequence": [reference("1.5"), reference(""), reference("1.6")],
        "AccessionNumber": " A1 ",
        "RequestedProcedureID": "R1",
        "ScheduledProcedureStepID": "S1",
        "ScheduledProtocolCodeSequence": [code("T1", "99X", "Head"), code("")],
    }
    dataset = stored(
        ScheduledStepAttributesSequence=[data_set(first), data_set({"ScheduledProcedureStepID": "S2"})]
    )

    assert performed.references(dataset) == (
        Reference("1.2.3", ("1.5", "1.6"), "S1", "R1", "A1", (Code("T1", "99X", "Head"),)),
        Reference("", (), "S2", "", "", ()),
    )


def test_series_count_their_images() -> None:
    series = {
        "SeriesInstanceUID": "1.2.3.4",
        "SeriesDescription": "Kopf é",
        "ProtocolName": "T1w",
        "OperatorsName": ["MTA^EINS", "MTA^ZWEI"],
        "PerformingPhysicianName": "DOC^TOR",
        "ReferencedImageSequence": [reference("1.1"), reference("1.2")],
        "ReferencedNonImageCompositeSOPInstanceSequence": [reference("1.3")],
    }
    dataset = stored(PerformedSeriesSequence=[data_set(series), Dataset()])

    assert performed.series(dataset) == (
        Series("1.2.3.4", "Kopf é", "T1w", "MTA^EINS\\MTA^ZWEI", "DOC^TOR", 2, 1),
        Series("", "", "", "", "", 0, 0),
    )


def test_the_patient_is_as_it_was_sent() -> None:
    dataset = stored(
        PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう",
        PatientID="P9 ",
        PatientBirthDate="19800506",
        PatientSex="M",
        PatientWeight="69.9",
    )

    assert performed.patient(dataset) == Patient(
        "Yamada^Tarou=山田^太郎=やまだ^たろう", "P9", date(1980, 5, 6), "M", Decimal("69.9")
    )


@pytest.mark.parametrize(
    ("sent", "name"),
    [("DOE^JOHN", "DOE^JOHN"), ("=王^小明", "=王^小明"), ("A==C", "A==C"), ("DOE=", "DOE"), ("", "")],
)
def test_the_groups_of_a_name_stay_in_their_places(sent: str, name: str) -> None:
    assert performed.patient(stored(PatientName=sent)).name == name


@pytest.mark.parametrize(
    ("weight", "kilograms"),
    [("70", "70"), ("69.95", "69.95"), ("", None), ("0", None), ("-3", None), ("heavy", None), ("NaN", None)],
)
def test_a_weight_is_one_only_if_it_was_taken(weight: str, kilograms: str | None) -> None:
    dataset = stored() | {"00101030": {"vr": "DS", "Value": [weight]}} if weight else stored()

    assert performed.patient(dataset).weight == (None if kilograms is None else Decimal(kilograms))


def test_nothing_is_said_of_a_patient_who_was_not_sent() -> None:
    assert performed.patient({}) == Patient("", "", None, "", None)


@pytest.mark.acceptance("D109")
@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (code("110514", "DCM", "Falsch"), Code("110514", "DCM", "Falsch")),
        (code("110514"), WRONG_ENTRY),
        (code("110501"), Code("110501", "DCM", "Equipment failure")),
        (code("110501", "99X"), Code("110501", "99X", "")),
        (code("", "", "Went home"), Code("", "", "Went home")),
        (data_set({"LongCodeValue": "L" * 20, "CodingSchemeDesignator": "X"}), Code("L" * 20, "X", "")),
        (data_set({"URNCodeValue": "urn:oid:1.2"}), Code("urn:oid:1.2", "", "")),
    ],
)
def test_the_reason_is_named(item: Dataset, expected: Code) -> None:
    assert performed.discontinuation_reason(reason(item)) == expected


@pytest.mark.parametrize("dataset", [{}, reason(), reason(Dataset()), reason(code(""))])
def test_there_may_be_no_reason(dataset: DataSet) -> None:
    assert performed.discontinuation_reason(dataset) is None


@pytest.mark.acceptance("D110")
@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (Code("110514", "DCM"), True),
        (Code("110514", "DCM", "anything"), True),
        (Code("110514", "99X"), False),
        (Code("110513", "DCM"), False),
        (None, False),
    ],
)
def test_the_wrong_entry_is_known_by_its_code(given: Code | None, wrong: bool) -> None:
    assert performed.is_wrong_entry(given) is wrong


@pytest.mark.acceptance("D129")
def test_the_performed_protocol_is_coded() -> None:
    dataset = stored(PerformedProtocolCodeSequence=[code("T2", "99X", "Other"), code("T3", "99X")])

    assert performed.performed_codes(dataset) == (Code("T2", "99X", "Other"), Code("T3", "99X", ""))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [("20260112", date(2026, 1, 12)), ("2026.01.12", date(2026, 1, 12))]
    + [(bad, None) for bad in ("", "2026", "20261301", "20260112-", "20260101-20260102", "tomorrow")],
)
def test_a_day_is_one_day(sent: str, expected: date | None) -> None:
    dataset = {"00400244": {"vr": "DA", "Value": [sent]}}

    assert performed.day(dataset, "PerformedProcedureStepStartDate") == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("093000", time(9, 30)),
        ("0930", time(9, 30)),
        ("09:30:15", time(9, 30, 15)),
        ("093000.5", time(9, 30, 0, 500000)),
        *((bad, None) for bad in ("", "9", "250000", "0900-", "0900-1000", "noon")),
    ],
)
def test_a_moment_is_one_moment(sent: str, expected: time | None) -> None:
    dataset = {"00400245": {"vr": "TM", "Value": [sent]}}

    assert performed.moment(dataset, "PerformedProcedureStepStartTime") == expected


@pytest.mark.parametrize(
    "element",
    [
        None,
        {},
        "text",
        {"vr": "SQ"},
        {"vr": "SQ", "Value": None},
        {"vr": "SQ", "Value": ["text", 3, None, {}]},
        {"vr": "LO", "Value": ["text"]},
        {"vr": "LO", "Value": [{"Alphabetic": "A"}]},
        {"vr": "UN", "InlineBinary": "AAAA"},
    ],
)
def test_malformed_attributes_say_nothing(element: Any) -> None:
    keys = ("00400270", "00400340", "00400281", "00400260", "00100030", "00101030", "00400244")
    dataset = dict.fromkeys(keys, element)

    assert all(each == Reference("", (), "", "", "", ()) for each in performed.references(dataset))
    assert all(each == Series("", "", "", "", "", 0, 0) for each in performed.series(dataset))
    assert performed.discontinuation_reason(dataset) is None
    assert performed.performed_codes(dataset) == ()
    assert performed.patient(dataset) == Patient("", "", None, "", None)
    assert performed.moment(dataset, "PerformedProcedureStepStartDate") is None


def test_what_is_no_keyword_is_a_mistake_of_ours() -> None:
    with pytest.raises(LookupError, match="NoSuchKeyword"):
        performed.text({}, "NoSuchKeyword")


def test_the_meanings_are_those_of_the_standard() -> None:
    from pydicom.sr.codedict import codes

    def meanings(context_group: Any) -> dict[tuple[str, str], str]:
        concepts = [getattr(context_group, name) for name in context_group.dir()]
        return {(each.value, each.scheme_designator): each.meaning for each in concepts}

    dicom = {key: meaning for key, meaning in meanings(codes.cid9300).items() if key[1] == "DCM"}
    assert dicom | meanings(codes.cid9301) == MEANINGS
    assert MEANINGS[WRONG_ENTRY.value, WRONG_ENTRY.scheme] == WRONG_ENTRY.meaning
