"""The OpenAPI schema is valid, without a warning, and complete."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client


@pytest.fixture
def schema(client: Client) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def operations(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, verb, operation)
        for path, verbs in schema["paths"].items()
        for verb, operation in verbs.items()
    ]


def test_the_schema_is_valid_and_made_without_a_warning(tmp_path: Path) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


def test_every_operation_is_summed_up_and_describes_its_errors(schema: dict[str, Any]) -> None:
    for path, verb, operation in operations(schema):
        where = f"{verb} {path}"
        answers = operation["responses"]
        is_open = not any(operation.get("security", [{}]))
        assert operation["summary"], where
        assert is_open or "401" in answers, where
        assert "{" not in path or "404" in answers, where
        assert verb not in {"post", "put", "patch"} or {"400", "415"} <= answers.keys(), where
        assert (
            verb != "get"
            or "offset" not in str(operation.get("parameters", ""))
            or ("X-Total-Count" in answers["200"]["headers"])
        ), where


def test_only_signing_in_and_health_are_open(schema: dict[str, Any]) -> None:
    open_paths = {
        path for path, _, operation in operations(schema) if not any(operation.get("security", [{}]))
    }

    assert open_paths == {"/auth/login", "/health", "/health/live", "/health/ready"}


@pytest.mark.django_db
def test_who_does_not_sign_in_gets_the_error_that_is_described(
    client: Client, schema: dict[str, Any]
) -> None:
    for path, verb, operation in operations(schema):
        if any(operation.get("security", [{}])):
            answer = client.generic(verb.upper(), re.sub(r"\{\w+\}", "1", path), "{}", "application/json")
            described = operation["responses"]["401"]["content"]["application/json"]["schema"]
            assert answer.status_code == 401, (verb, path)
            assert answer.json().keys() >= {"detail"}, (verb, path)
            assert answer["WWW-Authenticate"].startswith("Bearer"), (verb, path)
            assert described == {"$ref": "#/components/schemas/Error"}, (verb, path)


def test_a_path_is_there_once_without_a_slash_at_its_end(schema: dict[str, Any]) -> None:
    assert not [path for path in schema["paths"] if path.endswith("/")]
    assert "/worklist/{id}" in schema["paths"]
    assert "/sources/{name}/trigger/{secret}" not in schema["paths"]
