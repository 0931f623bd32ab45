"""This WSGI application keeps whoever asks for /hold waiting for some seconds.

Its server gives a request a second instead of ten, so that nobody has to wait for the end of it,
and has no room for more than LARGEST bytes.
"""

from __future__ import annotations

import resource
from collections.abc import Iterable
from threading import Event
from typing import TYPE_CHECKING

from pylantir_site.processes import web_worker

SECONDS = 4
LARGEST = 16 * 2**20
web_worker.HEAD_SECONDS = 1.0

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/hold":
        Event().wait(SECONDS)
    if environ["PATH_INFO"] == "/limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
