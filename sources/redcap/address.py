"""The address of a REDCap API is made the same whichever way people type it."""

from __future__ import annotations

import re

from sources.http import address
from sources.http.words import ServerWords

REDCAP = ServerWords(
    name="REDCap",
    address="API URL",
    example="https://redcap.example.org/api/",
    secret="token",  # noqa: S106  (a word)
    less="Ask for fewer records at once",
    moved=(
        "if that is REDCap's API, enter it instead; "
        "if it is a login page, the API must be let through without one."
    ),
)
# What a browser shows of REDCap's own pages, rather than where its API is.
_PAGE = re.compile(r"/(?:redcap_v\d[\d.]*(?:/.*)?|index\.php|api/help(?:/.*)?)$")


def normalise_url(text: str) -> str:
    """Return the API's URL with the `/api/` that REDCap's pages are told apart by.

    Raises ValueError, which says what is wrong.
    """
    parts = address.parts_of(text, REDCAP, ending="end with /api/ and ")
    path = _PAGE.sub("", parts.path.rstrip("/")).rstrip("/")
    path = path if path.endswith("/api") else f"{path}/api"
    return f"{parts.scheme}://{parts.netloc.lower()}{path}/"
