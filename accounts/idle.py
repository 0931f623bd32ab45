"""Whoever leaves the admin alone for SESSION_IDLE_MINUTES is signed out, and told so.

So is everybody SESSION_MAXIMUM_HOURS after the sign-in: a session that was stolen and is kept in use ends.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, ngettext

USED_AT = "used_at"  # in the session: seconds since the epoch
SIGNED_IN_AT = "signed_in_at"  # likewise
WRITTEN_EVERY = 60  # seconds: a session is not written anew for each request
LIVE = "X-Live-Part"  # the header of what a page asks by itself
SAFE = ("GET", "HEAD")


class IdleLimit:
    """What a page asks by itself, with the header X-Live-Part, does not count as use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _has_session(request) or not request.user.is_authenticated:
            return self.get_response(request)
        if why := _why_over(request):
            return _sign_out(request, why)
        now, used_at = int(time()), request.session.get(USED_AT)
        request.session.setdefault(SIGNED_IN_AT, now)
        if LIVE not in request.headers and (used_at is None or now - used_at >= WRITTEN_EVERY):
            request.session[USED_AT] = now
        return self.get_response(request)


def count_sign_in(sender: object, request: HttpRequest, **about: Any) -> None:
    """Count a sign-in as use, so that the session is written once for both."""
    request.session[USED_AT] = request.session[SIGNED_IN_AT] = int(time())


def is_over(request: HttpRequest) -> bool:
    """Tell whether the session has come to its end, where nothing has signed it out yet."""
    return _why_over(request) is not None


def _why_over(request: HttpRequest) -> Callable[[bool], str] | None:
    """Return what to tell of a session that has ended: it was left alone, or has lasted for long."""
    now = int(time())
    used_at, signed_in_at = request.session.get(USED_AT), request.session.get(SIGNED_IN_AT)
    if used_at is not None and now - used_at > settings.SESSION_IDLE_MINUTES * 60 + WRITTEN_EVERY:
        return _left_alone
    if signed_in_at is not None and now - signed_in_at > settings.SESSION_MAXIMUM_HOURS * 3600:
        return _in_for_long
    return None


def _has_session(request: HttpRequest) -> bool:
    """Tell whether it may be a signed-in person's request to the admin; the API knows no sessions."""
    is_admin = request.path_info.startswith(reverse("admin:index"))
    return is_admin and settings.SESSION_COOKIE_NAME in request.COOKIES


def _sign_out(request: HttpRequest, why: Callable[[bool], str]) -> HttpResponse:
    logout(request)
    messages.warning(request, why(request.method not in SAFE))
    if LIVE in request.headers:  # the page loads itself anew, and so comes to the sign-in
        return HttpResponse(status=401)
    return redirect_to_login(_page(request), reverse("admin:login"))


def _left_alone(was_sent: bool) -> str:  # noqa: FBT001
    limit = {"time": _limit_text(settings.SESSION_IDLE_MINUTES)}
    if was_sent:
        return (
            gettext(
                "You were signed out after %(time)s without use, so what you just sent was not saved. "
                "Please sign in and send it again."
            )
            % limit
        )
    return gettext("You were signed out after %(time)s without use.") % limit


def _in_for_long(was_sent: bool) -> str:  # noqa: FBT001
    limit = {"time": _limit_text(settings.SESSION_MAXIMUM_HOURS * 60)}
    if was_sent:
        return (
            gettext(
                "You were signed out %(time)s after you signed in, so what you just sent was not saved. "
                "Please sign in and send it again."
            )
            % limit
        )
    return gettext("You were signed out %(time)s after you signed in. Please sign in again.") % limit


def _limit_text(minutes: int) -> str:
    if minutes % 60:
        return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
    hours = minutes // 60
    return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}


def _page(request: HttpRequest) -> str:
    """Return the page to come back to: of what was sent, the one that the form stands on."""
    if request.method in SAFE:
        return request.get_full_path()
    sender = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(sender, {request.get_host()}, require_https=request.is_secure()):
        place = urlsplit(sender)
        return f"{place.path}?{place.query}" if place.query else place.path
    return reverse("admin:index")
