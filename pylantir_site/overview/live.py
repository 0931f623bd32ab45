"""A page keeps a part of itself fresh: it asks for that part alone, and is sent it where it has changed."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import time_format

HEADER = "X-Live-Part"  # of the request: its address stays that of the page, to which forms come back
AS_OF = "X-As-Of"  # of the answer: the server's wall clock, in the person's language
TOKEN = re.compile(r'(?<=name="csrfmiddlewaretoken" value=")[^"]*')  # is another in each answer


def is_asked_for(request: HttpRequest) -> bool:
    return HEADER in request.headers


def render(request: HttpRequest, template: str, context: dict[str, Any]) -> tuple[str, str]:
    """Return the part as HTML, and its entity tag."""
    html = render_to_string(template, context, request)
    digest = sha256(TOKEN.sub("", html).encode()).hexdigest()
    return html, f'"{digest[:32]}"'


def as_of() -> str:
    return time_format(timezone.localtime().time())


def answer(request: HttpRequest, html: str, etag: str) -> HttpResponse:
    """Return the part, or 304 for whoever has it."""
    has_it = request.headers.get("If-None-Match", "").removeprefix("W/") == etag
    response = HttpResponseNotModified() if has_it else HttpResponse(html)
    response["ETag"], response[AS_OF], response["Vary"] = etag, as_of(), f"Cookie, {HEADER}"
    return response
