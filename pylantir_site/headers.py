"""What a browser may do with an answer is said here in headers, on every answer, errors and files included.

No page has code or style within itself, so none is run: text that slips into a page stays text.
Django 5.2 sends no policy of its own, and the packages that do add nonces and reports, which no page needs.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

POLICY = "Content-Security-Policy"
# CSP Level 3. An image may stand within a style sheet (Swagger UI's do).
# Signing in at a provider begins with a link and no form, so forms lead to ourselves alone.
PAGE = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}
# What is no page asks for nothing, should a browser take it for one all the same.
NO_PAGE = {
    "default-src": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "sandbox": "",
}
# The clipboard is not among them: an address of a calendar is copied by a button.
UNUSED = (
    *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer"),
    *("microphone", "midi", "payment", "publickey-credentials-get", "serial", "usb"),
)
ALWAYS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Headers:
    """It stands around all other middleware, and leaves what a view has said itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        kind = response.get("Content-Type", "").partition(";")[0]
        said = {POLICY: header(PAGE if kind == "text/html" else NO_PAGE), **ALWAYS}
        if not kind.endswith("javascript"):  # the catalogue of texts is the same for everybody
            said["Cache-Control"] = "no-store"
        for name, value in said.items():
            response.headers.setdefault(name, value)
        return response


def header(policy: dict[str, str]) -> str:
    """Return a policy as the header has it: `default-src 'none'; script-src 'self'`."""
    return "; ".join(f"{directive} {sources}".rstrip() for directive, sources in policy.items())
