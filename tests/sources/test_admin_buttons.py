"""These tests press the buttons on a source's page by Django's test client; a REDCap answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from accounts.models import User
from sources.models import (
    DataSource,
    RedcapProject,
    SourceState,
    State,
    SyncedStep,
    SyncIssue,
    SyncRun,
    WorkerBeat,
    WriteProgress,
    WriteRule,
)
from sources.outgoing.facts import ScanFact
from sources.sync import claims
from sources.sync.guards import Guarded
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.sources.conftest import MakeSource, items, only_item, pull
from tests.sources.not_written import an_outcome
from tests.sources.source_pages import save
from tests.sources.study import participant, participants
from worklist.models import Device, Status, WorklistItem

pytestmark = pytest.mark.django_db

BUTTONS = ("check", "pull", "full_pull", "preview", "compare")
OF_EDITORS = ("suggest", "allow", "withdraw_all", "new_secret")
COORDINATOR = frozenset({"sources.view_datasource", "sources.pull_datasource", "worklist.view_worklistitem"})


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def coordinator(client: Client, bob: User, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setitem(roles.PERMISSIONS, roles.Role.WRITE, COORDINATOR)
    client.force_login(bob)
    return client


@pytest.fixture
def worker(db: None) -> None:
    WorkerBeat.objects.create(at=timezone.now())


def url_of(source: DataSource, button: str) -> str:
    return reverse(f"admin:sources_datasource_{button}", args=[source.pk])


def press(client: Client, source: DataSource, button: str, **given: str) -> Any:
    return client.post(url_of(source, button), given, follow=True)


def page(client: Client, source: DataSource) -> str:
    return str(client.get(url_of(source, "change")).content.decode())


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def state(source: DataSource) -> SourceState:
    return SourceState.objects.get(source=source)


class TestTestConnection:
    @pytest.mark.acceptance("RC2")
    def test_tells_project_version_shape_rights_clock_and_counts(
        self, coordinator: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        response = press(coordinator, source, "check")

        facts = dict(response.context["report"].facts)
        content = response.content.decode()
        assert facts["Project"] == "A small study (ID 77)"
        for what in ("Project", "REDCap", "Shape", "Rights", "Clock", "Records", "Sessions of the first 1"):
            assert facts[what] in content
        assert facts["Sessions of the first 1"] == "1 to offer"
        assert not WorklistItem.objects.exists()

    def test_says_what_is_wrong_with_the_mapping(self, admin: Client, source: DataSource) -> None:
        source.rules.filter(target="patient_id").update(field="study_id")

        assert "no field study_id" in press(admin, source, "check").content.decode()

    def test_says_in_words_why_it_is_not_let_in(self, admin: Client, source: DataSource) -> None:
        source.redcap.set_token("0" * 32, by="alice")
        source.save_with_details("alice")
        response = press(admin, source, "check")

        [text] = said(response)
        assert "token" in text.lower()
        assert "0" * 32 not in response.content.decode()

    @pytest.mark.acceptance("RC6")
    def test_a_token_that_no_key_decrypts_is_never_sent(
        self, admin: Client, source: DataSource, redcap: RedcapServer
    ) -> None:
        RedcapProject.objects.update(token_cipher="gAAAAA")
        response = press(admin, source, "check")

        assert "cannot be decrypted" in said(response)[0]
        assert redcap.requests == []


class TestPullNow:
    @pytest.mark.parametrize(("button", "is_full"), [("pull", False), ("full_pull", True)])
    def test_asks_the_worker_by_the_persons_name(
        self, coordinator: Client, source: DataSource, worker: None, button: str, is_full: bool
    ) -> None:
        SourceState.objects.update(next_pull_at=None)
        response = press(coordinator, source, button)

        after = state(source)
        assert after.next_pull_at is not None
        assert (after.requested_by, after.full_requested) == ("bob", is_full)
        assert len(said(response)) == 1
        assert "begins in a moment" in said(response)[0]

    def test_says_so_where_no_worker_is_seen(self, admin: Client, source: DataSource) -> None:
        WorkerBeat.objects.create(at=timezone.now() - timedelta(hours=3))

        assert "The worker is not running" in said(press(admin, source, "pull"))[1]

    @pytest.mark.acceptance("RC93")
    def test_asks_nothing_of_a_disabled_source(self, admin: Client, source: DataSource) -> None:
        DataSource.objects.update(enabled=False)
        before = state(source).requested_at

        assert "enable it first" in said(press(admin, source, "pull"))[0]
        assert state(source).requested_at == before


class TestPreview:
    @pytest.mark.acceptance("RC9")
    def test_shows_each_value_on_its_way_and_writes_nothing(
        self, coordinator: Client, source: DataSource, project: Project
    ) -> None:
        for number in range(7):
            participant(project, f"P-{number}")
        project.save("P-1", sex="3")
        response = press(coordinator, source, "preview")

        content = response.content.decode()
        assert [read.record for read, _ in response.context["records"]] == [f"P-{n}" for n in range(5)]
        assert "<strong>Doe, Jane</strong>" in content
        assert "1990-01-31" in content
        assert '<span class="status stance-wanted">Wanted</span>' in content
        [problem] = response.context["records"][1][1][0].session.problems
        assert problem.target == "patient_sex"
        assert content.count(problem.text) == 2
        assert "no-store" in response.headers["Cache-Control"]
        for model in (WorklistItem, SyncedStep, SyncRun, SyncIssue):
            assert not model.objects.exists()

    @pytest.mark.parametrize(
        ("asked", "shown"), [({"records": "2"}, ["P-0", "P-1"]), ({"records": "5", "record": "P-3"}, ["P-3"])]
    )
    def test_shows_as_many_as_are_asked_for_or_the_one_that_is_named(
        self,
        admin: Client,
        source: DataSource,
        project: Project,
        asked: dict[str, str],
        shown: list[str],
    ) -> None:
        for number in range(4):
            participant(project, f"P-{number}")

        records = press(admin, source, "preview", **asked).context["records"]

        assert [read.record for read, _ in records] == shown

    def test_refuses_a_number_that_is_none(self, admin: Client, source: DataSource) -> None:
        assert "1 to 50" in said(press(admin, source, "preview", records="all"))[0]

    def test_leads_to_the_record_in_redcap(self, admin: Client, source: DataSource, project: Project) -> None:
        participant(project, "P-1")

        assert "DataEntry/index.php?pid=77&amp;id=P-1" in press(admin, source, "preview").content.decode()

    def test_says_why_there_is_none(self, admin: Client, source: DataSource) -> None:
        source.rules.all().delete()

        assert "mapping" in said(press(admin, source, "preview"))[0]

    @pytest.mark.acceptance("RC120")
    def test_a_mapping_without_a_date_is_looked_at_but_neither_pulled_nor_compared(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        source.rules.filter(target__in=["scheduled_start_date", "scheduled_start_time"]).delete()

        response = press(admin, source, "preview")
        assert "Doe, Jane" in response.content.decode()
        assert "Nothing is mapped to this." in response.content.decode()

        assert "Nothing is mapped to scheduled_start_date" in said(press(admin, source, "compare"))[0]
        pull(source)
        assert not items(source)
        assert state(source).state == State.CONFIGURATION

    @pytest.mark.acceptance("RC120")
    def test_a_row_that_is_wrong_is_left_out_and_said(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        source.rules.filter(target="patient_weight_kg").update(field="no_such_field")

        preview = press(admin, source, "preview").content.decode()
        assert "no field no_such_field" in preview
        assert "Doe, Jane" in preview
        assert '<th scope="row">patient_weight_kg</th>' not in preview

    def test_sessions_that_cannot_be_found_are_not_looked_for(
        self, admin: Client, source: DataSource
    ) -> None:
        RedcapProject.objects.update(session_instrument="no_such_form")

        assert "no_such_form" in said(press(admin, source, "preview"))[0]

    def test_what_a_participant_is_called_is_shown_as_text(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1", "<script>alert(1)</script>")

        assert "<script>alert(1)" not in press(admin, source, "preview").content.decode()


class TestCompare:
    @pytest.mark.acceptance("RC90")
    def test_shows_what_a_pull_would_change_and_changes_nothing(
        self, coordinator: Client, source: DataSource, project: Project
    ) -> None:
        participants(project, 2)
        pull(source)
        project.save("P-001", last_name="Roe")
        participant(project, "P-003")
        project.delete_record("P-002")
        response = press(coordinator, source, "compare")

        content = response.content.decode()
        assert {str(action): count for action, _, count in response.context["counts"]} == {
            "create": 1,
            "change": 1,
            "withdraw": 1,
        }
        assert "Doe0, Jane → <strong>Roe, Jane</strong>" in content
        assert "no-store" in response.headers["Cache-Control"]
        assert items(source)["P-001"].patient_name == "Doe0^Jane"
        assert set(items(source)) == {"P-001", "P-002"}

    @pytest.mark.acceptance("RC170")
    def test_says_what_would_wait_for_a_person(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        records = participants(project, 4)
        pull(source)
        for record in records[:3]:
            project.delete_record(record)

        assert "3 records can no longer be seen" in press(admin, source, "compare").content.decode()
        assert state(source).held == {}

    def test_says_so_where_nothing_would_change(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        pull(source)

        assert "A pull would change nothing" in press(admin, source, "compare").content.decode()


class TestSuggest:
    def taken(self, client: Client, source: DataSource, **given: str) -> Any:
        shown = press(client, source, "suggest")
        response = press(client, source, "suggest", take="yes", seen=shown.context["seen"], **given)
        source.refresh_from_db()
        return response

    @pytest.fixture
    def empty(self, make_source: MakeSource, redcap: RedcapServer) -> DataSource:
        return make_source(redcap, rules=(), session_instrument="")

    def test_shows_rows_and_what_was_assumed_and_writes_nothing(
        self, admin: Client, empty: DataSource
    ) -> None:
        response = press(admin, empty, "suggest")

        assert "patient_name is put together from last_name and first_name." in response.content.decode()
        assert not empty.rules.exists()

    def test_is_taken_with_the_persons_name_and_pauses_the_source(
        self, admin: Client, empty: DataSource
    ) -> None:
        response = self.taken(admin, empty)

        rows = {rule.target: rule.field for rule in empty.rules.all()}
        assert rows["patient_id"] == "record_id"
        assert rows["scheduled_start_date"] == "mri_date"
        assert (empty.redcap.session_kind, empty.redcap.session_instrument) == ("repeating_instrument", "mri")
        assert {rule.history.get().history_user for rule in empty.rules.all()} == {"alice"}
        assert empty.history.first().history_user == "alice"
        assert state(empty).next_pull_at is None
        assert "look at the preview" in said(response)[0]

    @pytest.mark.acceptance("RC99")
    def test_names_the_only_scanner_where_the_source_names_none(
        self, admin: Client, empty: DataSource
    ) -> None:
        Device(ae_title="MR1").save_as("test")
        assert "The scanner is MR1 for all" in press(admin, empty, "suggest").content.decode()
        assert empty.scheduled_station_aetitle == ""
        self.taken(admin, empty)
        assert empty.scheduled_station_aetitle == "MR1"

        DataSource.objects.update(scheduled_station_aetitle="CT1")
        assert "The scanner is MR1" not in press(admin, empty, "suggest").content.decode()
        self.taken(admin, empty, replace="on")
        assert empty.scheduled_station_aetitle == "CT1"

    def test_can_be_saved_as_it_was_taken(self, admin: Client, empty: DataSource, project: Project) -> None:
        self.taken(admin, empty)
        participant(project, "P-1")
        pull(empty)

        assert state(empty).state == State.OK
        assert only_item(empty).patient_name == "Doe^Jane"

    def test_replaces_rows_only_when_that_is_ticked(self, admin: Client, source: DataSource) -> None:
        response = self.taken(admin, source)

        assert source.rules.filter(target="PatientComments").exists()
        assert "Tick the box" in said(response)[0]

        self.taken(admin, source, replace="on")
        assert not source.rules.filter(target="PatientComments").exists()

    def test_one_that_changed_since_it_was_shown_is_shown_again(
        self, admin: Client, empty: DataSource
    ) -> None:
        response = press(admin, empty, "suggest", take="yes", seen="of another plan")

        assert "another one by now" in said(response)[0]
        assert not empty.rules.exists()


class TestHeldWithdrawals:
    @pytest.fixture
    def held(self, source: DataSource, project: Project) -> DataSource:
        records = participants(project, 8)
        pull(source)
        for record in records[:7]:
            project.delete_record(record)
        pull(source, full=True)
        assert source.state.held == {"RECORDS_GONE": 7}
        return source

    @pytest.mark.acceptance("RC66")
    def test_are_shown_and_allowed_by_name(self, admin: Client, held: DataSource) -> None:
        content = page(admin, held)
        assert content.count("7 records can no longer be seen: more than usual") == 1
        assert ">Cancel them</button>" in content

        press(admin, held, "allow", kind="RECORDS_GONE", held="7")
        assert state(held).allowed == {"RECORDS_GONE": {"by": "alice", "count": 7}}
        pull(held)
        statuses = [item.performed_procedure_step_status for item in items(held).values()]
        assert statuses.count(Status.CANCELLED) == 7

    @pytest.mark.acceptance("RC66")
    def test_more_than_were_seen_are_not_allowed(self, admin: Client, held: DataSource) -> None:
        SourceState.objects.update(held={"RECORDS_GONE": 8})
        response = press(admin, held, "allow", kind="RECORDS_GONE", held="7")

        assert "It is 8 by now" in said(response)[0]
        assert state(held).allowed == {}

    def test_of_a_disabled_source_are_not_allowed(self, admin: Client, held: DataSource) -> None:
        DataSource.objects.update(enabled=False)
        response = press(admin, held, "allow", kind="RECORDS_GONE", held="7")

        assert "enable it first" in said(response)[0]
        assert state(held).allowed == {}

    @pytest.mark.parametrize("kind", ["RECORDS_GONE", "", "OF_NO_KIND"])
    def test_are_not_offered_where_there_are_none(self, admin: Client, source: DataSource, kind: str) -> None:
        press(admin, source, "allow", kind=kind, held="0")

        assert state(source).allowed == {}
        assert ">Cancel them</button>" not in page(admin, source)

    @pytest.mark.parametrize(
        ("kind", "told", "button"),
        [
            (Guarded.WITHDRAWN, "9 coming appointments would be cancelled", "Cancel them"),
            (
                Guarded.RENAMED,
                "9 records would get another patient ID, name, birth date or sex",
                "Rename them",
            ),
            (Guarded.ADDED, "9 new records would be added", "Add them"),
        ],
    )
    @pytest.mark.acceptance("RC167")
    def test_each_kind_has_its_own_words_and_button(
        self, admin: Client, source: DataSource, kind: Guarded, told: str, button: str
    ) -> None:
        SourceState.objects.update(held={kind.value: 9})
        content = page(admin, source)
        assert f"<p>{told}" in content
        assert f">{button}</button>" in content

        press(admin, source, "allow", kind=kind.value, held="9")
        assert state(source).allowed == {kind.value: {"by": "alice", "count": 9}}
        assert state(source).full_requested


class TestDisabling:
    @pytest.mark.acceptance("RC93")
    def test_keeps_the_items_and_offers_to_cancel_them(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        pull(source)
        DataSource.objects.update(enabled=False)
        assert "1 of its items is still offered" in page(admin, source)

        press(admin, source, "withdraw_all")
        assert only_item(source).performed_procedure_step_status == Status.SCHEDULED
        press(admin, source, "withdraw_all", sure="on")
        assert only_item(source).performed_procedure_step_status == Status.CANCELLED
        assert "(alice)" in only_item(source).history.first().history_change_reason

    @pytest.mark.acceptance("RC93")
    def test_enabling_it_again_offers_them_again(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        pull(source)
        DataSource.objects.update(enabled=False)
        press(admin, source, "withdraw_all", sure="on")
        save(admin, source, enabled="on")
        assert source.enabled
        pull(source)

        assert only_item(source).performed_procedure_step_status == Status.SCHEDULED

    def test_an_enabled_source_cancels_nothing(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        pull(source)
        press(admin, source, "withdraw_all", sure="on")

        assert only_item(source).performed_procedure_step_status == Status.SCHEDULED


class TestDeleting:
    @pytest.fixture
    def pulled(self, source: DataSource, project: Project) -> DataSource:
        participant(project, "P-1")
        pull(source)
        return source

    @pytest.mark.acceptance("RC94")
    def test_asks_and_takes_no_answer_for_granted(self, admin: Client, pulled: DataSource) -> None:
        asked = admin.get(url_of(pulled, "delete")).content.decode()
        response = press(admin, pulled, "delete", post="yes")

        assert "1 of its items is still offered" in asked
        assert "Choose what becomes of its items" in said(response)[0]
        assert DataSource.objects.exists()

    @pytest.mark.acceptance("CL223")
    def test_says_how_much_goes_with_it(self, admin: Client, pulled: DataSource) -> None:
        for state in WriteProgress:
            an_outcome(pulled, state)
        WriteRule.objects.create(source=pulled, field="scan_status", fact=ScanFact.STATUS)

        asked = admin.get(url_of(pulled, "delete")).content.decode()

        assert f"Outcomes to write back: {len(WriteProgress)}" in asked
        assert "Rows that are written back: 1" in asked
        assert f"Links from items to their records: {len(WriteProgress) + 1}" in asked

    @pytest.mark.acceptance("RC94")
    @pytest.mark.parametrize(("choice", "status"), [("keep", Status.SCHEDULED), ("cancel", Status.CANCELLED)])
    def test_keeps_or_cancels_the_items_and_deletes_none(
        self, admin: Client, pulled: DataSource, choice: str, status: str
    ) -> None:
        press(admin, pulled, "delete", post="yes", items=choice)

        assert not DataSource.objects.exists()
        assert not SyncedStep.objects.exists()
        assert WorklistItem.objects.get().performed_procedure_step_status == status
        assert DataSource.history.filter(history_type="-").get().history_user == "alice"

    def test_waits_for_a_pull_that_is_running(self, admin: Client, pulled: DataSource) -> None:
        claims.claim(pulled.pk)
        response = press(admin, pulled, "delete", post="yes", items="cancel")

        assert "A pull is running" in said(response)[0]
        assert DataSource.objects.exists()

    def test_is_not_for_a_coordinator(self, coordinator: Client, pulled: DataSource) -> None:
        assert press(coordinator, pulled, "delete", post="yes", items="keep").status_code == 403
        assert DataSource.objects.exists()


class TestNewSecret:
    def test_makes_the_old_one_worthless(self, admin: Client, source: DataSource) -> None:
        source.redcap.trigger_enabled = True
        source.redcap.set_trigger_secret("old")
        source.save_with_details("alice")
        press(admin, source, "new_secret")

        source.refresh_from_db()
        assert not source.redcap.is_trigger_secret("old")
        assert len(source.redcap.trigger_secret()) >= 43
        assert source.history.first().history_change_reason == "New secret for the Data Entry Trigger"


class TestPermissions:
    @pytest.mark.parametrize("button", [*BUTTONS, *OF_EDITORS])
    def test_no_button_acts_by_get(self, admin: Client, source: DataSource, button: str) -> None:
        assert admin.get(url_of(source, button)).status_code == 405

    @pytest.mark.acceptance("RC95")
    @pytest.mark.parametrize("button", [*BUTTONS, *OF_EDITORS])
    def test_a_viewer_presses_none(
        self,
        client: Client,
        charlie: User,
        source: DataSource,
        monkeypatch: pytest.MonkeyPatch,
        button: str,
    ) -> None:
        monkeypatch.setitem(roles.PERMISSIONS, roles.Role.READ, frozenset({"sources.view_datasource"}))
        client.force_login(charlie)

        assert press(client, source, button).status_code == 403

    @pytest.mark.acceptance("RC95")
    @pytest.mark.parametrize("button", OF_EDITORS)
    def test_a_coordinator_does_not_edit_sources(
        self, coordinator: Client, source: DataSource, button: str
    ) -> None:
        assert press(coordinator, source, button, sure="on").status_code == 403

    @pytest.mark.acceptance("RC95")
    def test_a_coordinator_sees_the_buttons_that_work(self, coordinator: Client, source: DataSource) -> None:
        content = page(coordinator, source)

        assert [name for name in (*BUTTONS, *OF_EDITORS) if f'name="_{name}"' in content] == [*BUTTONS]

    @pytest.mark.parametrize("button", [*BUTTONS, *OF_EDITORS])
    def test_a_source_that_is_gone_is_not_found(self, admin: Client, source: DataSource, button: str) -> None:
        url = url_of(source, button)
        source.delete()

        assert admin.post(url).status_code == 404


@pytest.mark.acceptance("H35")
class TestLetItGoOn:
    def test_a_source_that_is_set_aside_says_so_and_goes_on(
        self, coordinator: Client, source: DataSource, worker: None
    ) -> None:
        assert "Let it go on" not in page(coordinator, source)
        SourceState.objects.update(state=State.SET_ASIDE, next_pull_at=None, interruptions=2, message="Why.")

        shown = page(coordinator, source)
        press(coordinator, source, "pull")

        assert "Let it go on</button>" in shown
        assert "paused until someone acts" in shown
        assert "Why." in shown
        assert state(source).interruptions == 0
        assert claims.due() == [source]
