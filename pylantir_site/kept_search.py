"""What people search for is a name or an ID, which has no place in an address: their session keeps it.

The address has a key that only this session knows, so that filters, pages and the browser's Back work.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from pylantir_site.quick_lists import QuickDates

SESSION_KEY = "kept_searches"
PREFIX = "kept-"
MOST = 30  # searches of one session, the newest


def keep(request: HttpRequest, text: str) -> str:
    """Keep the text with the session, and return its key; the same text has the same."""
    kept: dict[str, str] = dict(request.session.get(SESSION_KEY, {}))
    key = next((key for key, each in kept.items() if each == text), PREFIX + secrets.token_urlsafe(9))
    kept.pop(key, None)
    request.session[SESSION_KEY] = {**dict(list(kept.items())[-MOST + 1 :]), key: text}
    return key


def text_of(request: HttpRequest, typed: str) -> str | None:
    """Return the text that a key stands for, None where it is kept no more; anything else is its own text."""
    if not typed.startswith(PREFIX):
        return typed
    found: str | None = request.session.get(SESSION_KEY, {}).get(typed)
    return found


class KeptSearchList(QuickDates):
    """A list whose search box sends by POST what is typed; `search_form.html` asks for `keeps_search`."""

    keeps_search = True

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        text = text_of(request, self.query)
        if text is None:
            messages.info(request, _("That search is kept no longer. Please type it again."))
        self.query = text or ""
        return super().get_queryset(request, exclude_parameters)


class KeptSearch:
    """For a ModelAdmin, its list is a `KeptSearchList`."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeptSearchList]:
        return KeptSearchList
