"""What a person did to an item holds for its appointment and its person, whatever becomes of its row."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from sources.mapping.rules import Rule, SessionKind
from sources.models import DataSource, RunOutcome, SyncedStep, SyncIssue, SyncRun, Withdrawal
from sources.sync import edits, guards
from sources.sync.deciding import RECORD_GONE, SyncAction
from sources.sync.guards import Guarded
from sources.sync.preview import dry_run
from tests.redcap.project import Project
from tests.sources.conftest import items, only_item, pull, set_rules
from tests.sources.examinations import examined
from tests.sources.study import RECORD, RULES, book, enrol, participant, participants, today
from worklist.items import intake
from worklist.models import PerformedStatus, Status, WorklistItem

pytestmark = pytest.mark.django_db

IN_TWO_DAYS = {"scheduled_start_date": today() + timedelta(days=2)}
SOMEBODY_ELSE: dict[str, Any] = {"last_name": "Roe", "first_name": "Max", "dob": "1970-07-07", "sex": "1"}


def edit(item: WorklistItem, **values: Any) -> None:
    intake.change(item, values, actor="bob")


def two_of_one(source: DataSource) -> None:
    """Let the last name be the patient ID, so that two records may have one patient."""
    set_rules(source, (Rule("patient_id", "last_name", level=RECORD), *RULES[1:]))


@pytest.mark.acceptance("RC240")
def test_a_row_is_used_again_though_a_person_had_moved_what_was_examined(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    edit(only_item(source), **IN_TWO_DAYS)
    examined(source, Status.COMPLETED)
    assert pull(source, full=True).created == 0

    book(project, "P-001", days=7)

    assert pull(source).created == 1
    assert WorklistItem.objects.filter(scheduled_start_date=today() + timedelta(days=7)).exists()
    assert pull(source, full=True).created == 0


@pytest.mark.acceptance("RC240")
def test_and_though_the_examination_ran_when_the_row_was_booked_again(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    edit(only_item(source), **IN_TWO_DAYS)
    item = examined(source, Status.IN_PROGRESS)
    book(project, "P-001", days=7, weight="71")
    assert pull(source).created == 0

    item.performed_steps.update(status=PerformedStatus.COMPLETED)
    WorklistItem.objects.update(performed_procedure_step_status=Status.COMPLETED)

    assert pull(source).created == 1


@pytest.mark.acceptance("RC240")
def test_what_a_person_had_moved_is_not_offered_again_by_what_the_source_said_before(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001", days=5)
    pull(source)
    edit(only_item(source), **IN_TWO_DAYS)
    examined(source, Status.COMPLETED)

    assert pull(source, full=True).created == 0
    assert not SyncIssue.objects.open().exists()


@pytest.mark.acceptance("RC241")
def test_what_was_edited_for_one_person_is_not_kept_for_another(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    edit(only_item(source), patient_name="Doe^Janet", patient_weight_kg="45")

    enrol(project, "P-001", **SOMEBODY_ELSE)
    pull(source)

    item = only_item(source)
    assert (item.patient_name, item.patient_sex, item.patient_weight_kg) == ("Roe^Max", "M", Decimal(70))
    assert edits.edited_fields(SyncedStep.objects.get()) == {}


@pytest.mark.acceptance("RC241")
def test_what_was_edited_stays_where_one_value_is_corrected(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    edit(only_item(source), patient_name="Doe^Janet", patient_weight_kg="45")

    enrol(project, "P-001", "Roe")
    pull(source)

    assert (only_item(source).patient_name, only_item(source).patient_weight_kg) == ("Doe^Janet", Decimal(45))


@pytest.mark.acceptance("RC241")
def test_what_a_person_deleted_keeps_nobody_else_out(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    only_item(source).delete()
    assert pull(source, full=True).created == 0

    enrol(project, "P-001", **SOMEBODY_ELSE)

    assert pull(source).created == 1
    assert only_item(source).patient_name == "Roe^Max"
    assert pull(source, full=True).created == 0
    deleted = SyncedStep.objects.get(item=None)
    with pytest.raises(ValidationError, match="another appointment"):
        edits.remake(deleted, actor="bob")


@pytest.mark.acceptance("RC245")
def test_what_is_made_again_from_a_record_that_is_gone_is_cancelled(
    source: DataSource, project: Project
) -> None:
    participants(project, 3)
    pull(source)
    project.delete_record("P-001")
    pull(source, full=True)
    items(source)["P-001"].delete()
    pull(source, full=True)

    edits.remake(SyncedStep.objects.get(item=None), actor="bob")
    pull(source)

    assert items(source)["P-001"].performed_procedure_step_status == Status.CANCELLED


@pytest.mark.acceptance("RC243")
def test_a_renamed_record_keeps_an_item_that_a_person_moved(source: DataSource, project: Project) -> None:
    participants(project, 3)
    pull(source)
    item = items(source)["P-001"]
    edit(item, **IN_TWO_DAYS)

    project.rename_record("P-001", "X-001")
    run = pull(source, full=True)

    assert (run.created, run.withdrawn) == (0, 0)
    moved = items(source)["X-001"]
    assert (moved.pk, moved.scheduled_start_date) == (item.pk, IN_TWO_DAYS["scheduled_start_date"])


@pytest.mark.acceptance("RC243")
def test_what_a_person_deleted_does_not_come_back_with_another_name_of_its_record(
    source: DataSource, project: Project
) -> None:
    participants(project, 3)
    pull(source)
    items(source)["P-001"].delete()

    project.rename_record("P-001", "X-001")
    dry_run(source)

    assert pull(source, full=True).created == 0
    assert set(items(source)) == {"P-002", "P-003"}


@pytest.mark.acceptance("RC243")
def test_two_appointments_that_could_be_one_new_session_stop_no_pull(
    source: DataSource, project: Project
) -> None:
    two_of_one(source)
    for record, name in (("P-001", "Doe"), ("P-002", "Doe"), ("P-003", "Poe")):
        participant(project, record, name)
    pull(source)
    project.delete_record("P-001")
    project.stop_repeating("mri")
    source.redcap.session_kind = SessionKind.RECORD
    source.save_with_details("alice")

    run = pull(source, full=True)

    assert run.outcome == RunOutcome.OK
    offered = WorklistItem.objects.filter(performed_procedure_step_status=Status.SCHEDULED)
    assert sorted(offered.values_list("patient_id", flat=True)) == ["Doe", "Poe"]


@pytest.mark.acceptance("RC244")
def test_compare_keeps_what_a_person_edited_of_a_renamed_record(source: DataSource, project: Project) -> None:
    participants(project, 3)
    pull(source)
    edit(items(source)["P-001"], patient_weight_kg="80")
    project.rename_record("P-001", "X-001")

    [change] = dry_run(source).changes

    assert change.fields == {"patient_id": ("P-001", "X-001")}


@pytest.mark.acceptance("RC244")
def test_compare_leaves_a_renamed_record_as_it_was_examined(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    examined(source, Status.COMPLETED)
    project.rename_record("P-001", "X-001")

    compared = dry_run(source)
    run = pull(source, full=True)

    assert (compared.counts[SyncAction.CHANGE], compared.counts[SyncAction.KEPT]) == (0, 1)
    assert (run.changed, run.kept) == (0, 1)


@pytest.mark.acceptance("RC242")
def test_what_is_back_under_another_id_that_waits_is_not_cancelled(
    source: DataSource, project: Project
) -> None:
    set_rules(source, (Rule("patient_id", "comment"), *RULES[1:8], RULES[9]))
    for number in range(5):
        enrol(project, f"P-{number}", f"Doe{number}")
        book(project, f"P-{number}", comment=f"S-{number}")
    pull(source)
    for record in ("P-0", "P-1"):
        project.delete_record(record)
    pull(source, full=True)
    assert source.state.held == {"RECORDS_GONE": 2}

    for number in range(2):
        enrol(project, f"P-{number}", f"Doe{number}")
        book(project, f"P-{number}", comment=f"T-{number}")
    pull(source, full=True)

    assert source.state.held == {"RENAMED": 2}
    assert not SyncedStep.objects.exclude(withdrawal=Withdrawal.NONE).exists()


@pytest.mark.acceptance("RC241")
def test_a_row_whose_examined_item_was_deleted_is_booked_anew(source: DataSource, project: Project) -> None:
    """Old items are tidied away here, and a form that does not repeat gets its next date."""
    participant(project, "P-001", days=-3)
    pull(source)
    only_item(source).delete()
    book(project, "P-001", days=-2)
    assert pull(source).created == 0

    book(project, "P-001", days=7)

    assert pull(source).created == 1
    assert pull(source, full=True).created == 0


@pytest.mark.acceptance("RC241")
def test_a_coming_appointment_that_a_person_deleted_may_be_moved_and_stays_deleted(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    only_item(source).delete()

    book(project, "P-001", days=7)

    assert pull(source).created == 0


@pytest.mark.acceptance("RC242")
def test_what_a_person_allowed_is_done_once_whatever_pull_comes_first(
    source: DataSource, project: Project
) -> None:
    """A Data Entry Trigger comes before the full pull that the button asked for."""
    set_rules(source, (Rule("patient_id", "comment"), *RULES[1:8], RULES[9]))
    for number in range(15):
        enrol(project, f"P-{number}", f"Doe{number}")
        book(project, f"P-{number}", comment=f"S-{number}")
    pull(source)
    for number in range(4):
        book(project, f"P-{number}", comment=f"T-{number}")
    pull(source)
    guards.allow(source, Guarded.RENAMED, by="alice", count=4)

    assert pull(source, only_pending=True).changed == 0
    for number in range(4, 8):
        book(project, f"P-{number}", comment=f"T-{number}")

    assert (pull(source).changed, source.state.held) == (0, {"RENAMED": 8})


@pytest.mark.acceptance("RC242")
def test_what_a_killed_full_pull_had_noted_is_counted_with_the_rest(
    source: DataSource, project: Project
) -> None:
    records = participants(project, 10)
    pull(source)
    for record in records[:8]:
        project.delete_record(record)
    killed = SyncRun.objects.create(source=source, is_full=True, outcome=RunOutcome.RUNNING)
    noted = {"withdrawal": Withdrawal.PENDING, "reason": RECORD_GONE, "run": killed}
    SyncedStep.objects.filter(record__in=records[:2]).update(**noted)

    assert pull(source, only_pending=True).withdrawn == 0
    assert (pull(source, full=True).withdrawn, source.state.held) == (0, {"RECORDS_GONE": 8})


@pytest.mark.acceptance("RC244")
def test_compare_knows_what_it_would_have_made_before(
    source: DataSource, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people have one patient ID, and come in two batches."""
    monkeypatch.setattr("sources.sync.deciding.RECORDS_AT_ONCE", 1)
    two_of_one(source)
    participant(project, "P-001")
    enrol(project, "P-002", dob="1970-07-07", first_name="Max")
    book(project, "P-002", days=3)

    compared = dry_run(source)

    assert compared.counts[SyncAction.CREATE] == pull(source).created == 1


@pytest.mark.acceptance("RC244")
def test_compare_tells_nothing_of_a_new_name_that_changes_no_item(
    source: DataSource, project: Project
) -> None:
    two_of_one(source)
    participants(project, 3)
    pull(source)
    project.rename_record("P-001", "X-001")

    compared = dry_run(source)
    run = pull(source, full=True)

    assert (compared.changes, +compared.counts) == ([], {SyncAction.UNCHANGED: 3})
    assert (run.created, run.changed, run.withdrawn) == (0, 0, 0)
