"""/docs and /redoc are opened in a real browser that can reach nobody but this server."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from accounts.tokens import access_token

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


@pytest.fixture
def shut_off(page: Page, live_server: Any) -> Page:
    """Return a page whose browser reaches this server alone; `page` holds that it asked nobody else."""

    def only_here(route: Route) -> None:
        own = route.request.url.startswith((live_server.url, "data:", "blob:"))
        route.continue_() if own else route.abort()

    page.route("**/*", only_here)
    page.set_default_timeout(20_000)
    return page


def test_the_page_shows_every_endpoint_and_tries_one(shut_off: Page, bob: User) -> None:
    shut_off.goto("/docs")
    expect(shut_off.get_by_text("/performed-steps/{sop_instance_uid}")).to_be_visible()

    shut_off.get_by_role("button", name="Authorize").click()
    shut_off.locator(".auth-container input").fill(access_token(bob))
    shut_off.get_by_role("button", name="Apply credentials").click()
    shut_off.get_by_role("button", name="Close").click()
    shut_off.locator("#operations-auth-auth_me_retrieve").click()
    shut_off.get_by_role("button", name="Try it out").click()
    shut_off.get_by_role("button", name="Execute").click()

    expect(shut_off.locator(".live-responses-table").get_by_text('"bob"').first).to_be_visible()


def test_the_other_page_shows_the_endpoints_too(shut_off: Page) -> None:
    shut_off.goto("/redoc")

    expect(shut_off.get_by_role("heading", name="Pylantir API")).to_be_visible()
    expect(shut_off.get_by_role("heading", name="Resolve a point of attention").first).to_be_visible()
