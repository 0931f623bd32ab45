"""These tests hold which pages of other hosts a browser lets ask the API."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from playwright.sync_api import Browser

from pylantir_site.cors import cors_settings
from pylantir_site.overview.checks import origins_are_named

VARIABLES = ("CORS_ALLOWED_ORIGINS", "CORS_ALLOW_CREDENTIALS", "CORS_ALLOW_METHODS", "CORS_ALLOW_HEADERS")
HERE = "http://localhost:3000"
PRODUCTION = {
    "cors_allowed_origins": ["https://radiology.hospital.com", "https://dashboard.hospital.com"],
    "cors_allow_credentials": True,
    "cors_allow_methods": ["GET", "POST", "PUT", "DELETE"],
    "cors_allow_headers": ["Authorization", "Content-Type"],
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def preflight(
    client: Client, origin: str = HERE, path: str = "/worklist", asked: str = "authorization"
) -> Any:
    return client.options(
        path,
        headers={
            "origin": origin,
            "access-control-request-method": "PUT",
            "access-control-request-headers": asked,
        },
    )


def test_the_defaults_are_the_originals() -> None:
    found = cors_settings({})

    assert found["CORS_ALLOWED_ORIGINS"] == ["http://localhost:3000", "http://localhost:8080"]
    assert found["CORS_ALLOW_METHODS"] == ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
    assert found["CORS_ALLOW_HEADERS"] == ["*"]
    assert (found["CORS_ALLOW_CREDENTIALS"], found["CORS_ALLOW_ALL_ORIGINS"]) == (True, False)


def test_the_file_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", "https://a.example, https://b.example")
    monkeypatch.setenv("CORS_ALLOW_CREDENTIALS", "false")

    assert cors_settings({})["CORS_ALLOWED_ORIGINS"] == ["https://a.example", "https://b.example"]
    assert cors_settings({})["CORS_ALLOW_CREDENTIALS"] is False
    from_file = cors_settings({"api": PRODUCTION})
    assert from_file["CORS_ALLOWED_ORIGINS"] == PRODUCTION["cors_allowed_origins"]
    assert from_file["CORS_ALLOW_METHODS"] == PRODUCTION["cors_allow_methods"]
    assert from_file["CORS_ALLOW_HEADERS"] == PRODUCTION["cors_allow_headers"]
    assert from_file["CORS_ALLOW_CREDENTIALS"] is True


def test_every_origin_is_let_in_only_when_asked_for() -> None:
    found = cors_settings({"api": {"cors_allowed_origins": ["*"]}})

    assert (found["CORS_ALLOW_ALL_ORIGINS"], found["CORS_ALLOWED_ORIGINS"]) == (True, [])


@pytest.mark.parametrize(
    ("api", "named"),
    [
        ([1], "api must be an object"),
        ({"cors_allowed_origins": "http://x"}, "api.cors_allowed_origins must be a list"),
        ({"cors_allowed_origins": [5]}, "api.cors_allowed_origins must be a list"),
        ({"cors_allowed_origins": ["localhost:3000"]}, "localhost:3000 must be an origin"),
        ({"cors_allowed_origins": ["http://x/path"]}, "http://x/path must be an origin"),
        ({"cors_allowed_origins": ["http://u@x"]}, "api.cors_allowed_origins: http://u@x must be an origin"),
        ({"cors_allowed_origins": ["http://[x"]}, "must be an origin"),
        ({"cors_allowed_origins": ["http://*.example.org"]}, "must be an origin"),
        ({"cors_allowed_origins": ["null"]}, "null must be an origin"),
        ({"cors_allow_credentials": "yes"}, "api.cors_allow_credentials must be true or false"),
        ({"cors_allow_methods": ["GET POST"]}, "api.cors_allow_methods: GET POST is no name of a method"),
        ({"cors_allow_headers": ["A:B"]}, "api.cors_allow_headers: A:B is no name"),
    ],
)
def test_what_makes_no_sense_stops_the_start_by_name(api: Any, named: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=named):
        cors_settings({"api": api})


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", "dashboard.example.org")

    with pytest.raises(ImproperlyConfigured, match=r"^CORS_ALLOWED_ORIGINS: dashboard\.example\.org must"):
        cors_settings({})


def test_an_origin_is_compared_as_browsers_send_it() -> None:
    found = cors_settings(
        {"api": {"cors_allowed_origins": ["https://Dashboard.Example.org:8443/", "http://[::1]"]}}
    )

    assert found["CORS_ALLOWED_ORIGINS"] == ["https://dashboard.example.org:8443", "http://[::1]"]


def test_a_star_among_the_methods_is_every_method() -> None:
    assert "PATCH" in cors_settings({"api": {"cors_allow_methods": ["*"]}})["CORS_ALLOW_METHODS"]
    assert cors_settings({"api": {"cors_allow_methods": ["get"]}})["CORS_ALLOW_METHODS"] == ["GET"]


def test_a_preflight_names_the_headers_that_were_asked_for(client: Client) -> None:
    answer = preflight(client, asked="authorization, if-match, bad header, x\x7f")

    assert answer["Access-Control-Allow-Origin"] == HERE
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert answer["Access-Control-Allow-Headers"] == "authorization, if-match"
    assert answer["Access-Control-Allow-Methods"] == "GET, POST, PUT, DELETE, OPTIONS"


def test_named_headers_are_all_that_is_allowed(client: Client, settings: LazySettings) -> None:
    settings.CORS_ALLOW_HEADERS = ["Authorization"]

    assert preflight(client, asked="x-other")["Access-Control-Allow-Headers"] == "Authorization"


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://localhost:3001", "https://localhost:3000", "null"]
)
def test_another_origin_is_told_nothing(origin: str, client: Client) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(client, origin=origin)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/"])
def test_the_admin_is_for_no_other_page(path: str, client: Client) -> None:
    assert "Access-Control-Allow-Origin" not in client.get(path, headers={"origin": HERE})


@pytest.mark.django_db
def test_an_answer_shows_its_headers_to_the_page(client: Client) -> None:
    answer = client.get("/worklist", headers={"origin": HERE})

    assert answer.status_code == 401
    assert answer["Access-Control-Allow-Origin"] == HERE
    assert answer["Access-Control-Expose-Headers"] == "ETag, Location, Retry-After, Warning, X-Total-Count"


def test_a_star_among_the_origins_is_warned_of(settings: LazySettings) -> None:
    assert origins_are_named(None) == []
    settings.CORS_ALLOW_ALL_ORIGINS = True
    assert [warning.id for warning in origins_are_named(None)] == ["pylantir.W006"]


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def other_site() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.timeout(120)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("listed", [True, False])
def test_a_browser_lets_a_listed_page_ask_and_no_other(
    listed: bool, other_site: str, browser: Browser, live_server: Any, settings: LazySettings
) -> None:
    settings.CORS_ALLOWED_ORIGINS = [other_site if listed else "http://localhost:3000"]
    ask = """url => fetch(url, {headers: {"Authorization": "Bearer x", "X-Own": "1"}})
        .then(answer => answer.status, error => "kept out")"""
    page = browser.new_page()
    page.goto(other_site)
    told = page.evaluate(ask, f"{live_server.url}/worklist")
    page.close()

    assert told == (401 if listed else "kept out")
