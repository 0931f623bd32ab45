"""A row that is used again after an examination is another appointment; a renamed record is the same one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from sources.mapping.rules import Rule
from sources.models import DataSource, SyncedStep, SyncIssue, Withdrawal
from sources.sync import edits
from sources.sync.clashes import TWO_PEOPLE
from sources.sync.deciding import SyncAction
from sources.sync.occurrences import DOUBTFUL, Reuse, reuse_of
from sources.sync.preview import RENAMED, dry_run
from tests.redcap.project import Project
from tests.sources.conftest import items, only_item, pull, set_rules
from tests.sources.examinations import examined
from tests.sources.study import RECORD, RULES, book, enrol, participant, participants, today
from tests.worklist.performed_rows import make_step
from worklist.items import lifecycle
from worklist.models import PerformedStatus, Status, WorklistItem

TODAY = date(2026, 3, 10)
EXAMINED = date(2026, 3, 2)
LATER, EARLIER = "2026-03-12", "2026-03-01"


@pytest.mark.acceptance("RC230")
@pytest.mark.parametrize(
    ("differing", "expected"),
    [
        ({"patient_weight_kg": "71"}, Reuse.CORRECTED),
        ({"patient_name": "Roe^Jane"}, Reuse.CORRECTED),
        ({"patient_name": "Roe^Jane", "patient_birth_date": "1980-05-05"}, Reuse.CORRECTED),
        ({"scheduled_start_time": "11:00:00"}, Reuse.CORRECTED),
        ({"scheduled_start_date": EARLIER}, Reuse.CORRECTED),
        ({"scheduled_start_date": ""}, Reuse.CORRECTED),
        ({"patient_id": "P-2"}, Reuse.DOUBTFUL),
        ({"patient_id": "P-2", "patient_name": "Roe^Jane"}, Reuse.DOUBTFUL),
        ({"scheduled_start_date": "2026-03-05"}, Reuse.DOUBTFUL),  # after it, and past
        ({"scheduled_start_date": LATER}, Reuse.AGAIN),
        ({"scheduled_start_date": "2026-03-10"}, Reuse.AGAIN),
        ({"scheduled_start_date": LATER, "patient_name": "Roe^Jane"}, Reuse.AGAIN),
        (
            {"patient_id": "P-2", "patient_name": "Roe^Jane", "scheduled_start_time": "11:00:00"},
            Reuse.AGAIN,
        ),
        (
            {"patient_id": "P-2", "patient_sex": "M", "scheduled_start_date": EARLIER},
            Reuse.AGAIN,
        ),
    ],
)
def test_what_differs_tells_what_a_row_stands_for(differing: dict[str, Any], expected: Reuse) -> None:
    item = WorklistItem(
        patient_id="P-1",
        patient_name="Doe^Jane",
        patient_birth_date=date(1990, 1, 31),
        patient_sex="F",
        scheduled_start_date=EXAMINED,
    )

    assert reuse_of(item, differing, examined_on=None, today=TODAY) is expected


@pytest.mark.acceptance("RC230")
def test_a_day_that_the_scanner_moved_is_no_later_day() -> None:
    item = WorklistItem(patient_name="Doe^Jane", scheduled_start_date=EXAMINED)
    differing = {"scheduled_start_date": LATER}

    moved = reuse_of(item, differing, examined_on=date.fromisoformat(LATER), today=TODAY)

    assert moved is Reuse.CORRECTED


@pytest.mark.django_db
@pytest.mark.acceptance("RC230")
def test_a_day_after_the_examination_is_another_appointment(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    first = examined(source, Status.COMPLETED)

    book(project, "P-001", days=7)
    run = pull(source)

    assert (run.created, run.changed, run.kept) == (1, 0, 0)
    again = WorklistItem.objects.exclude(pk=first.pk).get()
    assert again.scheduled_start_date == today() + timedelta(days=7)
    assert again.performed_procedure_step_status == Status.SCHEDULED
    assert again.study_instance_uid != first.study_instance_uid
    assert [step.occurrence for step in SyncedStep.objects.order_by("pk")] == [1, 2]
    assert pull(source, full=True).created == 0
    assert not SyncIssue.objects.open().exists()


@pytest.mark.django_db
@pytest.mark.acceptance("RC256")
@pytest.mark.parametrize("days_then", [0, -1])
def test_who_did_not_come_and_was_given_a_later_day_is_offered_again(
    source: DataSource, project: Project, days_then: int
) -> None:
    participant(project, "P-001", days=days_then)
    pull(source)
    missed = only_item(source)
    lifecycle.move(missed, to=Status.CANCELLED, actor="bob", reason="Did not come")

    book(project, "P-001", days=7)
    run = pull(source)

    assert (run.created, run.changed, run.restored) == (1, 0, 0)
    missed.refresh_from_db()
    assert missed.performed_procedure_step_status == Status.CANCELLED
    again = WorklistItem.objects.exclude(pk=missed.pk).get()
    assert again.performed_procedure_step_status == Status.SCHEDULED
    assert again.scheduled_start_date == today() + timedelta(days=7)
    assert again.study_instance_uid != missed.study_instance_uid
    assert pull(source, full=True).created == 0
    assert not SyncIssue.objects.open().exists()


@pytest.mark.django_db
@pytest.mark.acceptance("RC256")
def test_what_a_person_cancelled_ahead_stays_cancelled_whatever_day_the_source_gives_it(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001", days=2)
    pull(source)
    item = only_item(source)
    lifecycle.move(item, to=Status.CANCELLED, actor="bob")

    book(project, "P-001", days=7)
    run = pull(source)

    assert run.created == 0
    item.refresh_from_db()
    assert item.performed_procedure_step_status == Status.CANCELLED


@pytest.mark.django_db
@pytest.mark.acceptance("RC230")
def test_the_last_use_of_a_row_follows_its_source_and_is_withdrawn_with_it(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    first = examined(source, Status.COMPLETED)
    book(project, "P-001", days=7)
    pull(source)
    again = WorklistItem.objects.exclude(pk=first.pk).get()

    book(project, "P-001", days=8, weight="71")
    pull(source)
    again.refresh_from_db()
    assert again.scheduled_start_date == today() + timedelta(days=8)

    book(project, "P-001", mri_date="")
    pull(source)
    again.refresh_from_db()
    first.refresh_from_db()
    assert again.performed_procedure_step_status == Status.CANCELLED
    assert first.performed_procedure_step_status == Status.COMPLETED


@pytest.mark.django_db
@pytest.mark.acceptance("RC230")
def test_nothing_is_made_again_while_the_examination_runs(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    item = examined(source, Status.IN_PROGRESS)
    book(project, "P-001", days=7)
    assert (pull(source).created, pull(source).kept) == (0, 1)

    item.performed_steps.update(status=Status.COMPLETED)
    WorklistItem.objects.update(performed_procedure_step_status=Status.COMPLETED)

    assert pull(source, full=True).created == 1


@pytest.mark.django_db
@pytest.mark.acceptance("RC231")
def test_numbers_that_are_used_again_for_others_offer_nobody_under_a_known_id(
    source: DataSource, project: Project
) -> None:
    """The project is erased, and P-001 is somebody else now: images of the first P-001 exist."""
    participant(project, "P-001")
    pull(source)
    first = examined(source, Status.COMPLETED)

    project.delete_record("P-001")
    enrol(project, "P-001", "Roe", dob="1970-07-07", sex="1", first_name="Max")
    book(project, "P-001", days=7)
    book(project, "P-001", 2, days=9)
    run = pull(source, full=True)

    assert run.created == 0
    assert WorklistItem.objects.get() == first
    assert {issue.text for issue in SyncIssue.objects.open()} == {TWO_PEOPLE}


@pytest.mark.django_db
@pytest.mark.acceptance("RC231")
def test_a_row_of_somebody_else_with_another_id_is_offered(source: DataSource, project: Project) -> None:
    set_rules(source, (Rule("patient_id", "comment"), *RULES[1:8], RULES[9]))
    enrol(project, "P-001")
    book(project, "P-001", comment="S-1")
    pull(source)
    first = examined(source, Status.COMPLETED)

    enrol(project, "P-001", "Roe", dob="1970-07-07", sex="1", first_name="Max")
    book(project, "P-001", comment="S-2", mri_time="15:00")
    run = pull(source, full=True)

    assert run.created == 1
    assert items(source)["S-2"].patient_name == "Roe^Max"
    first.refresh_from_db()
    assert (first.patient_id, first.patient_name) == ("S-1", "Doe^Jane")


@pytest.mark.django_db
@pytest.mark.acceptance("RC232")
def test_what_is_doubtful_waits_for_a_person_who_may_make_it(source: DataSource, project: Project) -> None:
    set_rules(source, (Rule("patient_id", "comment"), *RULES[1:8], RULES[9]))
    enrol(project, "P-001")
    book(project, "P-001", comment="S-1")
    pull(source)
    examined(source, Status.COMPLETED)

    book(project, "P-001", comment="S-2")
    run = pull(source)

    assert (run.created, run.kept) == (0, 1)
    assert SyncIssue.objects.open().filter(text=DOUBTFUL, blocks=True).exists()
    step = SyncedStep.objects.get()
    made = edits.make_another(step, actor="bob")
    assert (made.patient_id, made.performed_procedure_step_status) == ("S-2", Status.SCHEDULED)
    again = pull(source, full=True)
    assert (again.created, again.changed, again.kept) == (0, 0, 0)
    assert not SyncIssue.objects.open().exists()
    with pytest.raises(ValidationError, match="no other appointment"):
        edits.make_another(step, actor="bob")


@pytest.mark.django_db
@pytest.mark.acceptance("RC64")
@pytest.mark.parametrize("full", [False, True])
def test_a_renamed_record_keeps_its_steps_and_their_uids(
    source: DataSource, project: Project, full: bool
) -> None:
    participants(project, 3)
    book(project, "P-001", 2, days=4)
    pull(source)
    before = {item.pk: item.study_instance_uid for item in WorklistItem.objects.all()}

    project.rename_record("P-001", "X-001")
    run = pull(source, full=full)

    assert (run.created, run.withdrawn) == (0, 0)
    assert {item.pk: item.study_instance_uid for item in WorklistItem.objects.all()} == before
    assert set(items(source)) == {"X-001", "P-002", "P-003"}
    assert not SyncIssue.objects.open().exists()
    assert pull(source, full=True).withdrawn == 0


@pytest.mark.django_db
@pytest.mark.acceptance("RC64")
def test_a_session_whose_record_was_renamed_after_its_examination_is_offered_no_more(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    item = examined(source, Status.COMPLETED)

    project.rename_record("P-001", "X-001")
    run = pull(source, full=True)

    assert (run.created, run.kept) == (0, 1)
    assert only_item(source) == item
    assert SyncedStep.objects.get().record == "X-001"


@pytest.mark.django_db
@pytest.mark.acceptance("RC64")
def test_a_renamed_record_keeps_every_use_of_its_rows(source: DataSource, project: Project) -> None:
    """What was booked anew while the examination was under way is said by both uses of the row."""
    participant(project, "P-001", days=0)
    pull(source)
    examined(source, Status.IN_PROGRESS)
    book(project, "P-001", days=3)
    pull(source)
    WorklistItem.objects.get().performed_steps.update(status=PerformedStatus.COMPLETED)
    WorklistItem.objects.update(performed_procedure_step_status=Status.COMPLETED)
    assert pull(source, full=True).created == 1
    uses = list(SyncedStep.objects.order_by("occurrence").values_list("item", flat=True))

    project.rename_record("P-001", "X-001")
    run = pull(source, full=True)

    assert (run.created, run.withdrawn) == (0, 0)
    renamed = SyncedStep.objects.filter(record="X-001").order_by("occurrence")
    assert list(renamed.values_list("item", flat=True)) == uses


@pytest.mark.django_db
@pytest.mark.acceptance("RC64")
def test_a_record_that_was_entered_twice_is_no_renamed_one(source: DataSource, project: Project) -> None:
    set_rules(source, (Rule("patient_id", "last_name", level=RECORD), *RULES[1:]))
    participant(project, "P-001")
    pull(source)

    participant(project, "P-002")
    run = pull(source, full=True)

    assert run.created == 1
    assert "entered twice" in SyncIssue.objects.open().filter(record="P-002").get().text


@pytest.mark.django_db
@pytest.mark.acceptance("RC64")
def test_of_two_that_a_renamed_record_could_be_neither_is_taken_for_it(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    participant(project, "P-009", "Poe")
    pull(source)
    project.delete_record("P-001")
    participant(project, "X-001")
    participant(project, "X-002")

    run = pull(source, full=True)

    assert run.created == 2
    old = SyncedStep.objects.get(record="P-001")
    assert old.withdrawal == Withdrawal.DONE


@pytest.mark.django_db
@pytest.mark.acceptance("RC64")
def test_an_item_that_was_cancelled_with_its_record_comes_back_under_the_new_name(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    participant(project, "P-002", "Poe")
    pull(source)
    project.delete_record("P-001")
    pull(source, full=True)
    item = WorklistItem.objects.get(patient_id="P-001")
    assert item.performed_procedure_step_status == Status.CANCELLED

    participant(project, "X-001")
    run = pull(source)

    item.refresh_from_db()
    assert (run.created, run.restored) == (0, 1)
    assert (item.patient_id, item.performed_procedure_step_status) == ("X-001", Status.SCHEDULED)


@pytest.mark.django_db
@pytest.mark.acceptance("RC64")
def test_a_dry_run_takes_a_renamed_record_for_what_it_is(source: DataSource, project: Project) -> None:
    participants(project, 3)
    pull(source)
    project.rename_record("P-001", "X-001")

    found = dry_run(source)

    [change] = found.changes
    assert (change.record, change.kind, change.reason) == ("X-001", SyncAction.CHANGE, RENAMED)
    assert change.fields == {"patient_id": ("P-001", "X-001")}
    assert {action: count for action, count in found.counts.items() if count} == {
        SyncAction.CHANGE: 1,
        SyncAction.UNCHANGED: 2,
    }
    assert not found.held


@pytest.mark.django_db
@pytest.mark.acceptance("RC64")
def test_a_renamed_record_keeps_its_items_where_one_was_examined_under_an_uncorrected_name(
    source: DataSource, project: Project
) -> None:
    set_rules(source, (Rule("patient_id", "comment"), *RULES[1:8], RULES[9]))
    enrol(project, "P-001")
    book(project, "P-001", comment="S-1", mri_time="09:00")
    book(project, "P-001", 2, comment="S-1", mri_time="13:00")
    pull(source)
    first, second = WorklistItem.objects.order_by("scheduled_start_time")
    make_step(first, status=PerformedStatus.COMPLETED)
    WorklistItem.objects.filter(pk=first.pk).update(performed_procedure_step_status=Status.COMPLETED)
    enrol(project, "P-001", "Poe")
    pull(source)

    project.rename_record("P-001", "X-001")
    run = pull(source, full=True)

    second.refresh_from_db()
    assert (run.created, run.withdrawn) == (0, 0)
    assert (second.patient_name, second.performed_procedure_step_status) == ("Poe^Jane", Status.SCHEDULED)
    assert {step.record for step in SyncedStep.objects.all()} == {"X-001"}
    assert WorklistItem.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.acceptance("RC64")
def test_an_examined_session_is_known_by_what_its_source_said_last(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    examined(source, Status.COMPLETED)
    enrol(project, "P-001", "Poe")
    pull(source)

    project.rename_record("P-001", "X-001")

    assert pull(source, full=True).created == 0
    assert SyncedStep.objects.get().record == "X-001"
