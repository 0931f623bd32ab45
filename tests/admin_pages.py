"""These helpers tell what a page of the admin holds, and what it asks of the database."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.forms import BoundField
from django.test import Client
from django.test.utils import CaptureQueriesContext

from worklist.admin import name_fields
from worklist.dicom import name_parts

_BUTTON = re.compile("<button.*?</button>", re.DOTALL)


def shown(client: Client, url: str, **query: str) -> str:
    response = client.get(url, query)
    assert response.status_code == 200
    return str(response.content.decode())


def fields_of(client: Client, url: str) -> dict[str, Any]:
    """Return what the browser would send back if nobody touched the form, hidden first values included."""
    form = client.get(url).context["adminform"].form
    sent: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        text = "" if value is None else str(value)
        sent |= typed_name(bound.html_name, text) if _is_a_name(bound) else {bound.html_name: text}
        if bound.field.show_hidden_initial:
            sent[bound.html_initial_name] = text
    return sent


def typed_name(field: str, name: str) -> dict[str, str]:
    """Return what a browser sends of a name, which has a field for each part."""
    parts = name_parts.split(name)
    assert parts is not None
    return {f"{field}_{suffix}": part for suffix, part in zip(name_fields.SUFFIXES, parts, strict=True)}


def _is_a_name(bound: BoundField) -> bool:
    return isinstance(bound.field, name_fields.PersonNameField)


def errors_in(response: Any) -> dict[str, list[str]]:
    return dict(response.context["adminform"].form.errors)


def said(response: Any) -> list[str]:
    """Return the sentences of the messages, without their buttons."""
    return [html.unescape(_BUTTON.sub("", str(message))).strip() for message in response.context["messages"]]


def undo_token(response: Any) -> str:
    """Return what the button Undo of the only message that has one would send."""
    told = " ".join(map(str, response.context["messages"]))
    (token,) = re.findall(r'name="token" value="([^"]+)"', told)
    return str(token)


def queries_of(act: Callable[[], object]) -> int:
    """Count them once Django knows its content types, which it asks for once and remembers."""
    ContentType.objects.get_for_models(*apps.get_models())
    with CaptureQueriesContext(connection) as queries:
        act()
    return len(queries)
