"""JSON, CORS and shortened logs follow from the API's routes, below each of them and for no page."""

from __future__ import annotations

import logging

import pytest
from django.test import Client

from pylantir_site.rest.routes import api_roots, is_api, without_what_was_typed

TYPED = "DOE^JOHN"
ORIGIN = "http://localhost:3000"
ROOTS = (
    *("auth", "users", "worklist", "devices", "performed-steps", "attention", "dicomweb", "sources"),
    *("archives", "archived-studies", "archive-checks", "health"),
)


def test_every_endpoint_has_its_root_and_no_page_has() -> None:
    assert set(api_roots()) == {*ROOTS, "openapi.json"}
    assert not any(is_api(path) for path in ("/", "/admin/", "/docs", "/redoc", "/static/x.js", "/worklists"))


@pytest.mark.django_db
@pytest.mark.parametrize("root", api_roots())
class TestBelowEachRoot:
    def test_nothing_there_is_told_in_json(self, client: Client, root: str) -> None:
        answer = client.get(f"/{root}/no/such/thing/here")

        assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")

    def test_a_browser_may_be_let_in(self, client: Client, root: str) -> None:
        answer = client.get(f"/{root}", headers={"origin": ORIGIN})

        assert answer["Access-Control-Allow-Origin"] == ORIGIN

    def test_what_was_typed_is_not_logged(
        self, client: Client, root: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            for path in (f"/{root}/{TYPED}", f"/{root}/{TYPED}/runs", f"/{root}/7/{TYPED}/x/{TYPED}"):
                client.get(path)

        assert TYPED not in caplog.text


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/worklist/DOE^JOHN", "/worklist/…"),
        ("/worklist/7/history/", "/worklist/…/history/"),
        ("/devices/DOE^JOHN/activity", "/devices/…/activity"),
        ("/devices/MR1/DOE^JOHN", "/devices/…/…"),
        ("/sources/study/trigger/a-secret", "/sources/…/trigger/…"),
        ("/health/live", "/health/live"),
        ("/health/ready", "/health/ready"),
        ("/auth/login", "/auth/login"),
        ("/admin/worklist/worklistitem/7/", "/admin/worklist/worklistitem/7/"),
        ("Not Found", "Not Found"),
    ],
)
def test_only_words_of_the_routes_are_shown(path: str, expected: str) -> None:
    assert without_what_was_typed(path) == expected


@pytest.mark.django_db
def test_the_schema_has_a_tag_for_each_root(client: Client) -> None:
    tags = [tag["name"] for tag in client.get("/openapi.json").json()["tags"]]

    assert tags == [root.replace("-", " ") for root in ROOTS]
