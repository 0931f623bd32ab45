"""The audit trail of the API: who asked what, when, from where, and which rows it was about.

What was asked for is not kept: a search's words and a filter's values are a participant's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import Error
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.views import APIView

from accounts.addresses import client_address
from accounts.models import ApiRequest

log = logging.getLogger(__name__)

LONGEST_PATH, LONGEST_NAME, MOST_NAMES = 300, 50, 50


class AuditMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if is_audited(request):
            try:
                write(request, response.status_code)
            except Error as error:  # what was asked for is done; it must not look undone
                log.error(
                    "An API request could not be written into the audit trail: %s", type(error).__name__
                )
        return response


def is_audited(request: HttpRequest) -> bool:
    """Requests to the API, but for those that show nothing of what is kept."""
    view = getattr(getattr(request.resolver_match, "func", None), "cls", None)
    is_api = isinstance(view, type) and issubclass(view, APIView)
    return is_api and getattr(view, "audited", True) and request.method != "OPTIONS"


def write(request: HttpRequest, status: int) -> None:
    ApiRequest.objects.create(
        username=_username(request),
        address=client_address(request)[:64],
        method=str(request.method)[:10],
        path=request.path[:LONGEST_PATH].replace("\0", ""),
        parameters=[name[:LONGEST_NAME] for name in sorted(request.GET)[:MOST_NAMES] if name.isidentifier()],
        status=status,
        rows=getattr(request, "audited", []),
    )


def _username(request: HttpRequest) -> str:
    """Of whoever showed who they are: what was merely typed may be a password."""
    signed_in = getattr(request, "audited_username", "")
    return str(signed_in or (request.user.get_username() if request.user.is_authenticated else ""))
