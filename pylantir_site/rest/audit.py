"""The API's audit trail keeps who asked what, when and from where, and which rows it was about.

What was asked for is not kept: a search's words and a filter's values are a participant's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.db import Error
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.views import APIView

from accounts.addresses import client_address
from accounts.models import ApiRequest
from pylantir_site.rest.views import known_parameters

log = logging.getLogger(__name__)

LONGEST_PATH = 300
NOT_FOUND = 404


class AuditMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if is_audited(request):
            try:
                write_request(request, response.status_code)
            except Error as error:  # what was asked for is done; it must not look undone
                log.error(
                    "An API request could not be written into the audit trail: %s", type(error).__name__
                )
        return response


def is_audited(request: HttpRequest) -> bool:
    """Tell whether it is a request to the API that may show anything of what is kept."""
    view = _endpoint(request)
    is_api = isinstance(view, type) and issubclass(view, APIView)
    return is_api and getattr(view, "audited", True) and request.method != "OPTIONS"


def write_request(request: HttpRequest, status: int) -> None:
    ApiRequest.objects.create(
        username=_username(request),
        address=client_address(request)[:64],
        method=str(request.method)[:10],
        path=_path(request, status)[:LONGEST_PATH],
        parameters=_parameters(request),
        status=status,
        rows=getattr(request, "audited", []),
    )


def _path(request: HttpRequest, status: int) -> str:
    """Return the path, or the route alone where none of our names matched: then it may hold anything."""
    route = str(getattr(request.resolver_match, "route", ""))
    return f"/{route}" if status == NOT_FOUND and "<str:" in route else request.path


def _parameters(request: HttpRequest) -> list[str]:
    """Return those that the endpoint knows: any other may be anything, such as a participant's name."""
    return sorted(known_parameters(_endpoint(request)) & request.GET.keys())


def _endpoint(request: HttpRequest) -> Any:
    return getattr(getattr(request.resolver_match, "func", None), "cls", None)


def _username(request: HttpRequest) -> str:
    """Return the name of whoever showed who they are: what was merely typed may be a password."""
    signed_in = getattr(request, "audited_username", "")
    return str(signed_in or (request.user.get_username() if request.user.is_authenticated else ""))
