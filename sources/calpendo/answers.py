"""An answer of Calpendo's is read as the objects that it holds, or as the error that it stands for.

An error's text names what was asked and a page's title at most: bodies hold participants.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pylantir_site.outside.strict_json import Most
from sources.calpendo.address import CALPENDO
from sources.errors import (
    AuthorisationError,
    ConfigurationError,
    OverloadError,
    SlowError,
    SourceError,
    TokenRefused,
    TransientError,
)
from sources.http import bodies

TOO_SLOW = frozenset({504, 524})  # the second is Cloudflare's
TIME_MAY_MEND = frozenset({408, 425, 429})
MISUNDERSTOOD = frozenset({400, 405, 406, 414, 501})
SLASHED = (
    " One of the resources has a slash in its name, which many servers refuse in an address: "
    "give the resource another name in Calpendo."
)
Biskit = Mapping[str, Any]  # Calpendo's own word for an object


def biskits_of(status: int, body: bytes, *, asked: str, most: Most, hint: str = "") -> list[Biskit]:
    """Return the objects of a list. Raises the SourceError that another answer stands for.

    `hint` is added where Calpendo does not take the question.
    """
    content = content_of(status, body, asked=asked, most=most, hint=hint)
    listed = content.get("biskits")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise TransientError(f"Calpendo's answer to {asked} is not a list of objects.")
    return listed


def content_of(status: int, body: bytes, *, asked: str, most: Most, hint: str = "") -> Biskit:
    text = (
        bodies.utf8(body, CALPENDO) if status == 200 else body.decode("utf-8-sig", errors="replace").strip()
    )
    if status != 200:
        raise _refusal(status, text, asked, hint)
    content = bodies.parsed(text, CALPENDO, asked=asked, most=most)
    if content is bodies.NOT_JSON:
        raise _unreadable(text, asked)
    if not isinstance(content, dict):
        raise TransientError(f"Calpendo's answer to {asked} is no object.")
    if set(content) == {"error"}:
        raise ConfigurationError(f"Calpendo refuses {asked}: its answer is an error.{hint}")
    return content


def _unreadable(text: str, asked: str) -> TransientError:
    if bodies.is_page(text):
        return TransientError(
            f"Instead of {asked} came a web page{bodies.title(text)}: maintenance, or single sign-on "
            "in front? The source needs a local user of Calpendo's, who signs in without it."
        )
    reason = "is cut off or damaged" if text else "is empty"
    return OverloadError(f"Calpendo's answer to {asked} {reason}.")


def _refusal(status: int, text: str, asked: str, hint: str) -> SourceError:
    said = bodies.title(text)
    if status == 401:
        return TokenRefused(
            "Calpendo does not let the user in (401): look at user name and password. "
            "It must be a local user of Calpendo's, not one of single sign-on."
        )
    if status == 403:
        return AuthorisationError(
            f"Calpendo's user may not read {asked} (403): give it the right, or let the firewall pass it."
        )
    if status == 404:
        return ConfigurationError(
            f"There are no {asked} at this URL (404): look at base URL and booking type.{hint}"
        )
    if status in MISUNDERSTOOD:
        return ConfigurationError(f"Calpendo does not take the question for {asked} ({status}).{hint}")
    if status in TIME_MAY_MEND:
        return TransientError(f"Calpendo is in trouble: {status} to {asked}.{said}")
    if status >= 500:
        kind = SlowError if status in TOO_SLOW else OverloadError
        return kind(f"Calpendo is in trouble: {status} to {asked}.{said}{hint}")
    return TransientError(f"Another answer came instead of {asked} ({status}){said}: a proxy in front?")
