"""An answer of REDCap's is read as the JSON that it holds, or as the error that it stands for.

An error's text names what was asked and the page's title at most: bodies hold participants.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from pylantir_site.outside.strict_json import Most
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
from sources.http import bodies
from sources.http.markup import plain
from sources.redcap.address import REDCAP

BAN = timedelta(hours=6)
TOO_SLOW = frozenset({504, 524})  # the second is Cloudflare's
TOO_MUCH = 413
# Whoever answers so, a person has to mend the URL or the request.
MISTAKEN = frozenset({400, 405, 406, 501})
LONGEST_ERROR = 300
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


def content_of(status: int, body: bytes, *, asked: str, most: Most | None = None) -> Any:
    """Return the JSON of a good answer, of `most` rows and columns. Raises the SourceError of another."""
    if 300 <= status < 400:
        raise ConfigurationError("The API URL redirects elsewhere: enter the address that it leads to.")
    text = bodies.utf8(body, REDCAP) if status == 200 else body.decode("utf-8-sig", errors="replace").strip()
    content = bodies.parsed(text, REDCAP, asked=asked, most=most or Most())
    error = _error_in(content)
    if status == 200 and error is None and content is not bodies.NOT_JSON:
        return content
    # What begins as rows do holds what people typed, which is no error whatever it says.
    told = error or ("" if text.startswith("[") else text[: bodies.LONGEST_LOOKED_AT])
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
    match = _VERSION.fullmatch(bodies.utf8(body, REDCAP)) if status == 200 else None
    if match:
        return match[1]
    content_of(status, body, asked=asked)
    raise TransientError(f"REDCap's answer to {asked} cannot be read.")


def _unreadable(text: str, asked: str) -> TransientError:
    if bodies.is_page(text) and _FATAL not in text:
        return TransientError(
            f"Instead of {asked} came a web page{bodies.title(text)}: maintenance, or a login in front?"
        )
    reason = "is cut off or damaged" if text else "is empty"
    return OverloadError(f"REDCap's answer to {asked} {reason}.")


def _refusal(status: int, error: str | None, text: str, asked: str) -> SourceError:
    said = f" REDCap says: {error}" if error else bodies.title(text)
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
    came = (
        f"A page{bodies.title(text)}"
        if bodies.is_page(text)
        else "Another answer"
        if text
        else "An empty answer"
    )
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
