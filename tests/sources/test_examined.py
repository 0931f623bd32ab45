"""A pull leaves alone examinations under way or done, and what a person changed here."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from sources.models import DataSource, SyncedStep, SyncIssue, Withdrawal
from sources.sync import edits
from tests.redcap.project import Project
from tests.sources.conftest import only_item, pull
from tests.sources.examinations import examined
from tests.sources.study import book, enrol, participant, today
from worklist.items import intake, lifecycle
from worklist.items.whose import Answer
from worklist.models import Attention, AttentionKind, PerformedStatus, Status, WorklistItem

pytestmark = pytest.mark.django_db


@pytest.mark.acceptance("D141", "RC67")
@pytest.mark.parametrize("status", [Status.IN_PROGRESS, Status.COMPLETED])
def test_nobody_is_changed_under_an_examination_and_the_difference_is_told(
    source: DataSource, project: Project, status: Status
) -> None:
    participant(project, "P-001")
    pull(source)
    item = examined(source, status)
    before = {field.name: getattr(item, field.name) for field in WorklistItem._meta.concrete_fields}

    project.save("P-001", last_name="Roe", sex="1")
    book(project, "P-001", weight="99", mri_time="11:00")
    run = pull(source)

    item.refresh_from_db()
    assert {name: getattr(item, name) for name in before} == before
    assert (run.changed, run.kept) == (0, 1)
    told = {issue.target for issue in SyncIssue.objects.open()}
    assert told == {"patient_name", "patient_sex", "patient_weight_kg", "scheduled_start_time"}
    assert set(edits.unwritten_changes(SyncedStep.objects.get())) == told


@pytest.mark.acceptance("RC98")
def test_a_scanner_that_is_named_after_the_examination_is_nothing_to_mend(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    item = examined(source, Status.COMPLETED)

    DataSource.objects.update(scheduled_station_aetitle="MR1")
    run = pull(source, full=True)

    item.refresh_from_db()
    assert (item.scheduled_station_aetitle, run.kept) == ("", 1)
    assert not SyncIssue.objects.open().exists()


def test_an_examination_that_was_stopped_lets_the_item_follow_again(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    item = examined(source, Status.IN_PROGRESS)
    book(project, "P-001", weight="99")
    pull(source)
    item.performed_steps.update(status=PerformedStatus.DISCONTINUED)
    WorklistItem.objects.update(performed_procedure_step_status=Status.DISCONTINUED)

    pull(source, full=True)

    assert only_item(source).patient_weight_kg == Decimal(99)
    assert not SyncIssue.objects.open().exists()


def test_what_is_called_off_during_an_examination_stays_and_a_person_is_told(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    item = examined(source, Status.IN_PROGRESS)
    book(project, "P-001", mri_date="")

    assert pull(source).withdrawn == 0
    item.refresh_from_db()
    assert item.performed_procedure_step_status == Status.IN_PROGRESS
    assert Attention.objects.open().get(item=item).kind == AttentionKind.CANCELLED
    assert SyncedStep.objects.get().withdrawal == Withdrawal.PENDING


def test_a_completed_item_that_is_deleted_at_the_source_stays_completed(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    item = examined(source, Status.COMPLETED)
    project.delete_record("P-001")
    enrol(project, "P-002")

    pull(source, full=True)

    item.refresh_from_db()
    assert item.performed_procedure_step_status == Status.COMPLETED
    assert pull(source, full=True).withdrawn == 0


@pytest.mark.acceptance("RC68")
def test_an_edit_here_stays_and_the_rest_follows(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    intake.change(only_item(source), {"scheduled_start_time": "16:00"}, actor="bob")

    book(project, "P-001", mri_time="11:00", weight="71")
    pull(source)
    pull(source, full=True)

    item = only_item(source)
    assert (item.scheduled_start_time, item.patient_weight_kg) == (time(16, 0), Decimal(71))
    assert edits.edited_fields(SyncedStep.objects.get()) == {"scheduled_start_time": ("16:00:00", "11:00:00")}


@pytest.mark.acceptance("RC68")
def test_an_item_can_follow_the_source_again(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    intake.change(only_item(source), {"scheduled_start_time": "16:00"}, actor="bob")
    book(project, "P-001", mri_time="11:00")
    pull(source)

    edits.follow_again(SyncedStep.objects.get(), ["scheduled_start_time"], actor="bob")
    assert only_item(source).scheduled_start_time == time(11, 0)
    book(project, "P-001", mri_time="12:00")
    pull(source)
    assert only_item(source).scheduled_start_time == time(12, 0)


@pytest.mark.acceptance("RC68")
def test_each_item_of_a_record_can_take_its_name_from_the_source_again(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    book(project, "P-001", 2, days=8)
    pull(source)
    first, second = SyncedStep.objects.order_by("pk")
    assert first.item and second.item
    intake.change(first.item, {"patient_name": "Roe^Jane"}, actor="bob", answer=Answer(same_person=True))

    edits.follow_again(first, ["patient_name"], actor="bob")
    edits.follow_again(second, ["patient_name"], actor="bob")

    assert set(WorklistItem.objects.values_list("patient_name", flat=True)) == {"Doe^Jane"}


@pytest.mark.acceptance("D141", "RC67")
def test_a_corrected_name_reaches_the_appointment_to_come_beside_one_that_is_done(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    done = examined(source, Status.COMPLETED)
    book(project, "P-001", 2, days=8)
    pull(source)

    project.save("P-001", last_name="Roe")
    pull(source)

    to_come = WorklistItem.objects.exclude(pk=done.pk).get()
    done.refresh_from_db()
    assert (to_come.patient_name, done.patient_name) == ("Roe^Jane", "Doe^Jane")
    assert [issue.target for issue in SyncIssue.objects.open()] == ["patient_name"]
    assert [point.kind for point in to_come.attention.open()] == [AttentionKind.SHARED_ID]
    texts = [issue.text for issue in SyncIssue.objects.open()]
    assert not any(name in text for text in texts for name in ("Doe", "Roe", "Jane", "P-001"))


def test_an_edit_that_the_source_comes_to_agree_with_is_no_pin_any_more(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    intake.change(only_item(source), {"scheduled_start_time": "16:00"}, actor="bob")
    book(project, "P-001", mri_time="16:00")
    pull(source)
    assert edits.edited_fields(SyncedStep.objects.get()) == {}

    book(project, "P-001", mri_time="17:00")
    pull(source)

    assert only_item(source).scheduled_start_time == time(17, 0)


def test_an_attribute_that_a_person_added_stays_beside_those_of_the_source(
    source: DataSource, project: Project
) -> None:
    enrol(project, "P-001")
    book(project, "P-001", comment="Tall")
    pull(source)
    added = {**only_item(source).extra_attributes, "MedicalAlerts": ["Pacemaker"]}
    intake.change(only_item(source), {"extra_attributes": added}, actor="bob")

    book(project, "P-001", comment="Very tall")
    pull(source)

    attributes = only_item(source).extra_attributes
    assert attributes["PatientComments"] == "Very tall"
    assert "MedicalAlerts" in attributes


def test_a_deleted_item_is_not_made_again_unless_a_person_asks(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    uid = only_item(source).study_instance_uid
    only_item(source).delete()

    book(project, "P-001", days=3)
    assert pull(source, full=True).created == 0
    assert not WorklistItem.objects.exists()

    project.save("P-001", last_name="Roe")
    pull(source)
    edits.remake(SyncedStep.objects.get(), actor="bob")
    item = only_item(source)
    assert item.study_instance_uid == uid
    assert item.history.first().history_user_id == "bob"
    assert item.patient_name == "Roe^Jane"
    pull(source, full=True)
    assert only_item(source).scheduled_start_date == today() + timedelta(days=3)


def test_a_deleted_item_that_the_source_called_off_is_not_made_again(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    only_item(source).delete()
    book(project, "P-001", mri_date="")
    pull(source)

    with pytest.raises(ValidationError, match="no such appointment"):
        edits.remake(SyncedStep.objects.get(), actor="bob")


def test_an_item_that_a_person_set_in_progress_is_left_alone_too(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    lifecycle.move(only_item(source), to=Status.IN_PROGRESS, actor="bob")

    project.save("P-001", last_name="Roe")
    pull(source)

    assert only_item(source).patient_name == "Doe^Jane"
