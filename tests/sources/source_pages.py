"""A source's page in the admin is filled in and saved here, as a browser does."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from django.template.response import TemplateResponse
from django.test import Client
from django.urls import reverse

from sources.models import DataSource


def page_of(source: DataSource) -> str:
    return reverse("admin:sources_datasource_change", args=[source.pk])


def filled_in(client: Client, url: str) -> dict[str, str]:
    """Return what a browser would send back if nobody touched the form or the rows, which are not drawn."""
    with patch.object(TemplateResponse, "rendered_content", ""):
        context = client.get(url).context_data or {}
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    return {bound.html_name: _sent(bound) for form in forms for bound in form if _is_sent(bound)}


def _is_sent(bound: Any) -> bool:
    return bound.value() is not None and bound.value() is not False


def _sent(bound: Any) -> str:
    value = bound.value()
    return "on" if value is True else str(value).replace("\n", "\r\n")


def save(client: Client, source: DataSource, **changed: str) -> Any:
    """Post the page of the source; rows are named rules__3__field."""
    given = {name.replace("__", "-"): value for name, value in changed.items()}
    response = client.post(page_of(source), {**filled_in(client, page_of(source)), **given}, follow=True)
    source.refresh_from_db()
    return response
