"""Prometheus reads /metrics: from this machine, or from anywhere with the token that METRICS_TOKEN names."""

from __future__ import annotations

import hmac
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from pylantir_site.metrics import exposition

# A proxy on this machine speaks for others, and says so by one of these.
FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_REAL_IP", "HTTP_VIA")
WHY_NOT = "Metrics are for this machine alone, or for who sends the token of METRICS_TOKEN.\n"


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if settings.METRICS_TOKEN:
        if not _has_token(request):
            refused = HttpResponse(WHY_NOT, status=401, content_type="text/plain")
            refused["WWW-Authenticate"] = 'Bearer realm="metrics"'
            return refused
    elif not _is_from_here(request):
        return HttpResponse(WHY_NOT, status=403, content_type="text/plain")
    return HttpResponse(exposition.text(), content_type=exposition.CONTENT_TYPE)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    is_right = hmac.compare_digest(given.strip().encode(), settings.METRICS_TOKEN.encode())
    return scheme.lower() == "bearer" and is_right


def _is_from_here(request: HttpRequest) -> bool:
    try:
        is_loopback = ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:  # a socket without an address
        return False
    return is_loopback and not any(name in request.META for name in FORWARDED)
