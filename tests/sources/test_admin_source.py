"""These tests fill in a source's page by Django's test client: its form, its token, its mapping.

Not here: the buttons (test_admin_buttons.py) and what needs a browser (test_admin_source_browser.py).
"""

from __future__ import annotations

import html
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from accounts.models import User
from sources.kinds import dictionary_of
from sources.mapping import alternatives
from sources.mapping.rules import Rule
from sources.mapping.transforms import FORMS, parse
from sources.models import DataSource, MappingRule, RedcapProject, SourceState, State, SyncIssue, SyncRun
from tests.admin_pages import errors_in, said, shown
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN
from tests.sources import making
from tests.sources.conftest import MakeSource, items, pull
from tests.sources.source_pages import page_of, save
from tests.sources.study import participant
from worklist.items import intake
from worklist.models import Device

pytestmark = pytest.mark.django_db

ADD = "admin:sources_datasource_add"
LIST = "admin:sources_datasource_changelist"
OTHER = "another-token-0123456789"


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def formset_in(response: Any) -> Any:
    inline, *_ = response.context["inline_admin_formsets"]
    return inline.formset


def saved(response: Any) -> bool:
    assert response.status_code == 200
    return bool(response.redirect_chain)


def state(source: DataSource) -> SourceState:
    return SourceState.objects.get(source=source)


def row(source: DataSource, target: str) -> int:
    """Return the place of the target's row on the page."""
    return list(source.rules.values_list("target", flat=True)).index(target)


LEAST = {
    "name": "cpip",
    "kind": "redcap",
    "enabled": "on",
    "url": "https://redcap.example.org/redcap",
    "server_timezone": "America/Edmonton",
    "sync_interval": "60",
    "horizon_back_days": "7",
    "horizon_ahead_days": "365",
    "overlap_minutes": "60",
    "read_timeout": "120",
    "requests_per_minute": "300",
    "batch_size": "100",
    "session_kind": "repeating_instrument",
    "without_time": "issue",
    "rules-TOTAL_FORMS": "0",
    "rules-INITIAL_FORMS": "0",
}


class TestANewSource:
    def test_is_stored_with_the_least_and_its_address_put_right(self, admin: Client) -> None:
        response = admin.post(reverse(ADD), {**LEAST, "token": TOKEN}, follow=True)

        assert saved(response), errors_in(response)
        source = DataSource.objects.get()
        assert source.redcap.url == "https://redcap.example.org/redcap/api/"
        assert source.redcap.token() == TOKEN
        assert source.redcap.token_set_by == "alice"
        assert source.history.get().history_user == "alice"
        assert state(source).state == State.NEVER

    def test_takes_its_first_rows_with_it_in_the_order_of_the_page(self, admin: Client) -> None:
        rows = [("patient_id", "record_id"), ("patient_name", "name"), ("scheduled_start_date", "mri_date")]
        given = {
            f"rules-{place}-{name}": value
            for place, (target, field) in enumerate(rows)
            for name, value in {"target": target, "field": field, "level": "record"}.items()
        }
        given |= {"rules-3-target": "modality", "rules-3-default": "MR", "rules-3-level": "session"}
        given |= {"rules-TOTAL_FORMS": "4", "session_kind": "record", "without_time": "midnight"}
        response = admin.post(reverse(ADD), {**LEAST, **given}, follow=True)

        assert saved(response), formset_in(response).errors
        targets = DataSource.objects.get().rules.values_list("target", flat=True)
        assert list(targets) == ["patient_id", "patient_name", "scheduled_start_date", "modality"]

    @pytest.mark.parametrize(
        ("field", "value", "text"),
        [
            ("url", "redcap.example.org", "must be a URL"),
            ("url", "http://redcap.example.org/api/", "must begin with https"),
            ("url", "https://redcap.example.org/api/?token=1", "without ?"),
            ("server_timezone", "Edmonton", "IANA"),
            ("sync_interval", "29", "greater than or equal to 30"),
            ("window_start", "17:00", "both times"),
            ("name", "a b", "Letters"),
            ("token", "two words", "neither spaces"),
            ("ca_bundle", "/etc/ssl/certs/none/ca.pem", "no such file"),
        ],
    )
    def test_is_refused_with_the_field_named(self, admin: Client, field: str, value: str, text: str) -> None:
        response = admin.post(reverse(ADD), {**LEAST, field: value})

        shown = errors_in(response)
        assert list(shown) == ["window_end" if field == "window_start" else field]
        assert text in str(shown)
        assert not DataSource.objects.exists()

    def test_keeps_its_name_afterwards(self, admin: Client, source: DataSource) -> None:
        save(admin, source, name="other", site_id="Y")

        assert (source.name, source.site_id) == ("study", "Y")


class TestTheToken:
    @pytest.mark.acceptance("RC5")
    def test_is_in_no_page_log_history_or_dump(self, admin: Client, source: DataSource) -> None:
        response = save(admin, source, token=OTHER)

        assert saved(response), errors_in(response)
        assert source.redcap.token() == OTHER
        pages = [
            admin.get(page_of(source)),
            admin.get(reverse("admin:sources_datasource_history", args=[source.pk])),
        ]
        dump = StringIO()
        call_command("dumpdata", "sources", "admin", stdout=dump)
        texts = [
            *(page.content.decode() for page in pages),
            dump.getvalue(),
            str(list(LogEntry.objects.values())),
        ]
        texts += [str(list(source.history.values())), response.content.decode()]
        for text in texts:
            assert OTHER not in text
            assert TOKEN not in text
            assert source.redcap.token_cipher not in text or text is dump.getvalue()

    @pytest.mark.acceptance("RC5")
    def test_is_not_sent_back_when_the_form_is_refused(self, admin: Client, source: DataSource) -> None:
        response = save(admin, source, token=OTHER, url="nonsense")

        assert not saved(response)
        assert OTHER not in response.content.decode()
        assert source.redcap.token() == TOKEN

    def test_stays_when_the_field_is_left_empty(self, admin: Client, source: DataSource) -> None:
        save(admin, source, site_id="Y")

        assert source.redcap.token() == TOKEN
        assert f"Now: set {timezone.localdate()} by alice" in admin.get(page_of(source)).content.decode()

    def test_does_not_go_to_another_server_than_it_was_entered_for(
        self, admin: Client, source: DataSource
    ) -> None:
        before = source.redcap.url
        response = save(admin, source, url="https://elsewhere.example.org/api/")

        assert not saved(response)
        assert "another server" in response.content.decode()
        source.refresh_from_db()
        assert source.redcap.url == before
        assert saved(save(admin, source, url="https://elsewhere.example.org/api/", token=OTHER))

    def test_is_forgotten_when_that_is_asked(self, admin: Client, source: DataSource) -> None:
        save(admin, source, forget_token="on")

        assert (source.redcap.token_cipher, source.redcap.token_set_at, source.redcap.token_set_by) == (
            "",
            None,
            "",
        )
        assert "Now: none" in admin.get(page_of(source)).content.decode()

    @pytest.mark.acceptance("RC6")
    def test_that_no_key_decrypts_is_said(self, admin: Client, source: DataSource) -> None:
        RedcapProject.objects.update(token_cipher="gAAAAA")

        assert "Now: cannot be decrypted" in admin.get(page_of(source)).content.decode()

    @pytest.mark.parametrize(
        ("given", "wrong"),
        [
            ({"token_variable": "REDCAP_TOKEN"}, "token_variable"),
            ({"token_file": __file__}, "token_file"),
            ({"token": OTHER, "forget_token": "on"}, "forget_token"),
            ({"token_variable": "REDCAP_A", "token_file": __file__, "forget_token": "on"}, "token_file"),
        ],
    )
    def test_is_in_one_place_at_most(
        self, admin: Client, source: DataSource, given: dict[str, str], wrong: str, settings: Any
    ) -> None:
        settings.SOURCE_FILES_FOLDER = str(Path(__file__).parent)
        response = save(admin, source, **given)

        assert list(errors_in(response)) == [wrong]
        assert source.redcap.token() == TOKEN

    def test_moves_to_the_environment_in_one_step(self, admin: Client, source: DataSource) -> None:
        response = save(admin, source, forget_token="on", token_variable="REDCAP_TOKEN")

        assert saved(response), errors_in(response)
        assert (source.redcap.token_cipher, source.redcap.token_variable) == ("", "REDCAP_TOKEN")


@pytest.fixture
def known(source: DataSource) -> DataSource:
    """Return a source whose project's dictionary has been read."""
    dictionary_of(source)
    return source


class TestTheMapping:
    @pytest.mark.acceptance("RC7")
    def test_lists_the_targets_and_searches_the_projects_fields_and_instruments(
        self, admin: Client, known: DataSource
    ) -> None:
        content = admin.get(page_of(known)).content.decode()

        assert '<option value="patient_id">Patient ID</option>' in content
        assert re.search(r'<input[^>]* name="rules-0-field"[^>]* data-search="fields"', content)
        assert re.search(r'<input[^>]* name="session_instrument"[^>]* data-search="instruments"', content)
        for kind in ("fields", "instruments"):
            assert f'data-{kind}="{reverse(f"admin:sources_datasource_{kind}", args=[known.pk])}"' in content

    def test_every_line_that_the_page_explains_can_be_written(self, admin: Client, known: DataSource) -> None:
        content = admin.get(page_of(known)).content.decode()
        explained = re.search(r"<thead><tr><th scope=.col.>Line.*?</table>", content, re.DOTALL)
        assert explained
        cells = re.findall(r"<tr><td>(.*?)</td>", explained[0])
        lines = [html.unescape(line) for cell in cells for line in re.findall("<code>(.*?)</code>", cell)]

        assert len(lines) >= 12
        for line in lines:
            others = alternatives.of(Rule("patient_id", transforms=line))
            assert len(parse(line)) + len(others) == 1, line

    def test_an_untouched_page_changes_nothing_and_asks_for_nothing(
        self, admin: Client, known: DataSource
    ) -> None:
        MappingRule.objects.filter(target="patient_sex").update(transforms="codes 1=M, 2=F\nupper")
        DataSource.objects.update(session_conditions="status = 1\nweight not empty")
        before = state(known).next_pull_at
        response = save(admin, known)

        assert saved(response), formset_in(response).errors
        assert known.history.count() == 1
        assert state(known).next_pull_at == before
        assert not state(known).full_requested

    @pytest.mark.acceptance("RC7")
    def test_a_typing_error_is_refused_at_its_row_and_field(self, admin: Client, known: DataSource) -> None:
        place = row(known, "scheduled_start_date")
        response = save(admin, known, **{f"rules__{place}__field": "mri_dat"})

        assert not saved(response)
        formset = formset_in(response)
        assert list(formset.forms[place].errors) == ["field"]
        assert "no field mri_dat" in str(formset.forms[place].errors)
        assert "mri_date" in str(formset.forms[place].errors)
        assert [index for index, form in enumerate(formset.forms) if form.errors] == [place]
        assert "Test connection reads it again" in str(formset.non_form_errors())
        assert known.rules.get(target="scheduled_start_date").field == "mri_date"

    @pytest.mark.parametrize(
        ("target", "field", "value"),
        [
            ("patient_id", "target", "patient_idd"),
            ("patient_sex", "transforms", "kodes 1=M"),
            ("patient_sex", "transforms", "codes 1=X"),
            ("patient_weight_kg", "default", "70"),
            ("patient_birth_date", "level", "session"),
            ("modality", "default", "M,R"),
            ("patient_birth_date", "events", "baseline_arm_1"),
        ],
    )
    def test_a_mistake_is_shown_at_its_row(
        self, admin: Client, known: DataSource, target: str, field: str, value: str
    ) -> None:
        place = row(known, target)
        response = save(admin, known, **{f"rules__{place}__{field}": value})

        assert not saved(response)
        assert list(formset_in(response).forms[place].errors) == [field]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("session_instrument", "mrt"),
            ("session_instrument", ""),
            ("session_conditions", "no_such_field = 1"),
            ("session_conditions", "status is fine"),
            ("session_events", "baseline_arm_1"),
            ("session_kind", "event"),
            ("hisris_coding_designator", "A\\B"),
        ],
    )
    def test_a_mistake_of_the_source_itself_is_shown_at_its_field(
        self, admin: Client, known: DataSource, field: str, value: str
    ) -> None:
        response = save(admin, known, **{field: value})

        assert not saved(response)
        assert field in errors_in(response)
        assert making.value(known, field) != value

    def test_a_wrong_instrument_is_said_once_and_not_again_at_every_row(
        self, admin: Client, known: DataSource
    ) -> None:
        response = save(admin, known, session_instrument="mrt")

        assert list(errors_in(response)) == ["session_instrument"]
        assert [form.errors for form in formset_in(response).forms if form.errors] == []

    def test_without_a_patient_id_it_is_refused_above_the_rows(
        self, admin: Client, known: DataSource
    ) -> None:
        response = save(admin, known, **{f"rules__{row(known, 'patient_id')}__DELETE": "on"})

        assert not saved(response)
        assert "Nothing is mapped to patient_id" in str(formset_in(response).non_form_errors())
        assert known.rules.filter(target="patient_id").exists()

    def test_all_rows_may_go(self, admin: Client, known: DataSource) -> None:
        gone = {f"rules__{place}__DELETE": "on" for place in range(known.rules.count())}
        response = save(admin, known, **gone)

        assert saved(response), formset_in(response).errors
        assert not known.rules.exists()

    def test_a_source_of_another_project_is_not_judged_by_the_old_ones_fields(
        self, admin: Client, known: DataSource
    ) -> None:
        place = row(known, "patient_id")
        changed = {f"rules__{place}__field": "study_id", "project_id": "78"}
        response = save(admin, known, **changed)

        assert saved(response), formset_in(response).errors
        assert known.rules.get(target="patient_id").field == "study_id"

    def test_a_new_row_goes_where_its_order_says(self, admin: Client, known: DataSource) -> None:
        place = known.rules.count()
        new = {"target": "PatientAge", "default": "040Y", "position": "1"}
        response = save(admin, known, **{f"rules__{place}__{name}": value for name, value in new.items()})

        assert saved(response), formset_in(response).errors
        assert list(known.rules.values_list("target", flat=True))[:3] == [
            "patient_id",
            "patient_name",
            "PatientAge",
        ]

    def test_a_new_row_without_an_order_comes_last(self, admin: Client, known: DataSource) -> None:
        place = known.rules.count()
        save(admin, known, **{f"rules__{place}__target": "{site}", f"rules__{place}__default": "Y"})

        assert list(known.rules.values_list("target", flat=True))[-1] == "{site}"

    @pytest.mark.acceptance("RC90")
    def test_a_change_is_in_the_history_and_all_is_read_again(self, admin: Client, known: DataSource) -> None:
        place = row(known, "PatientComments")
        response = save(admin, known, **{f"rules__{place}__transforms": "upper"})

        rule = known.rules.get(target="PatientComments")
        assert [(each.history_user, each.transforms) for each in rule.history.all()] == [
            ("alice", "upper"),
            (None, ""),
        ]
        assert state(known).full_requested
        assert state(known).requested_by == "alice"
        assert any("all its records are read again" in text for text in said(response))
        history = admin.get(reverse("admin:sources_datasource_history", args=[known.pk]))
        assert "Changed mapping row PatientComments ← comment" in history.content.decode()

    @pytest.mark.acceptance("RC90")
    def test_another_way_to_find_sessions_reads_all_again(self, admin: Client, known: DataSource) -> None:
        save(admin, known, session_conditions="status != 3")

        assert known.session_conditions == "status != 3"
        assert state(known).full_requested

    def test_another_interval_reads_nothing_again(self, admin: Client, known: DataSource) -> None:
        save(admin, known, sync_interval="300")

        assert known.sync_interval == 300
        assert not state(known).full_requested

    def test_any_change_lets_a_paused_source_go_on(self, admin: Client, known: DataSource) -> None:
        SourceState.objects.update(next_pull_at=None)
        response = save(admin, known, sync_interval="300")

        assert state(known).next_pull_at is not None
        assert any("no longer paused" in text for text in said(response))


class TestTheState:
    def test_leads_to_the_sources_own_pulls_and_issues(
        self, admin: Client, source: DataSource, make_source: MakeSource, redcap: RedcapServer
    ) -> None:
        other = make_source(redcap, name="other")
        for each in (source, other):
            SyncIssue.objects.create(source=each, record=f"of-{each}", text="Not a code.")
            SyncRun.objects.create(source=each, actor=f"by-{each}")
        content = admin.get(page_of(source)).content.decode()

        for model in ("syncissue", "syncrun"):
            [query] = re.findall(rf'href="/admin/sources/{model}/(\?[^"]+)"', content)
            listed = admin.get(f"/admin/sources/{model}/{query}")
            assert [row.source.name for row in listed.context["cl"].result_list] == ["study"]

    def test_tells_what_the_last_pull_said(self, admin: Client, source: DataSource) -> None:
        SourceState.objects.update(
            state=State.CONFIGURATION, message="The project has no field x.", warnings=["The clock differs."]
        )
        content = admin.get(page_of(source)).content.decode()

        assert '<span class="status status-configuration">Set up wrongly</span>' in content
        assert "The project has no field x." in content
        assert "The clock differs." in content


class TestTheTrigger:
    def test_gets_a_secret_when_it_is_first_accepted(self, admin: Client, source: DataSource) -> None:
        save(admin, source, trigger_enabled="on")

        secret = source.redcap.trigger_secret()
        assert len(secret) >= 43
        url = f"http://testserver/sources/study/trigger/{secret}"
        assert url in admin.get(page_of(source)).content.decode()

    def test_keeps_its_secret_when_the_source_is_saved_again(self, admin: Client, source: DataSource) -> None:
        save(admin, source, trigger_enabled="on")
        secret = source.redcap.trigger_secret()
        save(admin, source, site_id="Y")

        assert source.redcap.trigger_secret() == secret

    def test_that_no_key_decrypts_is_said(self, admin: Client, source: DataSource) -> None:
        RedcapProject.objects.update(trigger_enabled=True, trigger_cipher="gAAAAA")

        assert "make a new secret" in admin.get(page_of(source)).content.decode()


class TestPermissions:
    @pytest.fixture
    def with_trigger(self, source: DataSource) -> DataSource:
        source.redcap.trigger_enabled = True
        source.redcap.set_trigger_secret("s3cr3t-of-the-trigger")
        source.redcap.token_set_by = "the-one-who-set-it"
        source.save_with_details("alice")
        return source

    @pytest.fixture
    def viewer(self, client: Client, charlie: User, monkeypatch: pytest.MonkeyPatch) -> Client:
        held = frozenset({"sources.view_datasource"})
        monkeypatch.setitem(roles.PERMISSIONS, roles.Role.READ, held)
        client.force_login(charlie)
        return client

    @pytest.mark.acceptance("RC95")
    def test_a_viewer_sees_the_mapping_and_neither_token_nor_trigger(
        self, viewer: Client, with_trigger: DataSource
    ) -> None:
        response = viewer.get(page_of(with_trigger))

        content = response.content.decode()
        shown = [name for name, _ in response.context["adminform"].fieldsets]
        assert "PatientComments" in content
        assert "s3cr3t-of-the-trigger" not in content
        assert "the-one-who-set-it" not in content
        assert "Connection" in shown
        assert not {"Token", "Data Entry Trigger"} & set(shown)
        assert 'type="submit" name="_' not in content

    @pytest.mark.acceptance("RC95")
    def test_a_viewer_reads_the_history_without_the_token(
        self, viewer: Client, with_trigger: DataSource
    ) -> None:
        response = viewer.get(reverse("admin:sources_datasource_history", args=[with_trigger.pk]))

        assert response.status_code == 200
        assert "the-one-who-set-it" not in response.content.decode()

    @pytest.mark.acceptance("RC95")
    def test_a_viewer_changes_nothing(self, viewer: Client, with_trigger: DataSource) -> None:
        response = viewer.post(page_of(with_trigger), {"url": "https://elsewhere.example.org/api/"})

        assert response.status_code == 403
        with_trigger.refresh_from_db()
        assert "elsewhere" not in with_trigger.redcap.url


class TestTheList:
    def test_tells_how_each_source_fares_in_as_few_queries_for_many_as_for_one(
        self, admin: Client, make_source: MakeSource, redcap: RedcapServer
    ) -> None:
        sources = [make_source(redcap, name=f"study-{number}") for number in range(4)]
        for source in sources[:2]:
            SyncIssue.objects.create(source=source, record="1", target="patient_sex", text="Not a code.")
        SyncIssue.objects.create(source=sources[0], record="2", text="Mended.", closed_at=timezone.now())
        SourceState.objects.filter(source=sources[0]).update(
            state=State.AUTHORISATION, message="The token is refused.", next_pull_at=None
        )
        with CaptureQueriesContext(connection) as few:
            admin.get(reverse(LIST) + "?q=study-0")
        with CaptureQueriesContext(connection) as many:
            content = admin.get(reverse(LIST)).content.decode()

        assert len(many) == len(few)
        assert '<span class="status status-authorisation">Not let in</span>' in content
        assert "The token is refused." in content
        assert "paused until" in content
        assert re.findall(r'class="field-open_issues">(\d)', content) == ["1", "1", "0", "0"]


class TestScanner:
    """A source's items are for its scanner."""

    def devices(self, *titles: str, **rules: Any) -> None:
        for title in titles:
            Device(ae_title=title, **rules).save_as("test")

    def proposed(self, admin: Client) -> str:
        form = admin.get(f"{reverse(ADD)}?kind=redcap").context["adminform"].form
        return str(form["scheduled_station_aetitle"].value() or "")

    @pytest.mark.acceptance("RC99")
    @pytest.mark.parametrize(
        ("titles", "rules", "proposed"),
        [
            ((), {}, ""),
            (("MR1",), {}, "MR1"),
            (("MR1",), {"station_ae_titles": "PRISMA\\MR1"}, "PRISMA"),
            (("MR1",), {"enabled": False}, ""),
            (("MR1", "MR2"), {}, ""),
            (("MR1", "*"), {}, ""),
            (("*",), {}, ""),
        ],
    )
    def test_of_a_new_source_is_proposed_where_there_is_only_one(
        self, admin: Client, titles: tuple[str, ...], rules: dict[str, Any], proposed: str
    ) -> None:
        self.devices(*titles, **rules)

        assert self.proposed(admin) == proposed

    @pytest.mark.acceptance("RC99")
    def test_of_a_source_that_exists_stays_empty_until_a_person_sets_it(
        self, admin: Client, source: DataSource
    ) -> None:
        self.devices("MR1", name="Prisma")

        response = admin.get(page_of(source))

        assert response.context["adminform"].form["scheduled_station_aetitle"].value() == ""
        assert '<option value="MR1">Prisma' in response.content.decode()
        assert "The only scanner is MR1." in response.content.decode()
        assert saved(save(admin, source))
        assert source.scheduled_station_aetitle == ""

    @pytest.mark.acceptance("RC98")
    def test_reaches_the_items_with_the_next_pull_and_leaves_a_persons_own_alone(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        participant(project, "P-2")
        pull(source)
        edited = items(source)["P-2"]
        intake.change(edited, {"scheduled_station_aetitle": "CT1"}, actor="bob")

        assert saved(save(admin, source, scheduled_station_aetitle="MR1, MR2"))
        assert source.scheduled_station_aetitle == "MR1\\MR2"
        assert source.state.full_requested
        pull(source, full=True)

        stations = {key: item.scheduled_station_aetitle for key, item in items(source).items()}
        assert stations == {"P-1": "MR1\\MR2", "P-2": "CT1"}

        save(admin, source, scheduled_station_aetitle="")
        pull(source, full=True)
        assert items(source)["P-1"].scheduled_station_aetitle == ""

    @pytest.mark.parametrize("value", ["A" * 17, "MR1\\" + "A" * 17, "MÜ1"])
    def test_that_is_no_ae_title_is_refused_at_its_field(
        self, admin: Client, source: DataSource, value: str
    ) -> None:
        response = save(admin, source, scheduled_station_aetitle=value)

        assert not saved(response)
        assert list(errors_in(response)) == ["scheduled_station_aetitle"]

    def test_is_led_to_by_the_name_of_the_source(self, admin: Client, source: DataSource) -> None:
        url = reverse("admin:sources_datasource_scanner", args=[source.name])
        assert admin.get(url)["Location"] == f"{page_of(source)}#id_scheduled_station_aetitle"

        MappingRule.objects.create(source=source, target="scheduled_station_aetitle", default="MR1")
        assert admin.get(url)["Location"] == f"{page_of(source)}#rules-group"

        gone = admin.get(reverse("admin:sources_datasource_scanner", args=["no/such"]), follow=True)
        assert said(gone) == ["You see no source no/such here."]

    @pytest.mark.acceptance("RC98")
    def test_is_offered_as_a_target_in_words(self, admin: Client) -> None:
        shown = admin.get(f"{reverse(ADD)}?kind=redcap").content.decode()

        assert '<option value="scheduled_station_aetitle">Scanner (station AE title)' in shown


@pytest.mark.acceptance("RC249")
def test_the_page_says_what_each_line_of_a_mapping_does(client: Client, alice: User) -> None:
    client.force_login(alice)
    page = shown(client, reverse("admin:sources_datasource_add") + "?kind=redcap")
    told = page[page.index("How rows are written") :]

    for form in FORMS:
        kind = form.split()[0]
        assert re.search(rf"<code>{kind}\b", told), form
