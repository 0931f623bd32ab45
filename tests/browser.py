"""A real Chromium is started here, and a page of it may ask nobody but the tests' own server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.conftest import chromium

if TYPE_CHECKING:
    from accounts.models import User

HOST = "localhost"  # of the live server
expect.set_options(timeout=15_000)  # milliseconds: a page is slow where other tests keep the cores busy
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-sync",
]


@contextmanager
def started() -> Iterator[Browser]:
    # Playwright's event loop runs in the tests' thread, and Django would take their queries for async code.
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        yield browser
        browser.close()


@contextmanager
def watched(context: BrowserContext, url: str) -> Iterator[Page]:
    """Give a new page without cookies; it must have complained of nothing and asked no other host."""
    page = context.new_page()
    page.set_viewport_size({"width": 1300, "height": 900})
    page.set_default_timeout(10_000)
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    context.clear_cookies()
    assert complaints == [], complaints
    elsewhere = [each for each in asked if not each.startswith((url, "data:"))]
    assert asked
    assert elsewhere == [], elsewhere


def sign_in(page: Page, user: User) -> None:
    """Give the page a user's session; how a person gets one is in test_admin_browser.py."""
    client = Client()
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": session.key, "value": session.value, "domain": HOST, "path": "/"}])
