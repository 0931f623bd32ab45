"""What is kept of a page of the admin is its name and the keys of what it showed, never a value."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.models import AuditEvent, AuditKind

LIVE = "X-Live-Part"  # of what a page asks by itself
SHOWN_FOR = timedelta(hours=24)  # a page that is left open has its one event for so long
# They show nothing that is kept, or are told by sign-ins and sign-outs.
UNTOLD = frozenset({"admin:login", "admin:logout", "admin:jsi18n", "admin:password_change_done"})
NOT_MODIFIED = 304


def show(request: HttpRequest, rows: Iterable[int], *, detail: str = "") -> None:
    """Name by their keys the rows that a page shows, where its address or its list does not name them."""
    request.audited = list(rows)  # type: ignore[attr-defined]
    request.audited_detail = detail  # type: ignore[attr-defined]


def event_of(request: HttpRequest, response: HttpResponseBase) -> dict[str, Any] | None:
    """Return the fields of the event, or None where a page shows nothing."""
    name = _page(request)
    if not name or not request.user.is_authenticated or _shows_nothing(request, response):
        return None
    rows = _rows(request, response)
    about = {
        "username": request.user.get_username(),
        "path": name,
        "status": response.status_code,
        "rows": rows,
        "detail": getattr(request, "audited_detail", ""),
    }
    if LIVE in request.headers and _was_shown(about):
        return None
    return {"kind": _kind(response), **about}


def _page(request: HttpRequest) -> str:
    match = request.resolver_match
    if match is None or "admin" not in match.app_names or match.view_name in UNTOLD:
        return ""
    return match.view_name or ""


def _shows_nothing(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Tell of a page that leads elsewhere or has not changed; what was sent was done, wherever it leads."""
    status = response.status_code
    return status == NOT_MODIFIED or (request.method in ("GET", "HEAD") and 300 <= status < 400)


def _kind(response: HttpResponseBase) -> str:
    is_file = str(response.get("Content-Disposition", "")).startswith("attachment")
    return AuditKind.DOWNLOAD if is_file else AuditKind.PAGE


def _rows(request: HttpRequest, response: HttpResponseBase) -> list[int]:
    audited = getattr(request, "audited", None)
    if audited is not None:
        return list(audited)
    match = request.resolver_match
    named = [str(value) for value in match.kwargs.values()] if match else []
    if keys := [int(text) for text in named if text.isascii() and text.isdigit() and len(text) < 19]:
        return keys
    changelist = (getattr(response, "context_data", None) or {}).get("cl")
    return [row.pk for row in getattr(changelist, "result_list", ()) if isinstance(row.pk, int)]


def _was_shown(about: dict[str, Any]) -> bool:
    """Tell whether the page's last event names all that the refreshed part shows."""
    last = (
        AuditEvent.objects.filter(
            username=about["username"],
            kind=AuditKind.PAGE,
            path=about["path"],
            at__gt=timezone.now() - SHOWN_FOR,
        )
        .values_list("rows", flat=True)
        .first()
    )
    return last is not None and set(about["rows"]) <= set(last)
