"""Requests made from the schema never break the server, and get no answer but what the schema promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from pytest_django import DjangoDbBlocker
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.models import User
from accounts.tokens import access_token
from tests.effort import tries
from tests.worklist.reported import open_point
from worklist.models import AttentionKind

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.timeout(900)]
EXAMPLES = tries(3, nightly=60)
PATHS = SchemaGenerator().get_schema(public=True)["paths"]  # type: ignore[no-untyped-call]
# What has neither a body nor a parameter cannot be asked wrongly.
OPERATIONS = [
    (path, verb, mode)
    for path, verbs in PATHS.items()
    for verb, operation in verbs.items()
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode is GenerationMode.POSITIVE or operation.keys() & {"parameters", "requestBody"}
]
PROMISES = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Keep the connection, for a test's transaction outlives its requests."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def schema(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Any:
    """Read once: it is searched for constants, as is the code that serves it."""
    with django_db_blocker.unblock():
        return schemathesis.openapi.from_wsgi("/openapi.json", WSGIHandler())


@pytest.fixture
def rows() -> None:
    """Make something to be found, an item and a step among them."""
    open_point(AttentionKind.IDENTITY)


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(("path", "verb", "mode"), OPERATIONS)
def test_every_answer_is_one_that_the_schema_promises(
    path: str, verb: str, mode: GenerationMode, schema: Any, alice: User
) -> None:
    header = {"Authorization": f"Bearer {access_token(alice)}"}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema[path][verb].as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(headers=header, checks=PROMISES)

    ask()
