"""/docs and /redoc in a real browser that can reach nobody but this server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from accounts.models import User
from accounts.tokens import access_token
from tests.conftest import chromium

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, live_server: Any) -> Iterator[Page]:
    page = browser.new_page(base_url=live_server.url, viewport={"width": 1300, "height": 900})
    page.set_default_timeout(20_000)
    elsewhere: list[str] = []
    complaints: list[str] = []

    def only_here(route: Route) -> None:
        if route.request.url.startswith((live_server.url, "data:", "blob:")):
            route.continue_()
        else:
            elsewhere.append(route.request.url)
            route.abort()

    page.route("**/*", only_here)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert elsewhere == []
    assert complaints == []


def test_the_page_shows_every_endpoint_and_tries_one(page: Page, bob: User) -> None:
    page.goto("/docs")
    expect(page.get_by_text("/performed-steps/{sop_instance_uid}")).to_be_visible()

    page.get_by_role("button", name="Authorize").click()
    page.locator(".auth-container input").fill(access_token(bob))
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").click()
    page.locator("#operations-auth-auth_me_retrieve").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()

    expect(page.locator(".live-responses-table").get_by_text('"bob"').first).to_be_visible()


def test_the_other_page_shows_the_endpoints_too(page: Page) -> None:
    page.goto("/redoc")

    expect(page.get_by_role("heading", name="Pylantir API")).to_be_visible()
    expect(page.get_by_role("heading", name="Resolve a point of attention").first).to_be_visible()
