"""Whoever acts on a page comes back to it: pages say where they are as `next`, and are read here."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme


def came_from(request: HttpRequest) -> str:
    """Return the page of ours that `next` names, in the form or else in the address; "" without one."""
    page = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if is_ours else ""


def back(request: HttpRequest, otherwise: str) -> HttpResponseRedirect:
    """Return to the page that the person came from."""
    return HttpResponseRedirect(came_from(request) or otherwise)


def arrived_from(request: HttpRequest, *, but: tuple[str, ...] = ()) -> str:
    """Return the page of ours whose link led here; "" where there is none, or it is one of those beneath."""
    referer = request.headers.get("Referer", "")
    parts = urlsplit(referer)
    is_ours = url_has_allowed_host_and_scheme(
        referer, {request.get_host()}, require_https=request.is_secure()
    )
    if not (is_ours and parts.netloc) or parts.path.startswith(("//", *but)):
        return ""
    return urlunsplit(("", "", parts.path, parts.query, ""))
