"""Below a request one can ask who is at work: what a signal notices knows no request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest

from accounts.addresses import client_address

_request: ContextVar[HttpRequest | None] = ContextVar("audited_request", default=None)


@contextmanager
def at_work(request: HttpRequest) -> Iterator[None]:
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def who() -> dict[str, str]:
    """Return user name and address of whoever sent the request, or nothing where a command is at work."""
    request = _request.get()
    if request is None:
        return {}
    user = getattr(request, "user", None)
    name = user.get_username() if user is not None and user.is_authenticated else ""
    return {"username": name, "address": client_address(request)[:64]}
