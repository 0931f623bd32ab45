"""A person asks for notices on a phone, tries them, and finds the mail: in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from accounts.models import User
from tests.browser import sign_in
from tests.notices.receivers import MailServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.django_db(transaction=True)


def is_wider_than_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.acceptance("AD124")
def test_a_person_asks_for_the_usual_and_tries_it_on_a_phone(
    page: Page, anna: User, mail_server: MailServer
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, anna)
    page.goto("/admin/")
    page.get_by_text("anna", exact=True).click()
    page.get_by_role("link", name="My notices").click()
    page.get_by_role("button", name="Send the usual to anna@example.org").click()
    expect(page.get_by_text("You will hear of the usual. Send a test to see.")).to_be_visible()
    assert not is_wider_than_the_screen(page)

    page.get_by_role("link", name="Daily at 07:00").click()
    expect(page.get_by_label("Digest at")).to_have_value("07:00")
    assert not is_wider_than_the_screen(page)
    page.get_by_role("button", name="Send a test notice").click()
    expect(page.get_by_text("The mail server took the test for anna@example.org")).to_be_visible()

    assert [mail["Subject"] for mail in mail_server.mails] == ["Pylantir: a test notice"]
