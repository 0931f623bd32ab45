"""Whoever looks at a page, signs in or changes an account leaves an event, and nothing that was typed."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import users
from accounts.models import AuditEvent, AuditKind, User
from tests.conftest import PASSWORD
from tests.sources import making
from tests.worklist.reported import an_item as any_item
from worklist.models import WorklistItem

SECRET = "Mustermann"
LIVE = {"X-Live-Part": "1"}


@pytest.fixture
def browser(bob: User) -> Client:
    AuditEvent.objects.all().delete()
    client = Client(REMOTE_ADDR="10.0.0.9")
    client.force_login(bob)
    return client


def an_item(**fields: Any) -> WorklistItem:
    return any_item(scheduled_start_date=timezone.localdate(), **fields)


def told() -> list[tuple[str, str, str, list[int]]]:
    """Return kind, user, page and rows of all events; none of them names a participant."""
    events = list(AuditEvent.objects.order_by("pk"))
    assert SECRET not in str([vars(event) for event in events])
    return [(event.kind, event.username, event.path, event.rows) for event in events]


def kinds(**about: str) -> list[tuple[str, str, str, str]]:
    found = AuditEvent.objects.filter(**about).order_by("pk")
    return list(found.values_list("kind", "username", "subject", "detail"))


@pytest.mark.acceptance("H80")
def test_a_page_that_is_viewed_is_told_by_name_and_key(browser: Client) -> None:
    item = an_item(patient_id=SECRET)

    browser.get(reverse("admin:worklist_worklistitem_change", args=[item.pk]), {"note": SECRET})

    assert told() == [("PAGE", "bob", "admin:worklist_worklistitem_change", [item.pk])]
    event = AuditEvent.objects.get()
    assert (event.address, event.method, event.status, event.parameters) == ("10.0.0.9", "GET", 200, [])


@pytest.mark.acceptance("H80")
@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("/admin/", "admin:index"),
        ("/admin/worklist/worklistitem/", "admin:worklist_worklistitem_changelist"),
        ("/admin/day/{day}/sheet/", "admin:worklist_day_sheet"),
        ("/admin/?week=", "admin:index"),
    ],
)
def test_a_list_of_people_is_told_with_the_keys_of_all_that_it_shows(
    page: str, name: str, browser: Client
) -> None:
    items = [an_item(patient_name=f"{SECRET}^A{number}", patient_id=f"P{number}") for number in range(2)]

    assert browser.get(page.format(day=items[0].scheduled_start_date)).status_code == 200

    ((kind, _user, path, rows),) = told()
    assert (kind, path, sorted(rows)) == ("PAGE", name, sorted(item.pk for item in items))


@pytest.mark.acceptance("H80")
def test_what_is_searched_for_is_told_without_what_was_typed(browser: Client) -> None:
    item = an_item(patient_name=f"{SECRET}^A")

    found = browser.post(reverse("admin:search"), {"q": SECRET}, follow=True)
    browser.post(reverse("admin:search_suggestions"), {"q": SECRET})

    assert SECRET in found.content.decode()
    assert [(path, rows) for _kind, _user, path, rows in told()] == [
        ("admin:search", []),  # was sent, and led to the page that shows it
        ("admin:search", [item.pk]),
        ("admin:search_suggestions", [item.pk]),
    ]


@pytest.mark.acceptance("H80")
def test_a_list_that_is_downloaded_is_told_as_that(browser: Client) -> None:
    item = an_item(patient_id=SECRET)

    answer = browser.get(reverse("admin:csv", args=["worklist", "worklistitem"]))
    assert SECRET.encode() in b"".join(answer.streaming_content)  # type: ignore[attr-defined]

    ((kind, user, path, rows),) = told()
    assert (kind, user, path, rows) == ("DOWNLOAD", "bob", "admin:csv", [item.pk])
    assert AuditEvent.objects.get().detail == "worklist.worklistitem, 1 rows"


@pytest.mark.acceptance("H80")
def test_what_is_refused_or_not_there_is_told_without_what_was_asked_for(
    browser: Client, charlie: User
) -> None:
    item = an_item()
    AuditEvent.objects.all().delete()
    browser.get(f"/admin/worklist/worklistitem/{SECRET}/change/")
    browser.force_login(charlie)
    browser.post(f"/admin/worklist/worklistitem/{item.pk}/delete/", {"post": "yes"})
    browser.get(f"/admin/{SECRET}/")

    assert ("PAGE", "charlie", "admin:worklist_worklistitem_delete", [item.pk]) in told()
    assert AuditEvent.objects.get(username="charlie", rows=[item.pk]).status == 403


@pytest.mark.acceptance("H80")
def test_what_shows_nothing_to_nobody_is_no_event(browser: Client) -> None:
    Client().get("/admin/")
    Client().get("/admin/login/")
    browser.get("/admin/jsi18n/")

    assert told() == []


@pytest.mark.usefixtures("held_clock")
@pytest.mark.acceptance("H82")
def test_a_page_that_refreshes_itself_is_told_once_unless_it_shows_somebody_new(browser: Client) -> None:
    first = an_item(patient_id="P1")
    browser.get("/admin/")
    tag = browser.get("/admin/", headers=LIVE)["ETag"]
    assert browser.get("/admin/", headers={**LIVE, "If-None-Match": tag}).status_code == 304
    WorklistItem.objects.update(patient_id="P1b")
    browser.get("/admin/", headers=LIVE)
    assert [rows for *_rest, rows in told()] == [[first.pk]]

    second = an_item(patient_id="P2")
    browser.get("/admin/", headers={**LIVE, "If-None-Match": tag})
    browser.get("/admin/", headers=LIVE)

    assert [sorted(rows) for *_rest, rows in told()] == [[first.pk], [first.pk, second.pk]]


@pytest.mark.acceptance("H82")
def test_who_only_pretends_to_refresh_is_told(browser: Client) -> None:
    item = an_item()

    browser.get("/admin/", headers=LIVE)

    assert [rows for *_rest, rows in told()] == [[item.pk]]


@pytest.mark.acceptance("H82")
def test_a_pull_that_is_followed_on_its_page_is_told_once(browser: Client) -> None:
    source = making.stored(name="study")
    page = reverse("admin:sources_datasource_progress", args=[source.pk])

    for _ in range(3):
        assert browser.get(page, headers=LIVE).status_code == 200

    assert told() == [("PAGE", "bob", "admin:sources_datasource_progress", [source.pk])]


@pytest.mark.acceptance("H81")
def test_a_sign_in_and_a_sign_out_are_told(bob: User, client: Client) -> None:
    client.post("/admin/login/?next=/admin/", {"username": "bob", "password": PASSWORD})
    client.post("/admin/logout/")
    client.post("/auth/login", {"username": "bob", "password": PASSWORD}, content_type="application/json")

    assert kinds(username="bob") == [
        ("SIGN_IN", "bob", "", ""),
        ("SIGN_OUT", "bob", "", ""),
        ("SIGN_IN", "bob", "", ""),
    ]


@pytest.mark.acceptance("H81")
@pytest.mark.parametrize("page", ["/admin/login/", "/auth/login"])
def test_a_failure_names_an_account_and_never_what_else_was_typed(
    page: str, bob: User, client: Client, settings: LazySettings
) -> None:
    settings.SIGN_IN_FAILURES_PER_USER = 1
    AuditEvent.objects.all().delete()
    how: dict[str, Any] = {"content_type": "application/json"} if page == "/auth/login" else {}
    for name in ("bob", "bob", SECRET):
        client.post(page, {"username": name, "password": SECRET}, **how)

    assert [kind for kind, *_rest in told()] == ["SIGN_IN_FAILED", "HELD_UP", "SIGN_IN_FAILED"]
    assert [(user, subject) for _kind, user, subject, _detail in kinds()] == [
        ("", "bob"),
        ("", "bob"),
        ("", ""),
    ]


@pytest.mark.acceptance("H81")
def test_who_is_signed_out_for_being_away_is_told(browser: Client, settings: LazySettings) -> None:
    session = browser.session
    session["used_at"] = 1
    session.save()

    browser.get("/admin/")

    assert kinds() == [("SIGN_OUT", "bob", "", "")]


@pytest.mark.acceptance("H81")
def test_changes_of_an_account_are_told_with_who_made_them(alice: User, bob: User) -> None:
    browser = Client()
    browser.force_login(alice)
    AuditEvent.objects.all().delete()
    page = reverse("admin:accounts_user_change", args=[bob.pk])
    form = {"username": "bob", "full_name": "Bob", "email": "", "role": "read"}
    assert browser.post(page, form).status_code == 302

    assert kinds(subject="bob") == [
        ("ROLE", "alice", "bob", "write → read"),
        ("ACCOUNT_CLOSED", "alice", "bob", ""),
    ]


@pytest.mark.acceptance("H81")
def test_a_command_and_the_api_leave_the_same_events(bob: User) -> None:
    AuditEvent.objects.all().delete()
    users.change(bob, {"password": "another horse battery", "role": "admin"})
    dora = users.create(username="dora", password=PASSWORD, role="read")
    users.delete(dora)
    users.change(bob, {"full_name": "Robert"})
    bob.refresh_from_db()
    bob.last_login = bob.date_joined
    bob.save(update_fields=["last_login"])

    assert kinds() == [
        ("ROLE", "", "bob", "write → admin"),
        ("PASSWORD", "", "bob", ""),
        ("ACCOUNT_MADE", "", "dora", "read"),
        ("ACCOUNT_DELETED", "", "dora", ""),
    ]


@pytest.mark.acceptance("H81")
def test_a_password_that_is_only_hashed_anew_is_no_change(bob: User, settings: LazySettings) -> None:
    AuditEvent.objects.all().delete()
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    before = bob.password

    assert bob.check_password(PASSWORD)

    bob.refresh_from_db()
    assert bob.password != before
    assert kinds(kind=AuditKind.PASSWORD) == []


@pytest.mark.acceptance("H97")
def test_an_items_page_leads_administrators_to_who_has_looked(browser: Client, alice: User) -> None:
    item, other = an_item(), an_item(patient_id="P2")
    page = reverse("admin:worklist_worklistitem_change", args=[item.pk])
    assert "Who has looked" not in browser.get(page).content.decode()
    browser.get(reverse("admin:worklist_worklistitem_change", args=[other.pk]))
    browser.get("/admin/")
    administrator = Client()
    administrator.force_login(alice)
    assert f"?row={item.pk}" in administrator.get(page).content.decode()

    shown = administrator.get(reverse("admin:accounts_auditevent_changelist"), {"row": str(item.pk)})

    told = [(event.username, event.path) for event in shown.context["cl"].result_list]
    assert told == [
        ("alice", "admin:worklist_worklistitem_change"),
        ("bob", "admin:index"),
        ("bob", "admin:worklist_worklistitem_change"),
    ]


@pytest.mark.acceptance("H97")
@pytest.mark.parametrize("row", ["x", "-1", "1 OR 1", "9" * 30])
def test_a_row_that_can_be_none_filters_nothing(row: str, alice: User, client: Client) -> None:
    client.force_login(alice)

    assert client.get(reverse("admin:accounts_auditevent_changelist"), {"row": row}).status_code == 200
