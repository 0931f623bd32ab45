"""What an answer of REDCap's means: the JSON that it holds, or which error it is.

An error's text names what was asked and the page's title at most: bodies hold participants.
"""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from typing import Any

from sources.errors import AuthorisationError, ConfigurationError, SourceError, TooMuchError, TransientError

BAN = timedelta(hours=6)
TRANSIENT = frozenset({408, 425, 429})
LONGEST_ERROR = 300
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def text_of(body: bytes) -> str:
    """UTF-8 and nothing else: a name must not be guessed from other bytes."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TransientError("REDCap's answer is not UTF-8 text: nothing of it was used.") from None


def content_of(status: int, body: bytes, *, asked: str) -> Any:
    """The JSON of a good answer. Raises the SourceError that the answer stands for."""
    if 300 <= status < 400:
        raise ConfigurationError("The API URL redirects elsewhere: enter the address that it leads to.")
    text = text_of(body).strip()
    if "out of server memory" in text or "Allowed memory size" in text:
        raise TooMuchError(f"REDCap ran out of memory over {asked}.")
    content = _json(text)
    error = _error_in(content)
    if status == 200 and error is None:
        return _good(content, text, asked)
    raise _error(status, error, text, asked)


def plain_text_of(status: int, body: bytes, *, asked: str) -> str:
    """Of `content=version`, which is no JSON."""
    text = text_of(body).strip()
    if status == 200 and re.fullmatch(r'"?[0-9][0-9A-Za-z.]*"?', text):
        return text.strip('"')
    content_of(status, body, asked=asked)
    raise TransientError(f"REDCap's answer to {asked} cannot be read.")


_NOT_JSON = object()


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NOT_JSON


def _good(content: Any, text: str, asked: str) -> Any:
    if content is not _NOT_JSON:
        return content
    if _is_ban(text):
        raise _ban()
    if _looks_like_a_page(text):
        raise TransientError(
            f"Instead of {asked} came a web page{_title(text)}: maintenance, or a login in front?"
        )
    reason = "is empty" if not text else "is cut off or damaged"
    raise TransientError(f"REDCap's answer to {asked} {reason}.")


def _error(status: int, error: str | None, text: str, asked: str) -> SourceError:
    said = f" REDCap says: {error}" if error else _title(text)
    if _is_ban(text):
        return _ban()
    if status in (401, 403):
        return AuthorisationError(f"REDCap does not let the token in ({status}).{said}")
    if status in TRANSIENT or status in (500, 502, 503, 504) or status > 504:
        return TransientError(f"REDCap is in trouble: {status} to {asked}.{said}")
    if status == 404:
        return ConfigurationError("There is no REDCap API at this URL (404): it ends with /api/.")
    return ConfigurationError(f"REDCap refuses {asked} ({status}).{said}")


def _error_in(content: Any) -> str | None:
    """An error's text is about the request, and so may be told."""
    if isinstance(content, dict) and set(content) == {"error"}:
        return plain(str(content["error"]))[:LONGEST_ERROR]
    return None


def _is_ban(text: str) -> bool:
    return bool(re.search(r"(IP address|has been|is) .{0,80}banned", text, re.IGNORECASE | re.DOTALL))


def _ban() -> AuthorisationError:
    return AuthorisationError(
        "REDCap has banned this server's address: ask its administrators to lift the ban, and ask for less.",
        retry_after=BAN,
    )


def _looks_like_a_page(text: str) -> bool:
    return bool(
        re.match(r"\s*(<!doctype|<html|<head|<div|<body|<br|<b>|<script|<center)", text, re.IGNORECASE)
    )


def _title(text: str) -> str:
    found = _TITLE.search(text)
    title = plain(found.group(1))[:100] if found else ""
    return f' titled "{title}"' if title else ""


def plain(text: str) -> str:
    """Without HTML."""
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())
