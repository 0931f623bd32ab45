"""A browser goes to the provider from here, and comes back as somebody, or is told why not."""

from __future__ import annotations

import logging
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.oidc.person import NotWelcome, account
from accounts.sign_in import TooManyFailures, counted
from pylantir_site.environment.oidc import OidcSettings
from pylantir_site.returning import came_from

log = logging.getLogger(__name__)

BACKEND = "django.contrib.auth.backends.ModelBackend"  # it looks up at each request who is signed in
NEXT = "oidc_next"  # in the session: the page to come back to
FAILED = "A sign-in by OpenID Connect failed: %s."


@never_cache
@require_safe
def begin(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider."""
    oidc = _settings()
    from accounts.oidc import provider

    request.session[NEXT] = came_from(request)
    try:
        return provider.redirect(request, oidc, request.build_absolute_uri(reverse("oidc:finish")))
    except provider.ProviderFailed as error:
        log.warning(FAILED, error)
        return _refused(request, _did_not_work())


@never_cache
@require_safe
def finish(request: HttpRequest) -> HttpResponse:
    """Sign in who comes back from the provider."""
    oidc = _settings()
    from accounts.oidc import provider

    try:
        with counted(request, None):
            user = account(provider.claims(request, oidc), oidc)
    except TooManyFailures as error:
        return _refused(request, error.sentence)
    except NotWelcome as error:
        return _refused(request, str(error))
    except provider.ProviderFailed as error:
        log.warning(FAILED, error)
        return _refused(request, _did_not_work())
    page = request.session.pop(NEXT, "")
    login(request, user, backend=BACKEND)
    return HttpResponseRedirect(page or reverse("admin:index"))


def _settings() -> OidcSettings:
    if settings.OIDC is None:
        raise Http404
    oidc: OidcSettings = settings.OIDC
    return oidc


def _refused(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.error(request, sentence)
    page = request.session.get(NEXT)
    query = f"?{urlencode({'next': page})}" if page else ""
    return HttpResponseRedirect(reverse("admin:login") + query)


def _did_not_work() -> str:
    return _(
        "Signing in did not work. Please try again; if it fails again, tell an administrator of Pylantir."
    )
