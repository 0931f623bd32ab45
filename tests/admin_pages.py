"""These helpers tell what a page of the admin holds, and what it asks of the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


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
        sent[bound.html_name] = text
        if bound.field.show_hidden_initial:
            sent[bound.html_initial_name] = text
    return sent


def errors_in(response: Any) -> dict[str, list[str]]:
    return dict(response.context["adminform"].form.errors)


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def queries_of(act: Callable[[], object]) -> int:
    """Count them once Django knows its content types, which it asks for once and remembers."""
    ContentType.objects.get_for_models(*apps.get_models())
    with CaptureQueriesContext(connection) as queries:
        act()
    return len(queries)
