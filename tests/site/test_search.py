"""One search box finds on every page what a person may see, and what is typed stands in no address.

Not here: how names are folded (worklist/test_search.py), and the box in a browser (test_search_browser.py).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from pylantir_site.kept_search import MOST, PREFIX, KeptSearchList
from pylantir_site.overview import search
from sources.models import DataSource, SyncedStep, SyncIssue
from tests.admin_pages import queries_of, shown
from tests.sources import making
from tests.worklist import reported
from tests.worklist.performed_steps import begun
from worklist.items import intake
from worklist.models import Attention, AttentionKind, Device, WorklistItem

pytestmark = pytest.mark.django_db

PAGE = "admin:search"
SUGGESTIONS = "admin:search_suggestions"
ITEMS = "admin:worklist_worklistitem_changelist"


def an_item(name: str = "Müller^Jörg", patient_id: str = "P1", days: int = 0, **values: Any) -> WorklistItem:
    day = timezone.localdate() + timedelta(days=days)
    fields = {"patient_name": name, "patient_id": patient_id, "modality": "MR", "scheduled_start_date": day}
    return intake.create({**fields, **values}, actor="alice")


def a_source(name: str = "brain-study") -> DataSource:
    return making.stored(name=name, url="https://redcap.example.org/api/")


def found(text: str, user: User) -> dict[str, list[str]]:
    """Return the titles of what is found, by kind."""
    result = search.search(text, user)
    return {str(kind.label): [hit.title for hit in kind.hits] for kind in result.kinds}


def suggested(client: Client, text: str) -> str:
    return client.post(reverse(SUGGESTIONS), {"q": text}).content.decode()


@pytest.fixture
def reader(client: Client, charlie: User) -> Client:
    client.force_login(charlie)
    return client


@pytest.mark.acceptance("AD30")
@pytest.mark.parametrize("text", ["muller", "MUELLER jorg", "örg", "P1", "ACC77", "9.8.7"])
def test_an_item_is_found_by_name_part_id_accession_and_study(text: str, charlie: User) -> None:
    an_item(accession_number="ACC77", study_instance_uid="9.8.7", scheduled_station_aetitle="MR1")
    # What is made up for an item could hold any two letters.
    numbers: dict[str, Any] = {"scheduled_procedure_step_id": "S-2", "requested_procedure_id": "R-2"}
    an_item("Roe^Richard", "Q2", accession_number="A-2", **numbers)
    result = search.search(text, charlie)

    assert [kind.label for kind in result.kinds] == ["Worklist"]
    (hit,) = result.kinds[0].hits
    assert hit.title == "Müller, Jörg"
    assert "P1" in hit.facts
    assert "MR1" in hit.facts
    assert hit.pill is not None
    assert hit.pill.words == "Scheduled"


@pytest.mark.acceptance("AD30")
def test_what_is_today_and_to_come_stands_before_what_has_passed(charlie: User) -> None:
    for days in (-400, 3, -1, 0, 1):
        an_item(f"Doe^Day {days}", f"P{days + 500}", days)

    assert found("doe", charlie) == {
        "Worklist": ["Doe, Day 0", "Doe, Day 1", "Doe, Day 3", "Doe, Day -1", "Doe, Day -400"]
    }


@pytest.mark.acceptance("AD30")
def test_examinations_points_records_sources_and_devices_are_found_each_as_their_kind(bob: User) -> None:
    item = an_item("Doe^John", "MR7")
    reported.reported(begun(item))
    Attention.objects.create(kind=AttentionKind.WEIGHT, item=item, text="It differs.")
    source = a_source("mr7-study")
    SyncedStep.objects.create(source=source, record="MR7", item=item)
    SyncIssue.objects.create(source=source, record="MR7", field="dob", text="It is no date.")
    Device.objects.create(ae_title="MR7", name="Room 7")

    kinds = found("mr7", bob)
    assert kinds["Worklist"] == ["Doe, John"]
    assert kinds["Needs attention"] == ["Doe, John"]
    assert kinds["Performed examinations"] == ["Doe, John"]
    assert kinds["Records at a source"] == ["Record MR7 at mr7-study"]
    assert kinds["To be mended at a source"] == ["Record MR7 at mr7-study"]
    assert kinds["Sources"] == ["mr7-study"]
    assert kinds["Scanners"] == ["MR7"]


@pytest.mark.acceptance("AD31")
def test_accounts_are_found_by_admins_alone(alice: User, bob: User, charlie: User) -> None:
    assert found("charlie", alice) == {"Accounts": ["charlie"]}
    assert found("charlie", bob) == found("charlie", charlie) == {}
    assert "Accounts" not in map(str, search.search("x", bob).looked_through)


@pytest.mark.acceptance("AD31")
def test_each_kind_has_the_permission_of_its_list(charlie: User, monkeypatch: pytest.MonkeyPatch) -> None:
    an_item()
    monkeypatch.setattr(User, "has_perm", lambda self, perm, obj=None: perm != "worklist.view_worklistitem")

    assert found("muller", charlie) == {}


@pytest.mark.acceptance("AD32")
def test_what_is_typed_stands_in_no_address(reader: Client) -> None:
    an_item()
    response = reader.post(reverse(PAGE), {"q": "Müller"})

    assert response.status_code == 302
    assert "ller" not in response["Location"]
    page = reader.get(response["Location"]).content.decode()
    assert "Müller, Jörg" in page
    assert "<title>Search results" in page


@pytest.mark.acceptance("AD32")
def test_all_that_were_found_are_shown_by_their_list_without_the_name_in_its_links(reader: Client) -> None:
    for number in range(search.MOST + 1):
        an_item("Doe^John", f"P{number}", number)
    an_item("Roe^Jane", "Q1")
    assert "All 9 in the worklist" in suggested(reader, "doe")
    response = reader.post(reverse(PAGE), {"q": "doe", "list": "worklist.worklistitem"}, follow=True)

    assert response.redirect_chain[0][0].startswith(reverse(ITEMS))
    page = response.content.decode()
    assert page.count("Doe, John") == search.MOST + 1
    assert "Roe, Jane" not in page
    assert 'value="doe"' in page
    assert "q=doe" not in page


@pytest.mark.acceptance("AD32")
def test_a_lists_own_box_keeps_its_filters_and_says_when_a_search_is_kept_no_longer(reader: Client) -> None:
    an_item()
    sent = {"q": "muller", "list": "worklist.worklistitem", "when": "today"}
    page = reader.post(reverse(PAGE), sent)["Location"]
    assert "when=today" in page
    assert "Müller, Jörg" in reader.get(page).content.decode()
    for number in range(MOST):
        reader.post(reverse(PAGE), {"q": f"another {number}"})

    assert "kept no longer" in reader.get(page).content.decode()


def test_the_same_text_is_kept_once(reader: Client) -> None:
    first, again = (reader.post(reverse(PAGE), {"q": "doe"})["Location"] for _ in range(2))

    assert first == again
    assert PREFIX in first


@pytest.mark.parametrize("model", ["auth.group", "accounts.user", "no.model", "nonsense"])
def test_only_lists_that_the_person_may_see_are_led_to(reader: Client, model: str) -> None:
    assert reader.post(reverse(PAGE), {"q": "doe", "list": model}).status_code == 404


@pytest.mark.acceptance("AD33")
@pytest.mark.parametrize("text", ["", " ", "'\"", "\x00", "a" * 201, "%", "*"])
def test_what_cannot_be_found_is_answered_with_what_was_looked_through(reader: Client, text: str) -> None:
    an_item()
    answer = suggested(reader, text)

    assert "Nothing was found" in answer
    assert "Performed examinations" in answer
    assert reader.post(reverse(PAGE), {"q": text}, follow=True).status_code == 200


@pytest.mark.acceptance("AD33")
def test_what_was_typed_is_shown_as_text(reader: Client) -> None:
    answer = suggested(reader, '"><script>alert(1)</script>')

    assert "<script>" not in answer
    assert "&lt;script&gt;" in answer


@pytest.mark.acceptance("AD32")
def test_suggestions_come_by_post_alone_with_the_page_s_token(charlie: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(charlie)

    assert strict.get(reverse(SUGGESTIONS)).status_code == 405
    assert strict.post(reverse(SUGGESTIONS), {"q": "doe"}).status_code == 403
    assert strict.post(reverse(PAGE), {"q": "doe"}).status_code == 403


@pytest.mark.acceptance("AD30")
def test_every_page_has_the_box(reader: Client) -> None:
    for page in (reverse("admin:index"), reverse(ITEMS), reverse(PAGE)):
        assert 'id="site-search-text"' in shown(reader, page)


@pytest.mark.acceptance("AD34")
def test_a_search_asks_as_often_for_many_as_for_one(alice: User) -> None:
    def asked(numbers: range) -> int:
        for number in numbers:
            item = an_item("Doe^John", f"P{number}", number % 3 - 1)
            source = a_source(f"doe-{number}")
            SyncedStep.objects.create(source=source, record="doe", item=item)
            SyncIssue.objects.create(source=source, record="doe", field="dob", text="It is no date.")
            Attention.objects.create(kind=AttentionKind.WEIGHT, item=item, text="It differs.")
        return queries_of(lambda: search.search("doe", alice))

    few = asked(range(search.MOST))
    assert asked(range(search.MOST, 3 * search.MOST)) == few <= 20


@pytest.mark.acceptance("AD30")
def test_more_than_are_counted_are_found_in_their_order_all_the_same(
    charlie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_COUNTED", 3)
    for days in (-2, 2, 0, 1, -1):
        an_item(f"Doe^Day {days}", f"P{days + 500}", days)
    an_item("Roe^Jane", "Q1")
    (kind,) = search.search("doe", charlie).kinds

    assert [hit.title for hit in kind.hits] == [f"Doe, Day {days}" for days in (0, 1, 2, -1, -2)]
    monkeypatch.setattr(search, "MOST", 2)
    (kind,) = search.search("doe", charlie).kinds
    assert kind.all_of == "All 3+ in the worklist"


@pytest.mark.acceptance("AD199")
def test_no_list_that_names_participants_has_what_is_typed_in_its_address(
    alice: User, rf: RequestFactory
) -> None:
    request = rf.get("/admin/")
    request.user = alice
    searched = {
        model._meta.label_lower: issubclass(its_admin.get_changelist(request), KeptSearchList)
        for model, its_admin in admin.site._registry.items()
        if its_admin.search_fields and model._meta.app_label in ("worklist", "sources", "archives")
    }
    # Their rows are known by scanners, projects and archives, not by participants.
    nobodys = {"worklist.device", "worklist.qarule", "sources.datasource", "archives.archive"}
    assert {name for name, keeps in searched.items() if not keeps} <= nobodys
    assert {"worklist.worklistitem", "worklist.confirmedperson"} <= searched.keys()
