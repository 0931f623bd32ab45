"""For an examination that nothing scheduled, items are offered in an order and with reasons."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.worklist.performed_steps import begun, new_uid, scheduled_step
from tests.worklist.reported import an_item, reported, unscheduled
from worklist.examinations import candidates, performing
from worklist.items import lifecycle
from worklist.models import PerformedStep, Status, WorklistItem

pytestmark = pytest.mark.django_db

# What the scanner reports below; the items differ from it where a row says so.
SCANNED = {
    "patient_name": "Roe^Richard",
    "patient_id": "P007",
    "patient_birth_date": "19750501",
    "modality": "MR",
    "scheduled_station_aetitle": "MR1",
    "scheduled_start_date": "20260110",
}
UNLIKE: dict[str, Any] = {
    "patient_name": "Other^Person",
    "patient_id": "X1",
    "patient_birth_date": "19400101",
    "modality": "CT",
    "scheduled_station_aetitle": "CT1",
    "scheduled_start_date": "20250601",
}


def some_item(**values: Any) -> WorklistItem:
    return an_item(**{**UNLIKE, **values})


def a_scan(**changes: Any) -> PerformedStep:
    """Report a scan of Roe^Richard, P007, on 10 January 2026 at MR1, with a study of its own."""
    step = unscheduled(an_item(**SCANNED), **changes)
    WorklistItem.objects.all().delete()
    return step


def offered(step: PerformedStep) -> list[WorklistItem]:
    return [candidate.item for candidate in candidates.best(step)]


@pytest.mark.parametrize(
    ("values", "reasons"),
    [
        ({"patient_id": "P007"}, ("Same patient ID",)),
        ({"patient_name": "ROE^RICHARD^^"}, ("Same name",)),
        ({"patient_name": "Roe^Richard=王^小明"}, ("Same name",)),
        ({"scheduled_start_date": "20260110"}, ("Scheduled for that day",)),
        (
            {"scheduled_start_date": "20260110", "patient_id": "p-7"},
            ("Patient ID written differently", "Scheduled for that day"),
        ),
        (
            {"scheduled_start_date": "20260110", "patient_name": "Richard Roe"},
            ("Name written differently", "Scheduled for that day"),
        ),
        (
            {"scheduled_start_date": "20260110", "patient_birth_date": "19750501"},
            ("Same birth date", "Scheduled for that day"),
        ),
        (
            {"scheduled_start_date": "20260110", "scheduled_station_aetitle": "MR2\\MR1", "modality": "MR"},
            ("Scheduled for that day", "Same station", "Same modality"),
        ),
        (
            SCANNED,
            (
                "Same patient ID",
                "Same name",
                "Same birth date",
                "Scheduled for that day",
                "Same station",
                "Same modality",
            ),
        ),
    ],
)
def test_an_item_is_offered_with_what_speaks_for_it(values: dict[str, Any], reasons: tuple[str, ...]) -> None:
    step = a_scan()
    item = some_item(**values)

    found = candidates.best(step)

    assert [(candidate.item, candidate.reasons) for candidate in found] == [(item, reasons)]


@pytest.mark.parametrize(
    ("keyword", "field", "reason"),
    [
        ("StudyInstanceUID", "study_instance_uid", "Same Study Instance UID"),
        ("AccessionNumber", "accession_number", "Same accession number"),
        ("ScheduledProcedureStepID", "scheduled_procedure_step_id", "Same scheduled procedure step ID"),
        ("RequestedProcedureID", "requested_procedure_id", "Same requested procedure ID"),
    ],
)
def test_an_id_that_the_scanner_named_speaks_for_an_item(keyword: str, field: str, reason: str) -> None:
    item = some_item()
    completed = some_item(study_instance_uid=item.study_instance_uid)  # so that no link is made by itself
    other = an_item(**SCANNED)
    nothing = dict.fromkeys(("AccessionNumber", "ScheduledProcedureStepID", "RequestedProcedureID"), "")
    named = {**nothing, "StudyInstanceUID": new_uid(), keyword: getattr(item, field)}
    step = reported(begun(other, ScheduledStepAttributesSequence=[scheduled_step(other, **named)]))
    other.delete()
    if keyword != "StudyInstanceUID":
        completed.delete()
    assert not step.links.exists()

    found = candidates.best(step)

    assert reason in next(candidate.reasons for candidate in found if candidate.item == item)


@pytest.mark.parametrize(
    ("likelier", "less_likely"),
    [
        pytest.param(
            {"patient_id": "P007"},
            {"scheduled_start_date": "20260110", "scheduled_station_aetitle": "MR1", "modality": "MR"},
            id="the patient ID before the day, the station and the modality",
        ),
        pytest.param({"patient_id": "P007"}, {"patient_name": "Roe^Richard"}, id="the ID before the name"),
        pytest.param(
            {**SCANNED, "patient_id": "P070"},
            {"patient_id": "P007"},
            id="all but a mistyped ID before the ID alone",
        ),
        pytest.param(
            SCANNED,
            {**SCANNED, "scheduled_start_date": "20260117"},
            id="of a participant's sessions the one of that day",
        ),
        pytest.param(
            {"patient_id": "P007", "scheduled_start_date": "20260112"},
            {"patient_id": "P007", "scheduled_start_date": "20260301"},
            id="of two other days the nearer",
        ),
    ],
)
def test_the_likelier_item_comes_first(likelier: dict[str, Any], less_likely: dict[str, Any]) -> None:
    step = a_scan()
    second, first = some_item(**less_likely), some_item(**likelier)

    assert offered(step) == [first, second]


def test_what_is_still_to_do_comes_before_what_was_done_and_cancelled_items_last() -> None:
    step = a_scan()
    cancelled, completed, scheduled = some_item(**SCANNED), some_item(**SCANNED), some_item(**SCANNED)
    only_that_day = some_item(scheduled_start_date="20260110")
    lifecycle.move(cancelled, to=Status.CANCELLED, actor="bob")
    lifecycle.move(completed, to=Status.IN_PROGRESS, actor="bob")
    lifecycle.move(completed, to=Status.COMPLETED, actor="bob")

    assert offered(step) == [scheduled, completed, only_that_day, cancelled]


def test_what_has_nothing_in_common_is_not_offered() -> None:
    step = a_scan()
    some_item()
    some_item(modality="MR", scheduled_station_aetitle="MR1")

    assert offered(step) == []


def test_an_item_that_the_step_is_linked_to_is_no_candidate() -> None:
    step = a_scan()
    linked, other = some_item(**SCANNED), some_item(**SCANNED)
    performing.link(step, linked, actor="bob")

    assert offered(step) == [other]


def test_a_scanner_that_names_nobody_matches_nobody() -> None:
    step = a_scan(PatientName="", PatientID="", PatientBirthDate="", PerformedStationAETitle="", Modality="")
    item = some_item(scheduled_start_date="20260110", patient_birth_date="", scheduled_station_aetitle="")

    assert [(each.item, each.reasons) for each in candidates.best(step)] == [
        (item, ("Scheduled for that day",))
    ]


def test_without_a_reported_day_the_day_of_the_first_message_counts() -> None:
    step = a_scan(PerformedProcedureStepStartDate="")
    item = some_item(scheduled_start_date=timezone.localdate())

    assert offered(step) == [item]


def test_at_most_as_many_as_asked_for_are_offered() -> None:
    step = a_scan()
    for _ in range(7):
        some_item(**SCANNED)

    assert len(candidates.best(step)) == 5
    assert len(candidates.best(step, most=2)) == 2


def test_neither_queries_nor_rows_grow_with_the_worklist(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(candidates, "MOST_READ", 3)
    step = PerformedStep.objects.get(pk=a_scan().pk)
    start = timezone.localdate()
    some_item(**SCANNED)
    # The study, the patient ID, the name, its words, the station and day, the day; the links.
    # What was examined, by the links and by the patient ID.
    with django_assert_num_queries(9):
        candidates.best(step)
    for number in range(20):
        some_item(**{**SCANNED, "scheduled_start_date": start + timedelta(days=number)})
        some_item(scheduled_start_date="20260110")
    with django_assert_num_queries(9):
        found = candidates.best(step, most=100)
    assert len(found) <= 6 * 3


@pytest.mark.acceptance("D191")
@pytest.mark.parametrize(
    ("reported_name", "name"),
    [
        ("TREMBLAY^ZOE", "Tremblay^Zoë"),
        ("Zoe Tremblay", "Tremblay^Zoë"),
        ("Obrien^Mary", "O'Brien^Mary"),
        ("O Brien^Mary", "O'Brien^Mary"),
        ("LUKASIEWICZ^JAN", "Łukasiewicz^Jan"),
        ("Mueller^Anna", "Müller^Anna"),
        ("Muller^Anna", "Müller^Anna"),
        ("Lavoie Dube^Luc", "Lavoie-Dubé^Luc=王^小明"),
    ],
)
def test_a_name_that_the_scanner_wrote_without_accents_is_found_on_any_day(
    reported_name: str, name: str
) -> None:
    step = a_scan(PatientName=reported_name, PatientID="")
    item = some_item(patient_name=name)
    some_item(patient_name="Tremblay^Zoé-Anne", patient_id="X-2")

    found = [(each.item, each.reasons) for each in candidates.best(step)]

    assert found == [(item, ("Name written differently",))]


@pytest.fixture(params=[True, False], ids=["a phantom", "a participant"])
def is_qa(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.acceptance("CL220")
def test_where_it_is_known_what_was_examined_the_other_kind_is_not_offered(*, is_qa: bool) -> None:
    step = a_scan()
    same = some_item(patient_id="P007", is_qa=is_qa)
    other = an_item(**{**SCANNED, "patient_id": "X2"}, is_qa=not is_qa)

    assert offered(step) == [same]
    performing.link(step, other, actor="bob")
    performing.unlink(step, other, actor="bob")
    assert offered(step) == [same]


@pytest.mark.acceptance("CL220")
def test_what_is_linked_says_what_was_examined(*, is_qa: bool) -> None:
    step = a_scan()
    performing.link(step, some_item(is_qa=is_qa), actor="bob")
    same = an_item(**{**SCANNED, "patient_id": "X2"}, is_qa=is_qa)
    an_item(**{**SCANNED, "patient_id": "X3"}, is_qa=not is_qa)

    assert offered(step) == [same]


@pytest.mark.acceptance("CL220")
@pytest.mark.parametrize("known", ["nothing", "both kinds", "a cancelled item"])
def test_where_nothing_tells_what_was_examined_both_are_offered(known: str) -> None:
    step = a_scan()
    first = an_item(**{**SCANNED, "patient_id": "X1", "patient_name": "Roe^Richard"}, is_qa=True)
    second = an_item(**{**SCANNED, "patient_id": "X2"})
    if known == "both kinds":
        WorklistItem.objects.update(patient_id="P007")
    if known == "a cancelled item":
        cancelled = some_item(patient_id="P007")
        lifecycle.move(cancelled, to=Status.CANCELLED, actor="alice")

    assert {first, second} <= set(offered(step))
