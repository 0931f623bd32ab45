"""A table writes out who may do what by REST, by role, endpoint and verb.

`+` is let in (whatever is then said of the request), 401 and 403 are refused, 405 is no verb of the endpoint.
A route that is not in the table fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient
from rest_framework.views import APIView

from accounts.models import User
from tests.api_client import client_of

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# The verbs for each of nobody, read, write and admin.
ANYONE, SIGNED_IN, WRITERS, ADMINS = "+ + + +", "401 + + +", "401 403 + +", "401 403 403 +"
NONE = "401 405 405 405"  # who does not sign in is not told which verbs there are
PUBLIC_NONE = "405 405 405 405"

# fmt: off
TABLE = {
    #                                       GET        POST         PUT          PATCH        DELETE
    "auth/login":                          (PUBLIC_NONE, ANYONE,    PUBLIC_NONE, PUBLIC_NONE, PUBLIC_NONE),
    "auth/me":                             (SIGNED_IN, NONE,        NONE,        NONE,        NONE),
    "auth/password":                       (NONE,      SIGNED_IN,   NONE,        NONE,        NONE),
    "users":                               (ADMINS,    ADMINS,      NONE,        NONE,        NONE),
    "users/<int:pk>":                      (ADMINS,    NONE,        ADMINS,      ADMINS,      ADMINS),
    "worklist":                            (SIGNED_IN, WRITERS,     NONE,        NONE,        NONE),
    "worklist/<int:pk>":                   (SIGNED_IN, NONE,        WRITERS,     WRITERS,     WRITERS),
    "worklist/<int:pk>/history":           (SIGNED_IN, NONE,        NONE,        NONE,        NONE),
    "worklist/<int:pk>/performed":         (NONE,      WRITERS,     NONE,        NONE,        WRITERS),
    "worklist/<int:pk>/did-not-come":      (NONE,      WRITERS,     NONE,        NONE,        NONE),
    "worklist/<int:pk>/devices":           (SIGNED_IN, NONE,        NONE,        NONE,        NONE),
    "devices":                             (SIGNED_IN, NONE,        NONE,        NONE,        NONE),
    "devices/<str:ae_title>/activity":     (SIGNED_IN, NONE,        NONE,        NONE,        NONE),
    "devices/<str:ae_title>/worklist":     (SIGNED_IN, NONE,        NONE,        NONE,        NONE),
    "performed-steps":                     (SIGNED_IN, NONE,        NONE,        NONE,        NONE),
    "performed-steps/<str:sop_instance_uid>": (SIGNED_IN, NONE,     NONE,        NONE,        NONE),
    "archived-studies":                    (SIGNED_IN, NONE,        NONE,        NONE,        NONE),
    "archive-checks":                      (SIGNED_IN, NONE,        NONE,        NONE,        NONE),
    "attention":                           (SIGNED_IN, NONE,        NONE,        NONE,        NONE),
    "attention/<int:pk>":                  (SIGNED_IN, NONE,        WRITERS,     WRITERS,     NONE),
    "dicomweb/modality-scheduled-procedure-steps": (SIGNED_IN, NONE, NONE,       NONE,        NONE),
    "dicomweb/modality-performed-procedure-steps": (NONE, WRITERS,   NONE,       NONE,        NONE),
    "dicomweb/modality-performed-procedure-steps/<str:sop_instance_uid>":
                                           (SIGNED_IN, WRITERS,     NONE,        NONE,        NONE),
    "dicomweb/devices/<str:ae_title>/modality-scheduled-procedure-steps":
                                           (SIGNED_IN, NONE,        NONE,        NONE,        NONE),
    "dicomweb/devices/<str:ae_title>/modality-performed-procedure-steps":
                                           (NONE,      WRITERS,     NONE,        NONE,        NONE),
    "dicomweb/devices/<str:ae_title>/modality-performed-procedure-steps/<str:sop_instance_uid>":
                                           (SIGNED_IN, WRITERS,     NONE,        NONE,        NONE),
    "sources":                             (SIGNED_IN, ADMINS,      NONE,        NONE,        NONE),
    "sources/<str:name>":                  (SIGNED_IN, NONE,        NONE,        NONE,        NONE),
    "sources/<str:name>/sync":             (NONE,      WRITERS,     NONE,        NONE,        NONE),
    "sources/<str:name>/runs":             (SIGNED_IN, NONE,        NONE,        NONE,        NONE),
    "sources/<str:name>/issues":           (SIGNED_IN, NONE,        NONE,        NONE,        NONE),
    "archives":                            (SIGNED_IN, NONE,        NONE,        NONE,        NONE),
    "health":                              (ANYONE,    PUBLIC_NONE, PUBLIC_NONE, PUBLIC_NONE, PUBLIC_NONE),
    "health/live":                         (ANYONE,    PUBLIC_NONE, PUBLIC_NONE, PUBLIC_NONE, PUBLIC_NONE),
    "health/ready":                        (ANYONE,    PUBLIC_NONE, PUBLIC_NONE, PUBLIC_NONE, PUBLIC_NONE),
    "openapi.json":                        (ANYONE,    PUBLIC_NONE, PUBLIC_NONE, PUBLIC_NONE, PUBLIC_NONE),
    "docs":                                (ANYONE,    PUBLIC_NONE, PUBLIC_NONE, PUBLIC_NONE, PUBLIC_NONE),
    "redoc":                               (ANYONE,    PUBLIC_NONE, PUBLIC_NONE, PUBLIC_NONE, PUBLIC_NONE),
}
# fmt: on
# An endpoint's own answer to an empty login.
SAID_OF_THE_REQUEST = {400, 200, 201, 202, 204, 404, 409, 415, 503}


def routes(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """Yield the paths of the API, without the twins that forgive a slash."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and is_api(pattern) and not path.endswith("/"):
            yield path


def is_api(pattern: URLPattern) -> bool:
    view = getattr(pattern.callback, "cls", None)
    return isinstance(view, type) and issubclass(view, APIView)


def test_every_route_is_in_the_table() -> None:
    assert sorted(routes(get_resolver().url_patterns)) == sorted(TABLE)


def url_of(path: str) -> str:
    for parameter, value in (("<int:pk>", "999"), ("<str:sop_instance_uid>", "1.2"), ("<str:name>", "x")):
        path = path.replace(parameter, value)
    return f"/{path}"


@pytest.mark.parametrize("path", TABLE)
def test_asking_for_the_options_breaks_nothing(path: str, alice: User) -> None:
    assert client_of(alice).options(url_of(path)).status_code in {200, 404, 405}


@pytest.mark.acceptance("D146")
@pytest.mark.django_db
@pytest.mark.parametrize("path", TABLE)
def test_a_role_may_what_the_table_says(path: str, request: pytest.FixtureRequest) -> None:
    url = url_of(path)
    clients = [APIClient()]
    for name in ("charlie", "bob", "alice"):
        user: User = request.getfixturevalue(name)
        clients.append(client_of(user))

    found = []
    for verb in VERBS:
        codes = [
            client.generic(verb, url, "", content_type="application/json").status_code for client in clients
        ]
        found.append(" ".join("+" if code in SAID_OF_THE_REQUEST else str(code) for code in codes))

    assert tuple(found) == TABLE[path]
