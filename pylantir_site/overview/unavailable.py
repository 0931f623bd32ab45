"""While the database cannot be used people read why, and keep what they typed; programs get a 503.

Neither the database nor the person is at hand for the page.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token

from pylantir_site.database import fault_log
from pylantir_site.database.faults import DatabaseFault, fault_of
from pylantir_site.rest.routes import is_api

log = logging.getLogger(__name__)

CSRF_FIELD = "csrfmiddlewaretoken"
SECRET = re.compile("pass|token|secret|credential", re.IGNORECASE)


class KeptField(NamedTuple):
    """A field of a form that was sent: its value goes again, or is typed again where it is a secret."""

    name: str
    value: str


class DatabaseFaults:
    """Where a view fails for the database's sake the answer is a 503 that says so."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        return answer(request, exception)


def answer(request: HttpRequest, error: BaseException | None) -> HttpResponseBase | None:
    """Return the answer to a request that failed for a fault of the database, or None for another reason."""
    fault = fault_of(error)
    if error is None or fault is None:
        return None
    request.database_fault = fault  # type: ignore[attr-defined]  # what else would be written is not tried
    if is_api(request.path_info):
        fault_log.log.tell(log, "A request to the API cannot be answered", error)
        response: HttpResponseBase = _problem(fault)
    else:
        fault_log.log.tell(log, "A page cannot be shown", error)
        response = _page(request, fault)
    response.headers["Retry-After"] = str(fault.retry_after)
    response.headers["Cache-Control"] = "no-store"
    return response


def _problem(fault: DatabaseFault) -> HttpResponse:
    detail = f"Nothing was done: {fault}. Try again later."
    if fault is DatabaseFault.AWAY:  # it may have gone after a commit
        detail = f"It may not have been done: {fault}. Look before you send it again."
    body = {"detail": detail, "fault": fault.name.lower()}
    return JsonResponse(body, status=HTTPStatus.SERVICE_UNAVAILABLE)


@requires_csrf_token
def _page(request: HttpRequest, fault: DatabaseFault) -> HttpResponse:
    was_sent = request.method == "POST"
    context = {
        "title": _title(fault),
        "sentence": _sentence(fault),
        "was_sent": was_sent,
        "may_be_saved": fault is DatabaseFault.AWAY,
        "place": request.get_full_path(),
        **(_kept(request) if was_sent else {}),
    }
    return render(request, "503.html", context, status=HTTPStatus.SERVICE_UNAVAILABLE)


def _kept(request: HttpRequest) -> dict[str, object]:
    """Return what a form can be sent again with: nothing of one that another site has sent, or with files."""
    if request.FILES or not _is_from_here(request):
        return {}
    sent = [
        KeptField(name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != CSRF_FIELD
    ]
    is_secret = [bool(SECRET.search(field.name)) for field in sent]
    return {
        "can_be_sent_again": True,
        "kept": [field for field, secret in zip(sent, is_secret, strict=True) if not secret],
        "empty": [
            field.name for field, secret in zip(sent, is_secret, strict=True) if secret and not field.value
        ],
        "secret": [
            field.name for field, secret in zip(sent, is_secret, strict=True) if secret and field.value
        ],
    }


def _is_from_here(request: HttpRequest) -> bool:
    """Tell whether the form is one of ours: `requires_csrf_token` has looked, if nobody had before."""
    return bool(getattr(request, "csrf_processing_done", False))


def _title(fault: DatabaseFault) -> str:
    match fault:
        case DatabaseFault.LOCKED | DatabaseFault.CROWDED:
            return _("The database is busy")
        case DatabaseFault.AWAY:
            return _("The database does not answer")
        case DatabaseFault.FULL:
            return _("The disk is full")
        case _:
            return _("The database cannot be used")


def _sentence(fault: DatabaseFault) -> str:
    match fault:
        case DatabaseFault.LOCKED | DatabaseFault.CROWDED:
            return _("Something else keeps it busy, which mostly is over within seconds.")
        case DatabaseFault.AWAY:
            return _("It may be restarting. If it lasts, please tell an administrator of Pylantir.")
        case DatabaseFault.FULL:
            return _("Nothing can be saved until an administrator has made space on the server's disk.")
        case DatabaseFault.READ_ONLY:
            return _("It can be read, but nothing can be saved. Please tell an administrator of Pylantir.")
        case _:
            return _("Please tell an administrator of Pylantir; the server's log says more.")
