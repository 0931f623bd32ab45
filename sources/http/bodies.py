"""The body of an answer is read as UTF-8 and as JSON, or is told to be a web page or damaged.

An error's text names what was asked and the page's title at most: bodies hold participants.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pylantir_site.outside import strict_json
from pylantir_site.outside.strict_json import Most
from sources.errors import OverloadError, TooMuchError, TransientError
from sources.http.markup import plain
from sources.http.words import ServerWords

LONGEST_TITLE = 100
LONGEST_LOOKED_AT = 64 * 1024  # of what is no JSON: pages tell early what they are
NOT_JSON = object()
_TITLE = re.compile(r"<title[^<>]*>([^<]*)</title>", re.IGNORECASE)


def utf8(body: bytes, server: ServerWords) -> str:
    """Decode UTF-8 and nothing else: a name must not be guessed from other bytes."""
    try:
        return body.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            raise OverloadError(f"{server.name}'s answer is cut off within a character.") from None
        raise TransientError(f"{server.name}'s answer is not UTF-8 text: nothing of it was used.") from None


def parsed(text: str, server: ServerWords, *, asked: str, most: Most) -> Any:
    """Return what the JSON says, or NOT_JSON. Raises TooMuchError.

    Numbers with a fraction stay as they were written; lone surrogates are refused.
    """
    try:
        content = strict_json.loads(text, most=most, decimal=str)
        if r"\ud" in text.lower():  # half of a character, which no database takes
            json.dumps(content, ensure_ascii=False).encode()
    except strict_json.TooMany as error:
        raise TooMuchError(
            f"{server.name}'s answer to {asked} is too large. {error} {server.less}, "
            "or set SOURCE_ANSWER_ROWS or SOURCE_ANSWER_COLUMNS."
        ) from None
    except (ValueError, RecursionError):
        return NOT_JSON
    return content


def is_page(text: str) -> bool:
    return text.startswith("<")


def title(text: str) -> str:
    """Return ` titled "…"` of a web page, or nothing."""
    found = _TITLE.search(text[:LONGEST_LOOKED_AT]) if is_page(text) else None
    title = plain(found[1])[:LONGEST_TITLE] if found else ""
    return f' titled "{title}"' if title else ""
