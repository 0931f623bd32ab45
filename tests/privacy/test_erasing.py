"""Who is erased, what of them stays, and what is refused.

Not here: that nothing of them is left anywhere (test_erased_everywhere.py).
"""

from __future__ import annotations

import io
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.utils import timezone

from pylantir_site.privacy import erasing, participants
from pylantir_site.privacy.models import Erasure
from sources.models import SourceState, SyncedStep
from sources.privacy import erasing as of_sources
from tests.sources.conftest import new_source, pull
from tests.sources.study import participant as enrolled
from tests.worklist import activity
from tests.worklist.performed_steps import begun, completed, scheduled_step
from tests.worklist.reported import an_item, reported, unscheduled, updated
from worklist.examinations import performing
from worklist.items import intake, lifecycle
from worklist.items.whose import Answer
from worklist.models import (
    Attention,
    AttentionKind,
    ConfirmedPerson,
    DeviceActivity,
    ItemSearchWord,
    PerformedStep,
    Status,
    WorklistItem,
)
from worklist.privacy.erasing import EraseRefused

pytestmark = pytest.mark.django_db


def erased(patient_id: str = "P1", person: int = 0, **order: Any) -> Erasure:
    shown = participants.digest(participants.find(patient_id)[person])
    return erasing.erase(patient_id, shown, erasing.Order("alice", **order))


def examined(item: WorklistItem, **changes: Any) -> PerformedStep:
    return updated(reported(begun(item, **changes)), completed())


def everything() -> list[Any]:
    """Return what the worklist has of participants."""
    models: tuple[Any, ...] = (WorklistItem, PerformedStep, Attention, ConfirmedPerson, DeviceActivity)
    histories: tuple[Any, ...] = (WorklistItem.history, PerformedStep.history)
    return [list(rows.values()) for rows in (*(model.objects for model in models), *histories)]


class TestWhatStays:
    @pytest.mark.acceptance("H70")
    def test_a_booking_is_cancelled_and_an_examination_is_what_it_was(self) -> None:
        booked, done = an_item(), an_item(protocol_name="BRAIN")
        examined(done)
        before = list(done.history.values_list("history_date", "history_user_id").order_by("pk"))

        erased()

        booked.refresh_from_db()
        done.refresh_from_db()
        assert booked.performed_procedure_step_status == Status.CANCELLED
        assert (done.performed_procedure_step_status, done.protocol_name) == (Status.COMPLETED, "BRAIN")
        assert done.patient_id == booked.patient_id != "P1"
        after = list(done.history.values_list("history_date", "history_user_id").order_by("pk"))
        assert after[:-1] == before
        assert done.history.first().history_user_id == "alice"
        assert done.history.first().history_change_reason == "The participant was erased."

    @pytest.mark.acceptance("H70")
    def test_what_belongs_together_still_does(self) -> None:
        first = an_item(
            study_instance_uid="1.2.3.4", accession_number="ACC1", scheduled_procedure_step_id="S1"
        )
        second = an_item(
            study_instance_uid="1.2.3.4", accession_number="ACC1", scheduled_procedure_step_id="S2"
        )
        step = examined(first)

        erased()

        for row in (first, second, step):
            row.refresh_from_db()
        assert first.study_instance_uid == second.study_instance_uid == step.study_instance_uid != "1.2.3.4"
        assert first.accession_number == second.accession_number != "ACC1"
        assert first.scheduled_procedure_step_id != second.scheduled_procedure_step_id
        assert list(step.items.all()) == [first]

    @pytest.mark.acceptance("H70")
    def test_an_erased_item_is_offered_to_nobody_and_changed_by_nobody(self) -> None:
        from worklist.answering import requests, search, verdicts
        from worklist.models import Device

        Device.objects.create(ae_title="MR1")
        item = an_item(scheduled_start_date=timezone.localdate(), scheduled_station_aetitle="MR1")
        erased()
        item.refresh_from_db()

        for status in ("", *Status.values):
            asked = requests.query_of_keys({"ScheduledProcedureStepStatus": status} if status else {})
            assert list(search.search(asked, "MR1").answers()) == []
        assert {verdict.reason.rule for verdict in verdicts.verdicts(item) if verdict.reason} == {"erased"}
        with pytest.raises(ValidationError):
            intake.change(item, {"patient_name": "Doe^Jane"}, actor="bob")
        with pytest.raises(lifecycle.StatusRefused):
            lifecycle.move(item, to=Status.SCHEDULED, actor="bob")
        step = unscheduled(an_item(patient_id="P9", patient_name="Nine^N"))
        with pytest.raises(performing.StepChangeRefused):
            performing.link(step, item, actor="bob")

    @pytest.mark.acceptance("H70")
    def test_its_points_are_resolved_and_say_nothing(self) -> None:
        examined(an_item(), PatientSex="F")
        assert Attention.objects.open().filter(kind=AttentionKind.IDENTITY).exists()

        erased()

        assert not Attention.objects.open().exists()
        assert set(Attention.objects.values_list("text", "note")) == {("The participant was erased.", "")}
        assert set(Attention.objects.values_list("resolved_by", flat=True)) == {"alice"}


class TestWhoItIs:
    @pytest.mark.acceptance("H64")
    def test_of_two_people_under_one_id_the_other_stays_as_they_are(self) -> None:
        one = an_item(patient_name="Doe^John")
        shared = Answer(same_person=False)
        other = intake.create(
            {
                "patient_name": "Roe^Jane",
                "patient_id": "P1",
                "patient_sex": "F",
                "modality": "MR",
                "scheduled_start_date": "20260111",
            },
            actor="alice",
            reason="Twins",
            answer=shared,
        )
        before = WorklistItem.objects.filter(pk=other.pk).values().get()
        assert len(participants.find("P1")) == 2
        with pytest.raises(CommandError, match="--person N"):
            call_command("erase_participant", "P1", yes=True)
        number = next(
            number for number, each in enumerate(participants.find("P1"), start=1) if one.pk in each.items
        )

        call_command("erase_participant", "P1", yes=True, person=number, stdout=io.StringIO())

        one.refresh_from_db()
        assert one.patient_id != "P1"
        assert WorklistItem.objects.filter(pk=other.pk).values().get() == before
        assert [person.patient_name for person in ConfirmedPerson.objects.all()] == ["Roe^Jane"]
        assert not WorklistItem.objects.search("john").exists()
        assert [item.pk for item in WorklistItem.objects.search("jane")] == [other.pk]

    @pytest.mark.acceptance("H64")
    def test_history_under_the_id_of_what_is_somebody_elses_by_now_goes_and_theirs_stays(self) -> None:
        mistaken = an_item(patient_name="Doe^John", patient_id="P1")
        intake.change(mistaken, {"patient_id": "P2", "patient_name": "Roe^Jane"}, actor="bob")

        erased("P1")

        mistaken.refresh_from_db()
        assert (mistaken.patient_id, mistaken.patient_name) == ("P2", "Roe^Jane")
        newest, oldest = mistaken.history.all()
        assert newest.patient_id == "P2"
        assert (oldest.patient_name, oldest.accession_number) == ("ERASED", mistaken.accession_number)
        assert not ItemSearchWord.objects.filter(word="john").exists()

    @pytest.mark.acceptance("H64")
    def test_who_was_deleted_is_erased_from_the_history(self) -> None:
        an_item().delete()
        assert WorklistItem.history.filter(patient_id="P1").exists()

        erased()

        assert not WorklistItem.history.filter(patient_id="P1").exists()
        assert WorklistItem.history.count() == 2

    @pytest.mark.acceptance("H64")
    def test_an_examination_without_an_item_is_erased(self) -> None:
        item = an_item(patient_id="P7")
        unscheduled(item, PatientID="P8", PatientName="Eight^E")
        updated(PerformedStep.objects.get(), completed())

        erased("P8")

        step = PerformedStep.objects.get()
        assert (step.patient_name, step.performed_procedure_step_id) == ("ERASED", "")
        item.refresh_from_db()
        assert item.patient_id == "P7"

    @pytest.mark.acceptance("H64")
    def test_nobody_is_said_without_a_name(self) -> None:
        with pytest.raises(CommandError, match="Nobody is known"):
            call_command("erase_participant", "P404", yes=True)

    @pytest.mark.acceptance("H64")
    def test_an_id_that_others_have_too_names_nobody(self) -> None:
        brain = {"requested_procedure_id": "BRAIN3", "protocol_name": "BRAIN3 long"}
        item = an_item(**brain)
        other = an_item(patient_id="P2", patient_name="Roe^Jane", **brain)
        intake.change(other, {"modality": "CT"}, actor="bob", reason="BRAIN3 is done there")
        intake.change(other, {"modality": "MR"}, actor="bob", reason="P2 and not Doe, John")
        asked = activity.query(keys={"RequestedProcedureID": "BRAIN3"})

        erased()

        item.refresh_from_db()
        assert (item.protocol_name, item.requested_procedure_id == "BRAIN3") == ("BRAIN3 long", False)
        reasons = list(other.history.order_by("pk").values_list("history_change_reason", flat=True))
        assert reasons[1] == "BRAIN3 is done there"
        assert "Doe" not in reasons[2]
        asked.refresh_from_db()
        assert asked.identifier

    @pytest.mark.acceptance("H64")
    def test_queries_that_find_somebody_else_stay(self) -> None:
        an_item()
        for asked in ({"PatientID": "P1"}, {"PatientName": "Do*"}, {"PatientBirthDate": "19800229"}):
            activity.query(keys=asked)
        kept = [
            activity.query(keys=asked).pk for asked in ({"PatientID": "P11"}, {"PatientName": "Roe*"}, {})
        ]

        erased()

        queries = DeviceActivity.objects.queries()
        assert queries.count() == 6
        assert sorted(queries.exclude(identifier=b"").values_list("pk", flat=True)) == kept


class TestRefusals:
    @pytest.mark.acceptance("H63")
    def test_while_an_examination_runs_nothing_is_erased(self) -> None:
        reported(begun(an_item()))
        before = everything()

        with pytest.raises(EraseRefused, match="runs"):
            erased()

        assert everything() == before

    @pytest.mark.acceptance("H63")
    def test_where_one_part_fails_nothing_is_erased(self, monkeypatch: pytest.MonkeyPatch) -> None:
        examined(an_item())
        activity.query(keys={"PatientID": "P1"})
        before = everything()

        def fail(*args: Any) -> int:
            raise DatabaseError

        monkeypatch.setattr("pylantir_site.privacy.accounts.erase", fail)
        with pytest.raises(DatabaseError):
            erased()

        assert everything() == before
        assert not Erasure.objects.exists()

    @pytest.mark.acceptance("H63")
    def test_a_dry_run_counts_and_writes_nothing(self) -> None:
        examined(an_item())
        before, said = everything(), io.StringIO()

        call_command("erase_participant", "P1", dry_run=True, stdout=said)

        assert everything() == before
        assert "worklist items: 1\n" in said.getvalue()
        assert "Doe" not in said.getvalue()

    @pytest.mark.acceptance("H63")
    @pytest.mark.parametrize(
        ("answer", "is_erased"), [("erase", True), ("", False), ("yes", False), (None, False)]
    )
    def test_the_command_asks_first(
        self, monkeypatch: pytest.MonkeyPatch, answer: str | None, is_erased: bool
    ) -> None:
        def answered(prompt: str) -> str:
            if answer is None:
                raise EOFError
            return answer

        monkeypatch.setattr("builtins.input", answered)
        an_item()

        with nullcontext() if is_erased else pytest.raises(CommandError, match="Nothing was erased"):
            call_command("erase_participant", "P1", stdout=io.StringIO())

        assert WorklistItem.objects.filter(patient_id="P1").exists() is not is_erased

    @pytest.mark.acceptance("H63")
    @pytest.mark.parametrize("reason", ["Doe asked", "P1 left the study", "Born 1980-02-29"])
    def test_a_reason_that_names_the_participant_is_refused(self, reason: str) -> None:
        an_item()

        with pytest.raises(EraseRefused, match="names the participant"):
            erased(reason=reason)

        assert WorklistItem.objects.get().patient_id == "P1"

    @pytest.mark.acceptance("H63")
    def test_what_came_after_it_was_shown_is_not_erased_unseen(self) -> None:
        an_item()
        shown = participants.digest(participants.find("P1")[0])
        an_item()

        with pytest.raises(EraseRefused, match="has changed"):
            erasing.erase("P1", shown, erasing.Order("alice"))


class TestPulls:
    @pytest.mark.acceptance("H65")
    def test_an_erased_record_stays_out_until_it_is_let_back(self, redcap: Any, project: Any) -> None:
        from sources.sync import left_out

        enrolled(project, "P-001")
        enrolled(project, "P-002", "Roe")
        source = new_source(redcap)
        pull(source)
        erasure = erased("P-001")
        project.save("P-001", instrument="mri", instance=1, weight="71")

        pull(source, full=True)
        pull(source)

        assert set(SyncedStep.objects.values_list("record", flat=True)) == {"P-002"}
        assert not WorklistItem.objects.filter(patient_id="P-001").exists()
        assert left_out.let_back(erasure.uid) == 2  # the record, and the patient ID
        pull(source, full=True)
        assert WorklistItem.objects.filter(patient_id="P-001", erased_at=None).count() == 1

    @pytest.mark.acceptance("H65")
    def test_the_patient_id_stays_out_of_another_source_which_then_says_so(
        self, redcap: Any, project: Any
    ) -> None:
        an_item(patient_id="P-001", patient_name="Doe^Jane", patient_sex="F")
        erased("P-001")
        enrolled(project, "P-001")
        source = new_source(redcap)

        pull(source)

        assert not SyncedStep.objects.exists()
        assert source.erased_records.count() == 1

    @pytest.mark.acceptance("H65")
    def test_a_trigger_leaves_no_erased_record_behind(self, redcap: Any, project: Any) -> None:
        from sources import triggers
        from sources.models import PendingRecord

        enrolled(project, "P-001")
        source = new_source(redcap)
        pull(source)
        erased("P-001")

        triggers.note(source, "P-001")
        triggers.note(source, "P-002")

        assert list(PendingRecord.objects.values_list("record", flat=True)) == ["P-002"]

    @pytest.mark.acceptance("H65")
    def test_a_key_that_is_gone_stops_the_pull_and_says_so(
        self, redcap: Any, project: Any, settings: Any
    ) -> None:
        from cryptography.fernet import Fernet

        from sources.models import RunOutcome

        enrolled(project, "P-001")
        source = new_source(redcap)
        pull(source)
        erased("P-001")
        old = settings.FIELD_ENCRYPTION_KEYS
        source.redcap.token_cipher = ""
        settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *old]
        assert pull(source, full=True).outcome == RunOutcome.OK
        assert not SyncedStep.objects.exists()

        settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS[:1]
        run = pull(source, full=True)

        assert run.outcome == RunOutcome.CONFIGURATION
        assert "FIELD_ENCRYPTION_KEYS" in run.message
        assert not SyncedStep.objects.exists()

    @pytest.mark.acceptance("H65")
    def test_while_its_source_is_pulled_nobody_is_erased(self, redcap: Any, project: Any) -> None:
        enrolled(project, "P-001")
        source = new_source(redcap)
        pull(source)
        SourceState.objects.update(claim="a pull's", claimed_at=timezone.now())

        with pytest.raises(EraseRefused) as refused:
            erased("P-001")

        assert str(refused.value) == str(of_sources.IS_PULLED)
        assert WorklistItem.objects.filter(patient_id="P-001").exists()

    @pytest.mark.acceptance("H65")
    def test_after_a_time_the_past_stays_out_and_a_new_appointment_comes_in(
        self, redcap: Any, project: Any
    ) -> None:
        from tests.sources.study import book

        enrolled(project, "P-001", days=-2)
        source = new_source(redcap, horizon_back_days=30)
        pull(source)
        assert SyncedStep.objects.count() == 1
        erased("P-001", until=timezone.localdate())
        book(project, "P-001", instance=2, days=5)

        pull(source, full=True)

        (item,) = WorklistItem.objects.filter(patient_id="P-001")
        assert item.scheduled_start_date == timezone.localdate() + timedelta(days=5)


def test_an_examination_of_two_steps_goes_with_both_items() -> None:
    one, two = an_item(), an_item(scheduled_start_date="20260112")
    step = examined(one, ScheduledStepAttributesSequence=[scheduled_step(one), scheduled_step(two)])
    assert step.items.count() == 2

    erased()

    assert {item.patient_name for item in WorklistItem.objects.all()} == {"ERASED"}
    assert step.items.count() == 2
