"""Where nothing can be shown, the API says so in JSON, and people read what happened and what to do.

Pages of the kinds 400 and 500 are the templates alone: neither the database nor the person may be at hand.
"""

from __future__ import annotations

import sys
from http import HTTPStatus

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token

from pylantir_site.overview import unavailable
from pylantir_site.rest.routes import is_api

NOT_FOUND = "There is no such endpoint, or no such thing."
FAILED = "The server failed. Its log says where."
UNREADABLE = "The request cannot be read."


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_api(request.path_info):
        return JsonResponse({"detail": UNREADABLE, "errors": {}}, status=HTTPStatus.BAD_REQUEST)
    return render(None, "400.html", status=HTTPStatus.BAD_REQUEST)


def server_error(request: HttpRequest) -> HttpResponseBase:
    if unavailable_for_now := unavailable.answer(request, sys.exc_info()[1]):
        return unavailable_for_now  # the database failed before the view, or after it
    if is_api(request.path_info):
        return JsonResponse({"detail": FAILED}, status=HTTPStatus.INTERNAL_SERVER_ERROR)
    return render(None, "500.html", status=HTTPStatus.INTERNAL_SERVER_ERROR)


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_api(request.path_info):
        return JsonResponse({"detail": NOT_FOUND}, status=HTTPStatus.NOT_FOUND)
    return _page(
        request,
        HTTPStatus.NOT_FOUND,
        _("This page is not there"),
        _("The address may be mistyped, or what stood here was deleted or moved."),
    )


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _page(
        request,
        HTTPStatus.FORBIDDEN,
        _("Your account may not do this"),
        _("Nothing was changed. If you need it for your work, please ask an administrator of Pylantir."),
        shows_role=True,
    )


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Tell a person why what they sent was not taken: mostly they signed in anew in another tab."""
    return _page(
        request,
        HTTPStatus.FORBIDDEN,
        _("This page was open too long"),
        _(
            "What you sent was not saved. Go back, load that page anew, and send it again. "
            "If it happens every time, your browser may refuse cookies."
        ),
    )


def _page(
    request: HttpRequest, status: HTTPStatus, title: str, sentence: str, *, shows_role: bool = False
) -> HttpResponse:
    own = {"title": title, "sentence": sentence, "shows_role": shows_role}
    return render(request, "error.html", {**admin.site.each_context(request), **own}, status=status)
