"""People who cannot be shown a page read what happened and what to do; programs get JSON."""

from __future__ import annotations

import pytest
from django.http import HttpRequest
from django.test import Client

from accounts.models import User
from pylantir_site.overview.admin_site import PylantirAdminSite
from tests.admin_pages import said

TODAY = 'href="/admin/"'


@pytest.mark.acceptance("AD155")
@pytest.mark.parametrize("url", ["/admin/zznot/", "/zznot", "/admin/worklist/zznot/7/change/"])
def test_a_page_that_is_not_there_leads_to_today(url: str, client: Client, charlie: User) -> None:
    client.force_login(charlie)

    answer = client.get(url)

    page = answer.content.decode()
    assert answer.status_code == 404
    assert "This page is not there" in page
    assert 'aria-label="Main"' in page and TODAY in page
    assert "zznot" not in page.partition("<main")[2]


def test_who_is_not_signed_in_is_led_to_the_sign_in(client: Client, db: None) -> None:
    answer = client.get("/nothing")

    assert answer.status_code == 404
    assert 'href="/admin/login/"' in answer.content.decode()
    assert client.get("/admin/nothing/")["Location"] == "/admin/login/?next=/admin/nothing/"


def test_a_program_reads_json_and_no_page(client: Client, db: None) -> None:
    assert client.get("/worklist/7/nothing").json() == {
        "detail": "There is no such endpoint, or no such thing."
    }


@pytest.mark.acceptance("AD155")
def test_who_may_not_reads_who_they_are(client: Client, charlie: User) -> None:
    client.force_login(charlie)

    answer = client.get("/admin/accounts/user/")

    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Your account may not do this" in page
    assert "You are signed in as Charlie (Viewer)." in page
    assert TODAY in page


@pytest.mark.acceptance("AD155")
def test_a_page_that_was_open_too_long_says_so(charlie: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(charlie)

    answer = client.post("/admin/password_change/", {"old_password": "x"})

    page = answer.content.decode()
    assert answer.status_code == 403
    assert "This page was open too long" in page and "was not saved" in page
    assert "CSRF" not in page


@pytest.mark.acceptance("AD155")
def test_a_failure_is_told_without_what_it_was_about(charlie: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(site: PylantirAdminSite, request: HttpRequest) -> None:
        raise RuntimeError("DOE^JOHN")

    monkeypatch.setattr(PylantirAdminSite, "each_context", fail)
    client = Client(raise_request_exception=False)
    client.force_login(charlie)

    answer = client.get("/admin/")

    page = answer.content.decode()
    assert answer.status_code == 500
    assert "Something went wrong" in page and TODAY in page
    assert "DOE" not in page


def test_a_request_for_another_host_is_told(client: Client) -> None:
    answer = client.get("/admin/", HTTP_HOST="elsewhere.example.org")

    assert answer.status_code == 400
    assert "ALLOWED_HOSTS" in answer.content.decode()
    assert client.get("/worklist", HTTP_HOST="elsewhere.example.org").json()["errors"] == {}


def test_pages_of_errors_speak_the_browsers_language(client: Client, charlie: User) -> None:
    client.force_login(charlie)

    assert 'lang="de"' in client.get("/admin/nothing/", HTTP_ACCEPT_LANGUAGE="de").content.decode()


@pytest.mark.acceptance("AD155")
def test_what_is_gone_leads_to_today_with_a_sentence(client: Client, charlie: User) -> None:
    client.force_login(charlie)

    answer = client.get("/admin/worklist/worklistitem/4711/change/", follow=True)

    assert answer.redirect_chain == [("/admin/", 302)]
    [sentence] = said(answer)
    assert "4711" in sentence and "deleted" in sentence
