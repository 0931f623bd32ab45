"""A new source is not asked until a person has seen a good preview; its token outlives a refused form.

Not here: what else its form takes and refuses (test_admin_source.py).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from accounts.models import User
from sources.admin import kept_token
from sources.kinds import dictionary_of
from sources.models import DataSource, KnownDictionary, RedcapProject, SourceState, WorkerBeat
from sources.sync import claims
from tests.admin_pages import errors_in, said
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN
from tests.sources.conftest import MakeSource, only_item, pull
from tests.sources.source_pages import filled_in, page_of, save
from tests.sources.study import PROJECT_ID, participant
from tests.sources.test_admin_source import ADD, LEAST

pytestmark = pytest.mark.django_db

OTHER = "another-token-0123456789"


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def press(client: Client, source: DataSource, button: str, **given: str) -> Any:
    url = reverse(f"admin:sources_datasource_{button}", args=[source.pk])
    response = client.post(url, given, follow=True)
    source.refresh_from_db()
    return response


def add(client: Client, **given: str) -> Any:
    return client.post(reverse(ADD), {**LEAST, **given}, follow=True)


class TestEnabling:
    @pytest.fixture
    def new(self, make_source: MakeSource, redcap: RedcapServer) -> DataSource:
        return make_source(redcap, enabled=False)

    @pytest.mark.acceptance("RC172")
    def test_a_source_is_born_without_being_asked(self, admin: Client) -> None:
        add(admin, token=TOKEN)

        source = DataSource.objects.get()
        assert not source.enabled
        assert claims.due() == []
        content = admin.get(page_of(source)).content.decode()
        assert "Not enabled yet" in content
        assert "a good Preview offers to enable it" in content

    @pytest.mark.acceptance("RC172")
    def test_a_good_preview_enables_it_and_has_it_pulled(
        self, admin: Client, new: DataSource, project: Project
    ) -> None:
        WorkerBeat.objects.create(at=timezone.now())
        participant(project, "P-001")
        shown = press(admin, new, "preview")
        assert "1 session would be offered" in shown.content.decode()
        assert not new.enabled

        response = press(admin, new, "enable", seen=shown.context["previewed"])

        assert said(response) == ["The source is enabled: a full pull begins in a moment."]
        assert [source.name for source in claims.due()] == ["study"]
        assert new.history.first().history_user == "alice"
        pull(new)
        assert only_item(new).patient_id == "P-001"

    @pytest.mark.acceptance("RC172")
    @pytest.mark.parametrize("mri_date", ["", "soon"])
    def test_a_preview_without_a_session_to_offer_does_not(
        self, admin: Client, new: DataSource, project: Project, mri_date: str
    ) -> None:
        participant(project, "P-001")
        project.save("P-001", instrument="mri", instance=1, mri_date=mri_date)
        shown = press(admin, new, "preview")
        assert "Enable and pull" not in shown.content.decode()
        assert "no reason to enable it" in shown.content.decode()

        press(admin, new, "enable", seen=shown.context["previewed"])
        assert not new.enabled

    @pytest.mark.parametrize(
        "change", [{"site_id": "Y"}, {"token": OTHER}, {"session_conditions": "sex = 1"}]
    )
    def test_another_source_than_was_previewed_is_looked_at_again(
        self, admin: Client, new: DataSource, project: Project, change: dict[str, str]
    ) -> None:
        participant(project, "P-001")
        seen = press(admin, new, "preview").context["previewed"]
        save(admin, new, **change)

        assert "look at Preview again" in said(press(admin, new, "enable", seen=seen))[-1]
        assert not new.enabled

    def test_a_coordinator_looks_and_does_not_enable(
        self, client: Client, bob: User, new: DataSource, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        may = frozenset({"sources.view_datasource", "sources.pull_datasource"})
        monkeypatch.setitem(roles.PERMISSIONS, roles.Role.WRITE, may)
        client.force_login(bob)
        participant(project, "P-001")
        shown = press(client, new, "preview")

        assert "An administrator enables it here" in shown.content.decode()
        assert press(client, new, "enable", seen=shown.context["previewed"]).status_code == 403

    def test_an_enabled_source_is_previewed_as_before(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-001")

        assert "Enable and pull" not in press(admin, source, "preview").content.decode()


class TestAKeptToken:
    @pytest.mark.acceptance("RC173")
    def test_is_saved_with_the_next_try(self, admin: Client) -> None:
        refused = add(admin, token=TOKEN, name="a b")
        assert list(errors_in(refused)) == ["name"]
        content = refused.content.decode()
        assert "The token that you entered is kept" in content
        assert TOKEN not in content

        saved = add(admin, token_is_kept="on")
        assert saved.redirect_chain, errors_in(saved)
        source = DataSource.objects.get()
        assert (source.redcap.token(), source.redcap.token_set_by) == (TOKEN, "alice")
        assert "token" not in str(admin.session.keys())

    @pytest.mark.acceptance("RC173")
    def test_outlives_several_tries_and_wrong_rows(self, admin: Client, source: DataSource) -> None:
        given = filled_in(admin, page_of(source))
        wrong = {**given, "rules-0-target": "no_such_target"}
        for refused in ({**wrong, "token": OTHER}, {**wrong, "token_is_kept": "on"}):
            assert "that you entered is kept" in admin.post(page_of(source), refused).content.decode()
        assert DataSource.objects.get().redcap.token() == TOKEN

        admin.post(page_of(source), {**given, "token_is_kept": "on"})
        assert DataSource.objects.get().redcap.token() == OTHER

    @pytest.mark.acceptance("RC173")
    def test_lies_encrypted_and_in_no_cookie(self, admin: Client) -> None:
        add(admin, token=TOKEN, name="a b")

        [session] = Session.objects.all()
        assert TOKEN not in str(session.get_decoded())
        assert "cipher" in str(session.get_decoded())
        assert not any(TOKEN in str(cookie) for cookie in admin.cookies.values())

    @pytest.mark.acceptance("RC173")
    def test_that_is_too_old_is_asked_for_again(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        add(admin, token=TOKEN, name="a b")
        monkeypatch.setattr(kept_token, "KEPT_SECONDS", -1)
        refused = add(admin, token_is_kept="on")

        assert "enter it again" in errors_in(refused)["token"][0]
        assert not DataSource.objects.exists()

    def test_goes_to_no_other_server(self, admin: Client) -> None:
        add(admin, token=TOKEN, name="a b")
        refused = add(admin, token_is_kept="on", url="https://elsewhere.example.org/api/")

        assert "enter it again" in errors_in(refused)["token"][0]
        assert not DataSource.objects.exists()

    def test_is_dropped_where_that_is_asked_and_with_the_page(self, admin: Client) -> None:
        add(admin, token=TOKEN, name="a b")
        assert add(admin, token_is_kept="on", forget_token="on", token_variable="REDCAP_TOKEN").redirect_chain
        assert DataSource.objects.get().redcap.token_cipher == ""

        add(admin, token=TOKEN, name="a b")
        admin.get(reverse(ADD), {"kind": "redcap"})
        assert "cipher" not in str(dict(admin.session))

    def test_is_replaced_by_one_that_is_typed(self, admin: Client) -> None:
        add(admin, token=TOKEN, name="a b")
        add(admin, token=OTHER, token_is_kept="on")

        assert DataSource.objects.get().redcap.token() == OTHER

    def test_that_cannot_be_one_is_not_kept(self, admin: Client) -> None:
        refused = add(admin, token="two words")

        assert "that you entered is kept" not in refused.content.decode()
        assert "cipher" not in str(dict(admin.session))


class TestASecondSource:
    """Two sources of one project may be meant: one for each instrument."""

    @pytest.mark.acceptance("RC171")
    @pytest.mark.parametrize(
        ("given", "is_asked"),
        [
            ({"project_id": str(PROJECT_ID)}, True),
            ({"token": TOKEN}, True),  # which opens one project only
            ({"project_id": str(PROJECT_ID + 1), "token": OTHER}, False),
            ({"token": OTHER}, False),
            ({"project_id": str(PROJECT_ID), "url": "https://elsewhere.example.org/api/"}, False),
        ],
    )
    def test_is_asked_about_once(
        self, admin: Client, source: DataSource, given: dict[str, str], is_asked: bool
    ) -> None:
        response = add(admin, **{"url": source.redcap.url, **given})
        assert bool(response.redirect_chain) is not is_asked
        if not is_asked:
            return
        assert "This project is already read by study" in errors_in(response)["reads_too"][0]
        assert '<input type="checkbox" name="reads_too"' in response.content.decode()

        assert add(admin, **{"url": source.redcap.url, **given, "reads_too": "on"}).redirect_chain
        [second] = DataSource.objects.exclude(pk=source.pk)
        assert save(admin, second, site_id="Y").redirect_chain  # not again with each change

    @pytest.mark.acceptance("RC171")
    def test_is_known_by_what_its_token_opened(self, admin: Client, source: DataSource) -> None:
        RedcapProject.objects.update(project_id=None)
        dictionary_of(source)
        source.state.refresh_from_db()
        assert KnownDictionary.objects.get(source=source).content["project_id"] == PROJECT_ID

        assert "already read by study" in str(
            errors_in(add(admin, url=source.redcap.url, token=OTHER, project_id=str(PROJECT_ID)))
        )

    @pytest.mark.acceptance("RC171")
    def test_each_page_names_the_other_and_enabling_asks(
        self,
        admin: Client,
        source: DataSource,
        redcap: RedcapServer,
        make_source: MakeSource,
        project: Project,
    ) -> None:
        second = make_source(redcap, name="second", enabled=False)
        participant(project, "P-001")
        for one, other in ((source, second), (second, source)):
            content = admin.get(page_of(one)).content.decode()
            assert f'This project is read by <a href="{page_of(other)}">{other}</a>' in content

        shown = press(admin, second, "preview")
        assert "This project is read by study, too" in shown.content.decode()
        seen = shown.context["previewed"]
        press(admin, second, "enable", seen=seen)
        assert not second.enabled
        press(admin, second, "enable", seen=seen, reads_too="on")
        assert second.enabled

    def test_is_not_asked_about_itself(self, admin: Client, source: DataSource) -> None:
        assert save(admin, source, token=OTHER).redirect_chain


class TestAChange:
    """Who changes what a source takes means the new ones; another project is another matter."""

    @pytest.mark.acceptance("RC168")
    @pytest.mark.parametrize(
        ("change", "allowed"),
        [
            ({"horizon_ahead_days": "700"}, {"ADDED": {"by": "alice"}}),
            ({"session_conditions": "sex = 1"}, {"ADDED": {"by": "alice"}}),
            ({"rules__6__required": "on"}, {"ADDED": {"by": "alice"}}),
            ({"token": OTHER}, {}),
            ({"project_id": "78", "horizon_ahead_days": "700"}, {}),
        ],
    )
    def test_allows_additions_unless_the_project_may_be_another(
        self, admin: Client, source: DataSource, change: dict[str, str], allowed: dict[str, Any]
    ) -> None:
        SourceState.objects.update(allowed={"RENAMED": {"by": "bob"}} if not allowed else {})
        assert save(admin, source, **change).redirect_chain

        assert SourceState.objects.get().allowed == allowed

    @pytest.mark.acceptance("RC169")
    def test_the_rules_are_an_administrators_to_set(self, admin: Client, source: DataSource) -> None:
        assert save(admin, source, most_records_gone="9", most_added_percent="300").redirect_chain

        assert (source.most_records_gone, source.most_added_percent) == (9, 300)
        content = admin.get(page_of(source)).content.decode()
        assert "10 or more records can no longer be seen at once" in content
        assert "more than 300 % of the records that it gave before" in content

    @pytest.mark.parametrize("value", ["-1", "many", "1001"])
    def test_a_share_that_is_none_is_refused(self, admin: Client, source: DataSource, value: str) -> None:
        assert list(errors_in(save(admin, source, most_added_percent=value))) == ["most_added_percent"]


def test_a_new_source_is_due_only_once_it_is_enabled(make_source: MakeSource, redcap: RedcapServer) -> None:
    make_source(redcap, enabled=False)

    assert claims.due(timezone.now() + timedelta(days=1)) == []
