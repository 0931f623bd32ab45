"""An instrument that repeats no longer, or from now on, cancels nothing: its appointments stay items."""

from __future__ import annotations

import pytest

from sources.contract import SessionKey
from sources.models import DataSource, RunOutcome, SyncedStep
from tests.redcap.project import Project
from tests.sources.conftest import items, only_item, pull
from tests.sources.examinations import examined
from tests.sources.study import book, participant, participants
from worklist.models import Status, WorklistItem

PLAIN, FIRST = SessionKey(), SessionKey("", "mri", 1)


def sessions_are(source: DataSource, kind: str) -> None:
    """Save the sessions as a person does once the source has said that they do not fit."""
    source.redcap.session_kind = kind
    source.redcap.session_instrument = "mri" if kind == "repeating_instrument" else ""
    source.save_with_details("alice")


def identities(source: DataSource) -> dict[str, tuple[int, str]]:
    return {item.patient_id: (item.pk, item.study_instance_uid) for item in items(source).values()}


@pytest.mark.django_db
class TestPulls:
    @pytest.mark.acceptance("RC175")
    def test_what_was_known_of_the_project_hours_ago_cancels_nothing(
        self, source: DataSource, project: Project
    ) -> None:
        participants(project, 3)
        pull(source)

        project.stop_repeating("mri")
        run = pull(source, full=True)

        assert (run.outcome, run.withdrawn) == (RunOutcome.CONFIGURATION, 0)
        assert "The instrument mri does not repeat" in run.message
        assert {item.performed_procedure_step_status for item in items(source).values()} == {"SCHEDULED"}

    @pytest.mark.acceptance("RC174")
    def test_an_instrument_that_repeats_no_longer_and_again_keeps_its_items(
        self, source: DataSource, project: Project
    ) -> None:
        participants(project, 3)
        pull(source)
        before = identities(source)

        project.stop_repeating("mri")
        sessions_are(source, "record")
        run = pull(source, full=True)
        assert (run.outcome, run.created, run.withdrawn) == (RunOutcome.OK, 0, 0)
        assert identities(source) == before
        assert {step.key for step in SyncedStep.objects.all()} == {PLAIN}

        project.save("P-001", instrument="", mri_time="11:15")
        pull(source)
        assert str(items(source)["P-001"].scheduled_start_time) == "11:15:00"

        project.start_repeating("mri")
        sessions_are(source, "repeating_instrument")
        run = pull(source, full=True)
        assert (run.outcome, run.created, run.withdrawn) == (RunOutcome.OK, 0, 0)
        assert identities(source) == before
        assert {step.key for step in SyncedStep.objects.all()} == {FIRST}

    @pytest.mark.acceptance("RC174")
    @pytest.mark.parametrize("status", [Status.IN_PROGRESS, Status.COMPLETED])
    def test_what_was_examined_is_not_offered_again(
        self, source: DataSource, project: Project, status: Status
    ) -> None:
        participant(project, "P-001", days=0)
        pull(source)
        examined(source, status)

        project.stop_repeating("mri")
        sessions_are(source, "record")
        pull(source, full=True)

        assert WorklistItem.objects.get().performed_procedure_step_status == status
        assert SyncedStep.objects.get().key == PLAIN

    def test_what_a_person_deleted_is_not_made_again(self, source: DataSource, project: Project) -> None:
        participant(project, "P-001")
        pull(source)
        only_item(source).delete()

        project.stop_repeating("mri")
        sessions_are(source, "record")
        assert pull(source, full=True).created == 0

    def test_the_instances_that_are_seen_no_longer_are_cancelled(
        self, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-001")
        book(project, "P-001", 2, days=9)
        pull(source)

        project.stop_repeating("mri")
        sessions_are(source, "record")
        run = pull(source, full=True)

        assert (run.created, run.withdrawn) == (0, 1)
        kept = SyncedStep.objects.get(item__performed_procedure_step_status=Status.SCHEDULED)
        assert kept.key == PLAIN
