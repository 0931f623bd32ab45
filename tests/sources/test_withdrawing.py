"""What the source no longer has is cancelled with a reason, back when it returns, held when too much."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from sources.models import DataSource, RunOutcome, SourceState, State, SyncedStep, Withdrawal
from sources.sync import guards, withdrawing
from sources.sync.guards import Guarded
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN
from tests.sources.conftest import items, only_item, pull
from tests.sources.study import book, enrol, participant, participants, today
from worklist.items import intake, lifecycle
from worklist.models import Status, WorklistItem

pytestmark = pytest.mark.django_db


def statuses(source: DataSource) -> dict[str, str]:
    return {record: item.performed_procedure_step_status for record, item in items(source).items()}


@pytest.mark.acceptance("D137")
@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"mri_date": ""}, "no date"),
        ({"status": "2"}, "Cancelled"),
    ],
    ids=["RC60: no date", "RC61: status"],
)
def test_what_is_called_off_is_cancelled_with_the_reason_and_returns(
    source: DataSource, project: Project, values: dict[str, str], reason: str
) -> None:
    participant(project, "P-001")
    pull(source)
    uid = only_item(source).study_instance_uid

    book(project, "P-001", **values)  # type: ignore[arg-type]
    assert pull(source).withdrawn == 1
    item = only_item(source)
    assert item.performed_procedure_step_status == Status.CANCELLED
    assert reason.lower() in item.history.first().history_change_reason.lower()
    assert item.history.first().history_user_id == "source:study"

    book(project, "P-001", status="1", days=2)
    run = pull(source)
    item = only_item(source)
    assert run.restored == 1
    assert item.performed_procedure_step_status == Status.SCHEDULED
    assert item.scheduled_start_date == today() + timedelta(days=2)
    assert item.study_instance_uid == uid


@pytest.mark.acceptance("D137", "RC62")
def test_a_deleted_record_is_withdrawn_by_the_full_pull(source: DataSource, project: Project) -> None:
    participants(project, 3)
    pull(source)

    project.delete_record("P-002", log=False)
    run = pull(source, full=True)

    assert run.withdrawn == 1
    assert statuses(source) == {"P-001": "SCHEDULED", "P-002": "CANCELLED", "P-003": "SCHEDULED"}


@pytest.mark.acceptance("RC63")
def test_a_deleted_instance_is_withdrawn(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    book(project, "P-001", 2, days=5)
    pull(source)

    project.delete_instance("P-001", instrument="mri", instance=2)
    run = pull(source, full=True)

    assert run.withdrawn == 1
    kept = WorklistItem.objects.get(performed_procedure_step_status=Status.SCHEDULED)
    assert kept.scheduled_start_date == today() + timedelta(days=1)


@pytest.mark.acceptance("D140", "RC65")
def test_an_empty_answer_withdraws_nothing_and_is_told(source: DataSource, project: Project) -> None:
    participants(project, 2)
    pull(source)
    for record in ("P-001", "P-002"):
        project.delete_record(record)

    run = pull(source, full=True)

    assert (run.outcome, run.withdrawn) == (RunOutcome.HELD, 0)
    assert set(statuses(source).values()) == {"SCHEDULED"}
    assert source.state.state == State.HELD


@pytest.mark.acceptance("RC65")
def test_a_token_that_was_moved_into_a_group_withdraws_nothing(source: DataSource, project: Project) -> None:
    project.dags = {"boston": "Boston"}
    for record in participants(project, 12)[:3]:
        project.set_dag(record, "boston")
    pull(source)
    project.users[TOKEN].dag = "boston"

    run = pull(source, full=True)

    assert (run.outcome, run.withdrawn) == (RunOutcome.HELD, 0)
    assert set(statuses(source).values()) == {"SCHEDULED"}


@pytest.mark.acceptance("RC65")
def test_hashed_ids_withdraw_nothing(source: DataSource, project: Project) -> None:
    participants(project, 3)
    pull(source)
    project.users[TOKEN].data_export = 2

    run = pull(source, full=True)

    assert run.outcome == RunOutcome.CONFIGURATION
    assert set(statuses(source).values()) == {"SCHEDULED"}
    assert len(items(source)) == 3


def allow_what_is_held(source: DataSource) -> None:
    for kind, count in SourceState.objects.get(source=source).held.items():
        guards.allow(source, Guarded(kind), by="alice", count=count)


def lose(project: Project, source: DataSource) -> None:
    """Delete eight of ten booked records."""
    records = participants(project, 10)
    pull(source)
    for record in records[:8]:
        project.delete_record(record)


@pytest.mark.acceptance("RC66")
def test_too_much_at_once_is_held_until_a_person_allows_it(source: DataSource, project: Project) -> None:
    lose(project, source)

    run = pull(source, full=True)
    assert (run.outcome, run.withdrawn) == (RunOutcome.HELD, 0)
    assert (source.state.state, source.state.held) == (State.HELD, {"RECORDS_GONE": 8})
    assert set(statuses(source).values()) == {"SCHEDULED"}

    allow_what_is_held(source)
    run = pull(source)
    assert (run.outcome, run.withdrawn, run.is_full) == (RunOutcome.OK, 8, True)
    assert list(statuses(source).values()).count("CANCELLED") == 8
    assert (source.state.state, source.state.allowed) == (State.OK, {})


def test_what_is_held_does_not_keep_the_others_from_being_read(source: DataSource, project: Project) -> None:
    lose(project, source)
    pull(source, full=True)

    book(project, "P-010", days=4)
    pull(source)

    assert items(source)["P-010"].scheduled_start_date == today() + timedelta(days=4)
    assert source.state.state == State.HELD


def test_what_was_held_is_forgotten_when_it_returns(source: DataSource, project: Project) -> None:
    lose(project, source)
    pull(source, full=True)
    participants(project, 10)

    run = pull(source)

    assert (run.outcome, source.state.held) == (RunOutcome.OK, {})
    assert set(statuses(source).values()) == {"SCHEDULED"}


def test_what_was_held_and_returns_unreadable_is_not_cancelled(source: DataSource, project: Project) -> None:
    lose(project, source)
    pull(source, full=True)
    participant(project, "P-001", "Doe0")
    book(project, "P-001", mri_time="later")

    allow_what_is_held(source)
    pull(source)

    assert statuses(source)["P-001"] == "SCHEDULED"
    assert list(statuses(source).values()).count("CANCELLED") == 7


@pytest.mark.parametrize(("called_off", "cancelled", "held"), [(5, 5, {}), (6, 0, {"WITHDRAWN": 6})])
def test_up_to_five_are_called_off_unasked(
    source: DataSource, project: Project, called_off: int, cancelled: int, held: dict[str, int]
) -> None:
    records = participants(project, 7)
    pull(source)
    for record in records[:called_off]:
        book(project, record, mri_date="")

    assert pull(source).withdrawn == cancelled
    assert source.state.held == held


@pytest.mark.acceptance("D142", "RC70")
def test_what_was_never_performed_leaves_the_worklist_at_the_horizon(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    past = today() - timedelta(days=source.horizon_back_days + 1)
    book(project, "P-001", mri_date=past.isoformat())

    run = pull(source)

    assert run.withdrawn == 1
    assert only_item(source).performed_procedure_step_status == Status.CANCELLED
    assert pull(source, full=True).withdrawn == 0

    book(project, "P-001", days=3)
    pull(source)
    assert only_item(source).performed_procedure_step_status == Status.SCHEDULED


def test_appointments_outside_the_horizon_are_not_taken(source: DataSource, project: Project) -> None:
    for record, days in (("P-001", -30), ("P-002", 500)):
        participant(project, record, record, days=days)

    assert pull(source).created == 0


def test_what_a_person_cancelled_stays_cancelled(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    lifecycle.move(only_item(source), to=Status.CANCELLED, actor="bob", reason="ill")

    book(project, "P-001", days=5)
    pull(source, full=True)
    book(project, "P-001", mri_date="")
    pull(source)
    book(project, "P-001", days=6)
    pull(source)

    assert only_item(source).performed_procedure_step_status == Status.CANCELLED


def test_what_a_person_scheduled_again_is_not_cancelled_again(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    book(project, "P-001", mri_date="")
    pull(source)
    lifecycle.move(only_item(source), to=Status.SCHEDULED, actor="bob", reason="comes after all")

    pull(source, full=True)

    assert only_item(source).performed_procedure_step_status == Status.SCHEDULED


def test_a_held_item_that_a_person_deleted_is_no_obstacle(source: DataSource, project: Project) -> None:
    lose(project, source)
    pull(source, full=True)
    for item in items(source).values():
        item.delete()

    assert pull(source).outcome == RunOutcome.OK


@pytest.mark.acceptance("RC93")
def test_items_of_a_disabled_source_can_be_withdrawn_and_return_with_it(
    source: DataSource, project: Project
) -> None:
    participants(project, 2)
    pull(source)

    assert withdrawing.withdraw_all(source, actor="alice", reason="The study is over") == 2
    assert set(statuses(source).values()) == {"CANCELLED"}
    assert pull(source, full=True).restored == 2
    assert set(statuses(source).values()) == {"SCHEDULED"}


def test_the_state_of_a_withdrawal_is_kept_with_its_reason(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    project.delete_record("P-001")
    enrol(project, "P-002")
    pull(source, full=True)

    synced = SyncedStep.objects.get()
    assert synced.withdrawal == Withdrawal.DONE
    assert "no longer at the source" in synced.reason


@pytest.mark.acceptance("RC69")
def test_an_item_made_by_hand_is_never_the_sources(source: DataSource, project: Project) -> None:
    """It has the very values of a participant."""
    participant(project, "P-001")
    by_hand = intake.create(
        {
            "patient_name": "Doe^Jane",
            "patient_id": "P-001",
            "modality": "MR",
            "scheduled_start_date": today() + timedelta(days=1),
            "scheduled_start_time": "09:30",
        },
        actor="bob",
    )

    pull(source)
    project.delete_record("P-001")
    enrol(project, "P-002")
    pull(source, full=True)

    by_hand.refresh_from_db()
    assert by_hand.performed_procedure_step_status == Status.SCHEDULED
    assert by_hand.history.count() == 1
    assert only_item(source).performed_procedure_step_status == Status.CANCELLED


def test_a_hold_waits_at_least_five_minutes_between_pulls(source: DataSource, project: Project) -> None:
    lose(project, source)
    pull(source, full=True)

    state = SourceState.objects.get()
    assert state.next_pull_at is not None
    assert state.next_pull_at > timezone.now() + timedelta(minutes=4)


def test_the_stand_in_is_asked_for_no_more_than_it_was_told(redcap: RedcapServer, source: DataSource) -> None:
    """Only the mapping's fields are asked for (minimisation)."""
    pull(source)

    asked = {
        value
        for request in redcap.requests
        for name, value in request.params.items()
        if request.content == "record" and name.startswith("fields")
    }
    assert asked <= {
        *("record_id", "last_name", "first_name", "dob", "sex", "weight", "mri_date", "mri_time"),
        *("status", "comment"),
    }
