"""JSON with two meanings, or more than anything can keep, is refused at every door that reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from pylantir_site.environment import config_file
from pylantir_site.outside import strict_json
from pylantir_site.outside.strict_json import DEEPEST, JsonRefused, Most
from sources import triggers
from tests.api_client import client_of
from tests.sources import making
from worklist.admin.json_fields import StrictJSONField

TWICE = '{"a": 1, "b": {"patient_id": "P1", "patient_id": "P2"}}'
REFUSED = [
    pytest.param(TWICE, '"patient_id" twice', id="H112, a name twice"),
    pytest.param('{"a": 1, "\\u0061": 2}', '"a" twice', id="H112, the same name written otherwise"),
    pytest.param('{"a": NaN}', "NaN", id="H113, no number"),
    pytest.param('{"a": -Infinity}', "-Infinity", id="H113, infinity"),
    pytest.param('{"a": 1e999}', "too large", id="H113, what becomes infinity"),
    pytest.param('{"a": ' + "9" * 5000 + "}", "too large", id="H113, thousands of digits"),
    pytest.param("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "nested too deeply", id="H113, a level too deep"),
    pytest.param('{"a":' * 60_000 + "1" + "}" * 60_000, "nested too deeply", id="H113, far too deep"),
    pytest.param("[1,]", "It is not JSON", id="H113, no JSON"),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**300), 10**300) | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
).filter(lambda value: "Infinity" not in json.dumps(value))


@pytest.mark.parametrize(("text", "told"), REFUSED)
def test_what_means_two_things_or_nothing_is_refused(text: str, told: str) -> None:
    with pytest.raises(JsonRefused, match=told):
        strict_json.loads(text)


@given(VALUES)
def test_all_else_is_read_as_python_reads_it(value: object) -> None:
    assert strict_json.loads(json.dumps(value)) == value
    assert strict_json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")) == value


def test_as_deep_as_is_allowed_is_read() -> None:
    assert strict_json.loads("[" * DEEPEST + "]" * DEEPEST)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[{},{},{},{}]", "3 objects"),
        ('{"a":1,"b":2,"c":3}', "2 names"),
        ("[[],[],[],[]]", "3 lists"),
        ("[1,1,1,1,1,1,1]", "5 values"),
    ],
)
def test_what_would_fill_the_memory_is_refused_where_bounds_are_given(text: str, told: str) -> None:
    with pytest.raises(JsonRefused, match=told):
        strict_json.loads(text, most=Most(objects=3, names=2, values=5))


# The doors


@pytest.mark.acceptance("H112", "H113")
@pytest.mark.django_db
@pytest.mark.parametrize(("text", "told"), REFUSED)
def test_a_body_of_the_api_is_refused(bob: User, text: str, told: str) -> None:
    response = client_of(bob).generic("POST", "/worklist", text, content_type="application/json")

    assert response.status_code == 400
    assert told in response.json()["detail"]


@pytest.mark.acceptance("H112")
@pytest.mark.parametrize(("text", "told"), REFUSED)
def test_a_configuration_file_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)

    with pytest.raises(ImproperlyConfigured, match=told):
        config_file.read(str(path))


@pytest.mark.acceptance("H112")
@pytest.mark.parametrize(("text", "told"), REFUSED)
def test_typed_json_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        StrictJSONField().clean(text)


@pytest.mark.acceptance("H112")
@pytest.mark.parametrize("text", [parameter.values[0] for parameter in REFUSED])
def test_a_trigger_is_refused(text: str) -> None:
    with pytest.raises(triggers.NotATrigger):
        triggers.record_of(
            str(text).encode(), content_type="application/json", source=making.unsaved(project_id=1)
        )


@pytest.mark.acceptance("H113")
@pytest.mark.django_db
def test_a_body_is_no_larger_than_any_other(bob: User, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = json.dumps({"patient_comments": "x" * 1000})

    response = client_of(bob).generic("POST", "/worklist", body, content_type="application/json")

    assert response.status_code == 413
