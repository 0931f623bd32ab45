"""The address of a Calpendo is made the same whichever way people type it."""

from __future__ import annotations

import re

from sources.http import address
from sources.http.words import ServerWords

CALPENDO = ServerWords(
    name="Calpendo",
    address="base URL",
    example="https://example.calpendo.com",
    secret="password",  # noqa: S106  (a word)
    less="Ask for fewer days ahead",
    moved=(
        "if Calpendo is there, enter that instead; if it is a login page, "
        "Calpendo's API must be let through without single sign-on."
    ),
)
_API = re.compile(r"/webdav(?:/.*)?$")


def normalise_url(text: str) -> str:
    """Return the URL below which `/webdav/q` is, without a slash at its end.

    Raises ValueError, which says what is wrong.
    """
    parts = address.parts_of(text, CALPENDO)
    path = _API.sub("", parts.path.rstrip("/")).rstrip("/")
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"
