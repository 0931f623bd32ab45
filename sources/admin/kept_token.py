"""A token or password that was typed on a form which is refused is kept for the form's next try.

It waits in the session, encrypted and for half an hour, and goes to the server that it was entered for alone.
The page only knows that it is there.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest

from sources import secrets

KEPT_SECONDS = 30 * 60


def keep(request: HttpRequest, token: str) -> None:
    request.session[_place(request)] = {
        "cipher": secrets.encrypt(token),
        "host": _host(request),
        "at": time.time(),
    }


def forget(request: HttpRequest) -> None:
    request.session.pop(_place(request), None)


def kept(request: HttpRequest) -> str:
    """Return what was typed on this page before, or "" where it is too old or was for another server."""
    found: Any = request.session.get(_place(request))
    if not found or time.time() - found["at"] > KEPT_SECONDS or found["host"] not in ("", _host(request)):
        return ""
    try:
        return secrets.decrypt(found["cipher"])
    except secrets.CannotDecrypt:
        return ""


def _place(request: HttpRequest) -> str:
    return f"token typed on {request.path}"


def _host(request: HttpRequest) -> str:
    """Return the host of the URL that was sent with it, or "" where that cannot be read."""
    try:
        return urlsplit(str(request.POST.get("url", ""))).netloc.lower()
    except ValueError:
        return ""
