"""An answer of REDCap's is read as the JSON that it holds, or as the error that it stands for.

An error's text names what was asked and the page's title at most: bodies hold participants.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from sources.errors import AuthorisationError, ConfigurationError, SourceError, TooMuchError, TransientError
from sources.redcap.markup import plain

BAN = timedelta(hours=6)
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_ERROR = 300
LONGEST_TITLE = 100
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_BANNED = re.compile(r"IP address.{0,80}\bbanned|\bbanned\b.{0,80}IP address", re.IGNORECASE | re.DOTALL)
_OUT_OF_MEMORY = re.compile(r"out of server memory|Allowed memory size of \d+ bytes exhausted")
_VERSION = re.compile(r'"?(\d[0-9A-Za-z.]*)"?')
_NOT_JSON = object()


def content_of(status: int, body: bytes, *, asked: str) -> Any:
    """Return the JSON of a good answer. Raises the SourceError that another stands for."""
    if 300 <= status < 400:
        raise ConfigurationError("The API URL redirects elsewhere: enter the address that it leads to.")
    text = _text(body) if status == 200 else body.decode("utf-8-sig", errors="replace").strip()
    content = _json(text)
    error = _error_in(content)
    if status == 200 and error is None and content is not _NOT_JSON:
        return content
    if _OUT_OF_MEMORY.search(text):
        raise TooMuchError(f"REDCap ran out of memory over {asked}.")
    if _is_page(text) and _BANNED.search(text):
        raise _ban_error()
    if status == 200 and error is None:
        raise _unreadable(text, asked)
    raise _refusal(status, error, text, asked)


def plain_text_of(status: int, body: bytes, *, asked: str) -> str:
    """Return the answer to `content=version`, which is no JSON."""
    match = _VERSION.fullmatch(_text(body)) if status == 200 else None
    if match:
        return match[1]
    content_of(status, body, asked=asked)
    raise TransientError(f"REDCap's answer to {asked} cannot be read.")


def _text(body: bytes) -> str:
    """Decode UTF-8 and nothing else: a name must not be guessed from other bytes."""
    try:
        return body.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise TransientError("REDCap's answer is not UTF-8 text: nothing of it was used.") from None


def _json(text: str) -> Any:
    """Read JSON. Numbers with a fraction stay as they were written; lone surrogates are refused."""
    try:
        content = json.loads(text, parse_float=str, parse_constant=_refused)
        if r"\ud" in text.lower():  # half of a character, which no database takes
            json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return _NOT_JSON
    return content


def _refused(constant: str) -> None:
    raise ValueError(constant)


def _unreadable(text: str, asked: str) -> TransientError:
    if _is_page(text):
        return TransientError(
            f"Instead of {asked} came a web page{_title(text)}: maintenance, or a login in front?"
        )
    reason = "is cut off or damaged" if text else "is empty"
    return TransientError(f"REDCap's answer to {asked} {reason}.")


def _refusal(status: int, error: str | None, text: str, asked: str) -> SourceError:
    said = f" REDCap says: {error}" if error else _title(text)
    if status in (401, 403) or "permissions to use the API" in (error or ""):
        return AuthorisationError(f"REDCap does not let the token in ({status}).{said}")
    if status in TRANSIENT or status > 504:
        return TransientError(f"REDCap is in trouble: {status} to {asked}.{said}")
    if status == 404:
        return ConfigurationError("There is no REDCap API at this URL (404): it ends with /api/.")
    return ConfigurationError(f"REDCap refuses {asked} ({status}).{said}")


def _error_in(content: Any) -> str | None:
    """Return an error's text, which is about the request and so may be told."""
    if isinstance(content, dict) and set(content) == {"error"}:
        return plain(str(content["error"]))[:LONGEST_ERROR]
    return None


def _ban_error() -> AuthorisationError:
    return AuthorisationError(
        "REDCap has banned this server's address: ask its administrators to lift the ban, and ask for less.",
        retry_after=BAN,
    )


def _is_page(text: str) -> bool:
    return text.startswith("<")


def _title(text: str) -> str:
    found = _TITLE.search(text) if _is_page(text) else None
    title = plain(found[1])[:LONGEST_TITLE] if found else ""
    return f' titled "{title}"' if title else ""
