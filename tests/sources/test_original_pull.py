"""An appointment that the original had offered keeps its Study Instance UID when a pull brings it again."""

from __future__ import annotations

from typing import Any

import pytest

from sources.models import DataSource, OriginalStep
from sources.original.importing import OriginalImport
from sources.original.reports import RowOutcome
from sources.sync import edits
from sources.sync.originals import Originals
from tests.redcap.project import Project
from tests.sources import originals
from tests.sources.conftest import items, pull
from tests.sources.study import book, day, enrol, participant
from tests.sources.test_import_original import file_of
from worklist.items import intake
from worklist.models import Status, WorklistItem

pytestmark = pytest.mark.django_db

UID = f"{originals.ROOT}42"


def offered(patient_id: str = "P-001", *, days: int = 1, at: str = "09:30", uid: str = UID) -> None:
    """Have had the original offer an appointment of the study, some days from today."""
    row = originals.scheduled(
        patient_id=patient_id,
        scheduled_start_date=day(days),
        scheduled_start_time=at,
        study_instance_uid=uid,
    )
    OriginalImport("alice").take([file_of(row)])
    assert OriginalStep.objects.filter(study_instance_uid=uid).exists()


@pytest.mark.acceptance("RC156")
def test_a_pull_takes_over_the_uid_of_the_same_patient_day_and_time(
    source: DataSource, project: Project
) -> None:
    offered()
    participant(project, "P-001")
    participant(project, "P-002", "Roe")

    pull(source)

    found = items(source)
    assert found["P-001"].study_instance_uid == UID
    assert found["P-002"].study_instance_uid.startswith("2.25.")


@pytest.mark.acceptance("RC156")
def test_seconds_make_no_other_appointment(source: DataSource, project: Project) -> None:
    offered(at="09:30")
    enrol(project, "P-001")
    book(project, "P-001", mri_time="09:30:15")

    pull(source)

    assert items(source)["P-001"].study_instance_uid == UID


@pytest.mark.acceptance("RC156")
@pytest.mark.parametrize(
    ("patient_id", "days", "at"), [("P-002", 1, "09:30"), ("P-001", 2, "09:30"), ("P-001", 1, "09:31")]
)
def test_another_appointment_does_not(
    source: DataSource, project: Project, patient_id: str, days: int, at: str
) -> None:
    offered(patient_id, days=days, at=at)
    participant(project, "P-001")

    pull(source)

    assert items(source)["P-001"].study_instance_uid != UID
    assert OriginalStep.objects.get().session is None


@pytest.mark.acceptance("RC156")
def test_a_uid_is_taken_over_once(source: DataSource, project: Project) -> None:
    offered()
    participant(project, "P-001")
    pull(source)
    book(project, "P-001", 1, days=5)  # it moves, and another takes its place
    book(project, "P-001", 2, days=1)
    pull(source)

    uids = [item.study_instance_uid for item in source_items(source)]
    assert sorted(uid == UID for uid in uids) == [False, True]


@pytest.mark.acceptance("RC156")
def test_two_sessions_at_one_time_share_no_uid(source: DataSource, project: Project) -> None:
    offered()
    enrol(project, "P-001")
    book(project, "P-001", 1)
    book(project, "P-001", 2)

    pull(source)

    assert len({item.study_instance_uid for item in source_items(source)}) == 2


@pytest.mark.acceptance("RC156")
def test_an_item_that_is_made_again_has_the_same_uid(source: DataSource, project: Project) -> None:
    offered()
    participant(project, "P-001")
    pull(source)
    items(source)["P-001"].delete()

    edits.remake(source.steps.get(), actor="alice")

    assert items(source)["P-001"].study_instance_uid == UID


def source_items(source: DataSource) -> list[Any]:
    steps = source.steps.filter(item__isnull=False).select_related("item")
    return [step.item for step in steps]


@pytest.mark.acceptance("RC157")
@pytest.mark.parametrize("status", ["COMPLETED", "IN_PROGRESS", "DISCONTINUED"])
def test_what_was_examined_under_the_original_is_not_made_again(
    source: DataSource, project: Project, status: str
) -> None:
    row = originals.scheduled(
        patient_id="P-001",
        patient_name="Doe^Jane",
        patient_sex="F",
        scheduled_start_date=day(0),
        performed_procedure_step_status=status,
        study_instance_uid=UID,
    )
    OriginalImport("alice").take([file_of(row)])
    participant(project, "P-001", days=0)

    pull(source)
    pull(source, full=True)

    item = WorklistItem.objects.get()
    assert (item.study_instance_uid, item.performed_procedure_step_status) == (UID, status)
    assert (item.data_source, item.synced_step.record) == ("study", "P-001")
    assert item.history.first().history_user_id == source.actor


@pytest.mark.acceptance("RC157")
def test_an_examination_at_another_time_is_another(source: DataSource, project: Project) -> None:
    row = originals.completed(
        patient_id="P-001", patient_name="Doe^Jane", scheduled_start_date=day(-1), study_instance_uid=UID
    )
    OriginalImport("alice").take([file_of(row)])
    participant(project, "P-001")

    pull(source)

    assert items(source)["P-001"].study_instance_uid != UID
    assert WorklistItem.objects.count() == 2


@pytest.mark.acceptance("RC248")
@pytest.mark.parametrize("status", ["COMPLETED", "IN_PROGRESS", "DISCONTINUED"])
@pytest.mark.parametrize("modality", ["MR", "7T Terra"])
def test_what_was_examined_there_after_a_pull_is_not_offered_here(
    source: DataSource, project: Project, status: str, modality: str
) -> None:
    participant(project, "P-001")
    row = originals.scheduled(
        patient_id="P-001", scheduled_start_date=day(1), study_instance_uid=UID, modality=modality
    )
    OriginalImport("alice").take([file_of(row)])
    pull(source)

    examined = file_of({**row, "performed_procedure_step_status": status})
    [report] = OriginalImport("alice").take([examined]).files
    [again] = OriginalImport("alice").take([examined]).files
    pull(source, full=True)

    item = WorklistItem.objects.get()
    assert ([*report.counts], [*again.counts]) == ([RowOutcome.EXAMINED], [RowOutcome.KNOWN])
    assert (item.study_instance_uid, item.performed_procedure_step_status) == (UID, status)
    assert item.history.get(history_change_reason__contains="examined there").history_user_id == "alice"


@pytest.mark.acceptance("RC248")
def test_an_item_that_has_another_patient_id_by_now_is_left_and_it_is_told(
    source: DataSource, project: Project
) -> None:
    offered()
    participant(project, "P-001")
    pull(source)
    intake.change(WorklistItem.objects.get(), {"patient_id": "P-009"}, actor="bob")

    row = originals.completed(patient_id="P-001", scheduled_start_date=day(1), study_instance_uid=UID)
    [report] = OriginalImport("alice").take([file_of({**row, "id": 1})]).files

    assert [*report.counts] == [RowOutcome.LEFT]
    assert "another patient ID by now" in report.rows[0].sentence
    assert WorklistItem.objects.get().performed_procedure_step_status == "SCHEDULED"


@pytest.mark.acceptance("RC246")
def test_what_a_scanner_reports_meanwhile_is_not_undone_by_taking_an_item_over() -> None:
    row = originals.scheduled(patient_id="P-001", scheduled_start_date=day(0), scheduled_start_time="09:30")
    OriginalImport("alice").take([file_of({**row, "performed_procedure_step_status": "IN_PROGRESS"})])
    item = WorklistItem.objects.get()
    left = Originals(["P-001"], [])
    WorklistItem.objects.update(performed_procedure_step_status=Status.COMPLETED)

    says = {"patient_id": "P-001", "scheduled_start_date": day(0), "scheduled_start_time": "09:30:00"}
    taken = left.item_of(says, data_source="study", actor="source:study")

    item.refresh_from_db()
    assert taken == item
    assert (item.data_source, item.performed_procedure_step_status) == ("study", Status.COMPLETED)
