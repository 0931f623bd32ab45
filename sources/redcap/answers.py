"""An answer of REDCap's is read as the JSON that it holds, or as the error that it stands for.

An error's text names what was asked and the page's title at most: bodies hold participants.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from sources.errors import (
    AuthorisationError,
    ConfigurationError,
    OverloadError,
    SlowError,
    SourceError,
    TokenRefused,
    TooMuchError,
    TransientError,
)
from sources.redcap.markup import plain

BAN = timedelta(hours=6)
TOO_SLOW = frozenset({504, 524})  # the second is Cloudflare's
TOO_MUCH = 413
# Whoever answers so, a person has to mend the URL or the request.
MISTAKEN = frozenset({400, 405, 406, 501})
LONGEST_ERROR = 300
LONGEST_TITLE = 100
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_BANNED = re.compile(r"IP address.{0,80}\bbanned|\bbanned\b.{0,80}IP address", re.IGNORECASE | re.DOTALL)
_OUT_OF_MEMORY = re.compile(
    r"out of (?:server )?memory|Allowed memory size of \d+ bytes exhausted|Cannot allocate memory",
    re.IGNORECASE,
)
_TOO_MUCH = re.compile(
    r"too much data|smaller amount of data|(?:entity|payload|content|response) too large"
    r"|Maximum execution time of \d+ seconds? exceeded",
    re.IGNORECASE,
)
_FATAL = "<b>Fatal error</b>"  # PHP's
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
    # What begins as rows do holds what people typed, which is no error whatever it says.
    told = error or ("" if text.startswith("[") else text)
    if _OUT_OF_MEMORY.search(told):
        raise TooMuchError(f"REDCap ran out of memory over {asked}.")
    if _TOO_MUCH.search(told) or status == TOO_MUCH:
        raise TooMuchError(f"REDCap, or something in front of it, finds {asked} too much ({status}).")
    if _BANNED.search(told):
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
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            raise OverloadError("REDCap's answer is cut off within a character.") from None
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
    if _is_page(text) and _FATAL not in text:
        return TransientError(
            f"Instead of {asked} came a web page{_title(text)}: maintenance, or a login in front?"
        )
    reason = "is cut off or damaged" if text else "is empty"
    return OverloadError(f"REDCap's answer to {asked} {reason}.")


def _refusal(status: int, error: str | None, text: str, asked: str) -> SourceError:
    said = f" REDCap says: {error}" if error else _title(text)
    if error and (status in (401, 403) or "permissions to use the API" in error):
        return TokenRefused(f"REDCap does not let the token in ({status}).{said}")
    if status >= 500 and status not in MISTAKEN:
        kind = SlowError if status in TOO_SLOW else OverloadError
        return kind(f"REDCap is in trouble: {status} to {asked}.{said}")
    if status == 404:
        return ConfigurationError("There is no REDCap API at this URL (404): it ends with /api/.")
    if status in (408, 425, 429):
        return TransientError(f"REDCap is in trouble: {status} to {asked}.{said}")
    if error or status in MISTAKEN:
        return ConfigurationError(f"REDCap refuses {asked} ({status}).{said}")
    return _in_front(status, text, asked)


def _in_front(status: int, text: str, asked: str) -> TransientError:
    """Tell a refusal that is not REDCap's: REDCap refuses with an error of its own, in JSON."""
    came = f"A page{_title(text)}" if _is_page(text) else "Another answer" if text else "An empty answer"
    return TransientError(
        f"{came} came instead of {asked} ({status}): a firewall, a proxy or a login in front of REDCap? "
        "REDCap itself has refused nothing."
    )


def _error_in(content: Any) -> str | None:
    """Return an error's text, which is about the request and so may be told."""
    if isinstance(content, dict) and set(content) == {"error"} and isinstance(content["error"], str):
        return plain(content["error"])[:LONGEST_ERROR]
    return None


def _ban_error() -> AuthorisationError:
    return AuthorisationError(
        "The answer says that this server's address is banned: ask REDCap's administrators to lift the ban, "
        "and ask for less.",
        retry_after=BAN,
    )


def _is_page(text: str) -> bool:
    return text.startswith("<")


def _title(text: str) -> str:
    found = _TITLE.search(text) if _is_page(text) else None
    title = plain(found[1])[:LONGEST_TITLE] if found else ""
    return f' titled "{title}"' if title else ""
