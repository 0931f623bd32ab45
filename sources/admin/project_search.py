"""A project's fields and instruments are searched while a person types, for a page cannot list them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET

from sources.mapping import field_search
from sources.models import DataSource, KnownDictionary

LONGEST_TEXT = 200  # characters, of which nobody types as many
# What an input of the page is filled with; project_search.js reads it, and without JavaScript it is typed.
FIELD_SEARCH = {"data-search": "fields", "autocomplete": "off"}
INSTRUMENT_SEARCH = {"data-search": "instruments", "autocomplete": "off"}
LINES = {"fields": "field_lines", "instruments": "instrument_lines"}


def event_names(source: DataSource) -> tuple[str, ...]:
    """Return the project's events, as far as it is known."""
    known = KnownDictionary.objects.filter(source=source).values_list("event_names", flat=True)
    return tuple(known.first() or ())


class ProjectSearchAdmin(admin.ModelAdmin):
    def search_urls(self) -> list[URLPattern]:
        return [
            path(
                f"<int:pk>/{kind}/",
                self.admin_site.admin_view(self._search_in(lines)),
                name=f"sources_datasource_{kind}",
            )
            for kind, lines in LINES.items()
        ]

    def _search_in(self, lines: str) -> Callable[..., HttpResponse]:
        @require_GET
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            source = DataSource.objects.filter(pk=pk).first()
            if not self.has_change_permission(request, source):
                raise PermissionDenied
            if source is None:
                raise Http404
            return JsonResponse(_found(source, lines, request.GET.get("q", "")))

        return view


def _found(source: DataSource, lines: str, text: str) -> dict[str, Any]:
    """Search in a column of the project's lines. No participant's data is in them."""
    kept = KnownDictionary.objects.filter(source=source).values_list(lines, flat=True).first()
    found = field_search.search(kept or "", text[:LONGEST_TEXT])
    entries = [entry._asdict() for entry in found.entries]
    return {"is_known": kept is not None, "found": entries, "has_more": found.has_more}
