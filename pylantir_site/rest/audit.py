"""Each request to the admin or the API leaves an event: who, when, from where, and which rows it was about.

What was asked for is not kept: a search's words and a filter's values are a participant's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.views import APIView

from accounts.addresses import client_address
from accounts.audit import actors, events, pages
from accounts.models import AuditKind
from pylantir_site.rest.views import known_parameters

LONGEST_PATH = 300
NOT_FOUND = 404


class AuditMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with actors.at_work(request):
            response = self.get_response(request)
        about = _event_of(request, response)
        # Nothing was shown or done where the database was at fault.
        if about is not None and not hasattr(request, "database_fault"):
            events.record(**about)
        return response


def _event_of(request: HttpRequest, response: HttpResponseBase) -> dict[str, Any] | None:
    """Return the event's fields; a sign-in or a sign-out is told as that, whatever page it happened on."""
    noted = events.noted(request)
    about = _call(request, response) if is_audited(request) else None
    if about is None and not noted:
        about = pages.event_of(request, response)
    if about is None and not noted:
        return None
    return {
        "address": client_address(request)[:64],
        "method": str(request.method)[:10],
        **(about or _on_a_page(request, response)),
        **noted,
    }


def is_audited(request: HttpRequest) -> bool:
    """Tell whether it is a request to the API that may show anything of what is kept."""
    view = _endpoint(request)
    is_api = isinstance(view, type) and issubclass(view, APIView)
    return is_api and getattr(view, "audited", True) and request.method != "OPTIONS"


def _call(request: HttpRequest, response: HttpResponseBase) -> dict[str, Any]:
    return {
        "kind": AuditKind.REQUEST,
        "username": request.user.get_username() if request.user.is_authenticated else "",
        "path": _path(request, response.status_code)[:LONGEST_PATH],
        "parameters": _parameters(request),
        "status": response.status_code,
        "rows": getattr(request, "audited", []),
    }


def _on_a_page(request: HttpRequest, response: HttpResponseBase) -> dict[str, Any]:
    return {
        "username": request.user.get_username() if request.user.is_authenticated else "",
        "path": request.resolver_match.view_name if request.resolver_match else "",
        "status": response.status_code,
    }


def _path(request: HttpRequest, status: int) -> str:
    """Return the path, or the route alone where it holds a UID, or where none of our names matched.

    A UID leads to a participant's images, and the row's key says which step it was; what matched nothing may
    be anything.
    """
    route = str(getattr(request.resolver_match, "route", ""))
    hides = "<str:sop_instance_uid>" in route or (status == NOT_FOUND and "<str:" in route)
    return f"/{route}" if hides else request.path


def _parameters(request: HttpRequest) -> list[str]:
    """Return those that the endpoint knows: any other may be anything, such as a participant's name."""
    return sorted(known_parameters(_endpoint(request)) & request.GET.keys())


def _endpoint(request: HttpRequest) -> Any:
    return getattr(getattr(request.resolver_match, "func", None), "cls", None)
