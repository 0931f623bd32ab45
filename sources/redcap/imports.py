"""REDCap answers an import with a count, or refuses it with a line for each value that it does not take.

A line has record, field, value and message, in quotation marks. It names a participant, so that of a refusal
only the field and the kind of its message are told.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from pylantir_site.outside.strict_json import Most
from sources.errors import SourceError, TransientError, WriteRefused
from sources.http import bodies
from sources.redcap import answers
from sources.redcap.address import REDCAP

ASKED = "an import"
LOCKED, INVALID, UNKNOWN_FIELD, GONE, REFUSED = "LOCKED", "INVALID", "UNKNOWN_FIELD", "GONE", "REFUSED"
NO_SUCH_FIELDS = "were not found in the project as real data fields"
# What a message says of one value, and what that means; whatever else is said of a value, it is not taken.
_OF_VALUES = (("locked", LOCKED),)
# What is said of the whole import.
_OF_ALL = (
    ("api import", REFUSED),
    ("privilege", REFUSED),
    ("permission", REFUSED),
    ("redcap_event_name", GONE),
    ("redcap_repeat", GONE),
    ("locked", LOCKED),
)
COLUMNS = 4
SAYS = " REDCap says:"


def count_of(status: int, body: bytes) -> int:
    """Return how many records were taken. Raises WriteRefused, or the SourceError of another answer."""
    refused = _refused(status, body)
    if refused is not None:
        raise refused
    try:
        content = answers.content_of(status, body, asked=ASKED)
    except SourceError as error:  # what REDCap says of an import may hold what was sent
        raise type(error)(str(error).partition(SAYS)[0], retry_after=error.retry_after) from None
    count = content.get("count") if isinstance(content, dict) else None
    if isinstance(count, bool) or not str(count).isdecimal():
        raise TransientError("REDCap's answer to an import is not as it documents it.")
    return int(str(count))


def _refused(status: int, body: bytes) -> WriteRefused | None:
    """Return the error where REDCap itself refuses what was sent, None for any other answer."""
    if status not in (200, 400):
        return None
    text = body.decode("utf-8-sig", errors="replace").strip()
    content: Any = bodies.parsed(text, REDCAP, asked=ASKED, most=Most())
    error = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, str):
        return None
    reasons = tuple(dict.fromkeys(_reasons(error)))
    if status == 200 and reasons == (("", REFUSED),):  # such as a server that ran out of memory
        return None
    what = ", ".join(f"{field or 'all of it'}: {why}" for field, why in reasons)
    return WriteRefused(f"REDCap refuses an import ({what}).", reasons)


def _reasons(error: str) -> Iterator[tuple[str, str]]:
    if NO_SUCH_FIELDS in error:
        names = error.partition(NO_SUCH_FIELDS)[2].lstrip(": ").splitlines()[0]
        yield from ((name.strip(), UNKNOWN_FIELD) for name in names.split(",") if name.strip())
        return
    lines = [line for line in csv.reader(io.StringIO(error)) if len(line) >= COLUMNS]
    for line in lines:
        yield line[1].strip(), _kind(line[-1], _OF_VALUES, INVALID)
    if not lines:
        yield "", _kind(error, _OF_ALL, REFUSED)


def _kind(text: str, meanings: tuple[tuple[str, str], ...], otherwise: str) -> str:
    return next((kind for word, kind in meanings if word in text.casefold()), otherwise)
