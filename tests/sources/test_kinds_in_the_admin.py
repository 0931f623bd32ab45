"""A source and its details are one to people: one form, one change in its history, one object by REST.

Not here: what is REDCap's own (test_admin_source.py, test_admin_new_source.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from sources.config_import import import_config
from sources.kinds import KINDS, SourceKind
from sources.models import DataSource
from tests.admin_pages import errors_in
from tests.api_client import client_of
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN
from tests.sources import making
from tests.sources.source_pages import filled_in, page_of, save
from tests.sources.test_admin_source import ADD, LEAST

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def two_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be another kind, which has the pages and details of the first."""
    first = next(iter(KINDS.values()))
    monkeypatch.setitem(
        KINDS, "spare", SourceKind("spare", "Spare", first.details, first.backend, first.admin)
    )


@pytest.fixture
def bare_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be a kind whose details have none of the columns that REST tells of."""
    first = next(iter(KINDS.values()))
    monkeypatch.setitem(KINDS, "bare", SourceKind("bare", "Bare", "state", first.backend, first.admin))


class Links(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "a":
            self.found.append(dict(attrs).get("href") or "")


class TestChoosing:
    @pytest.mark.acceptance("FI5")
    def test_with_several_kinds_one_is_chosen_first(self, admin: Client, two_kinds: None) -> None:
        asked = admin.get(reverse(ADD))

        assert "Where do the appointments come from?" in asked.content.decode()
        assert "adminform" not in asked.context
        assert {f"?kind={kind}" for kind in KINDS} <= set(Links(asked.content.decode()).found)

    @pytest.mark.acceptance("FI5")
    def test_the_form_is_of_the_kind_that_was_chosen(self, admin: Client, two_kinds: None) -> None:
        page = f"{reverse(ADD)}?kind=spare"
        form = admin.get(page).context["adminform"].form

        assert form.instance.kind == "spare"
        admin.post(page, {**LEAST, "kind": "redcap", "token": TOKEN}, follow=True)
        assert DataSource.objects.get().kind == "spare", "What the address says was shown to the person."

    @pytest.mark.acceptance("FI5")
    def test_an_unknown_kind_asks_again_and_stores_nothing(self, admin: Client, two_kinds: None) -> None:
        page = f"{reverse(ADD)}?kind=no-such"

        assert "Where do the appointments come from?" in admin.get(page).content.decode()
        admin.post(page, {**LEAST, "kind": "no-such"})
        assert not DataSource.objects.exists()

    @pytest.mark.acceptance("FI5")
    def test_with_one_kind_nobody_is_asked(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        for other in list(KINDS)[1:]:
            monkeypatch.delitem(KINDS, other)

        assert admin.get(reverse(ADD)).context["adminform"].form.instance.kind == next(iter(KINDS))

    def test_who_may_not_add_is_not_asked_either(self, client: Client, bob: User, two_kinds: None) -> None:
        client.force_login(bob)

        assert client.get(reverse(ADD)).status_code == 403

    def test_the_kind_of_a_source_stays(self, admin: Client, source: DataSource, two_kinds: None) -> None:
        save(admin, source, kind="spare")

        assert making.value(source, "kind") == "redcap"


class TestTheForm:
    @pytest.mark.acceptance("FI3")
    def test_both_rows_are_saved(self, admin: Client, source: DataSource) -> None:
        save(admin, source, batch_size="7", sync_interval="90")

        assert (making.value(source, "batch_size"), making.value(source, "sync_interval")) == (7, 90)

    @pytest.mark.acceptance("FI3")
    @pytest.mark.parametrize(
        ("name", "wrong"), [("batch_size", "0"), ("sync_interval", "1"), ("server_timezone", "Mars")]
    )
    def test_what_is_wrong_in_either_is_told_at_its_field_and_neither_is_saved(
        self, admin: Client, source: DataSource, name: str, wrong: str
    ) -> None:
        right = {"batch_size": "7", "sync_interval": "90"}

        response = save(admin, source, **{**right, name: wrong})

        assert name in errors_in(response)
        assert (making.value(source, "batch_size"), making.value(source, "sync_interval")) == (100, 60)

    def test_an_untouched_form_changes_neither_row(self, admin: Client, source: DataSource) -> None:
        admin.post(page_of(source), filled_in(admin, page_of(source)))

        assert (source.history.count(), source.redcap.history.count()) == (1, 1)


class TestTheHistory:
    @pytest.fixture
    def changed(self, admin: Client, source: DataSource) -> DataSource:
        save(admin, source, overlap_minutes="77", sync_interval="90", token_variable="")
        return source

    @pytest.mark.acceptance("FI6")
    def test_a_change_of_both_rows_is_one_entry(self, admin: Client, changed: DataSource) -> None:
        history = admin.get(reverse("admin:sources_datasource_history", args=[changed.pk]))

        of_source = [each for each in history.context["entries"] if hasattr(each.record, "sync_interval")]
        newest, first = of_source
        assert {change.name for change in newest.changes} == {"overlap_minutes", "sync_interval"}
        assert (newest.record.history_user, first.record.history_type) == ("alice", "+")
        of_both = zip(changed.history.all(), changed.redcap.history.all(), strict=True)
        assert all(own.history_date == other.history_date for own, other in of_both)

    @pytest.mark.acceptance("FI6")
    def test_who_deletes_a_source_is_in_the_history_of_both(self, admin: Client, source: DataSource) -> None:
        delete = reverse("admin:sources_datasource_delete", args=[source.pk])
        model: Any = type(source.details)

        admin.post(delete, {"post": "yes", "items": "keep"})

        assert not DataSource.objects.exists() and not model.objects.exists()
        last = [DataSource.history.latest(), model.history.latest()]
        assert [(each.history_type, each.history_user) for each in last] == [("-", "alice")] * 2

    @pytest.mark.acceptance("FI6")
    def test_moments_of_later_saves_are_their_own(self, source: DataSource) -> None:
        source.save_with_details("alice")
        source.save_as("bob")

        dates = list(source.history.values_list("history_date", flat=True))
        assert len(set(dates)) == len(dates) == 3

    @pytest.mark.acceptance("FI6")
    def test_a_viewer_sees_the_kinds_columns_but_nothing_of_the_token(
        self, client: Client, source: DataSource, charlie: User
    ) -> None:
        making.change(source, token_cipher="", token_variable="REDCAP_OF_STUDY", batch_size=9)
        client.force_login(charlie)

        history = client.get(reverse("admin:sources_datasource_history", args=[source.pk]))
        page = client.get(page_of(source)).content.decode()

        changes = [change.name for entry in history.context["entries"] for change in entry.changes]
        assert "batch_size" in changes
        assert "token_variable" not in changes
        assert "REDCAP_OF_STUDY" not in page
        assert source.redcap.url in page
        assert "America/Edmonton" in page


@pytest.mark.acceptance("FI7")
def test_what_a_kind_lacks_is_null_by_rest(bob: User, source: DataSource, bare_kind: None) -> None:
    asked = client_of(bob)
    told = asked.get("/sources/study").json()
    assert (told["url"], told["project_id"], told["session_kind"]) == (
        source.redcap.url,
        source.redcap.project_id,
        "repeating_instrument",
    )

    DataSource.objects.update(kind="bare")

    told = asked.get("/sources/study").json()
    assert (told["kind"], told["name"]) == ("bare", "study")
    assert (told["url"], told["project_id"], told["session_kind"]) == (None, None, None)


@pytest.fixture
def entry(redcap: RedcapServer) -> Iterator[dict[str, Any]]:
    yield {
        "name": "study",
        "type": "redcap",
        "config": {"api_url": redcap.url, "api_token": TOKEN},
        "field_mapping": {"record_id": "patient_id"},
    }


@pytest.mark.acceptance("FI8")
def test_a_configuration_leaves_a_source_of_another_kind_alone(
    source: DataSource, entry: dict[str, Any]
) -> None:
    DataSource.objects.update(kind="table")
    before = DataSource.objects.values().get(), source.history.count()

    report = import_config({"data_sources": [entry]}, actor="alice")

    assert any("of another kind: name it otherwise" in line for line in report.lines)
    assert (DataSource.objects.values().get(), source.history.count()) == before
