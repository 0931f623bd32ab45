"""JSON is refused here where it says a thing twice, where it is too large, or where no database keeps it."""

from __future__ import annotations

import codecs
import re
from typing import IO, Any

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser

from pylantir_site.outside import strict_json

UNSTORABLE = "The JSON holds a null character or half of a surrogate pair, which no text may."
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class BodyTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is larger than any that is meant."
    default_code = "too_large"


class StrictJSONParser(JSONParser):
    """It refuses a name that stands twice, numbers that are none, and what PostgreSQL cannot keep.

    Django bounds bodies that it reads itself; what a parser reads is bounded here by the same setting.
    """

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            text = _body(stream).decode(_encoding(parser_context))
        except UnicodeDecodeError as error:
            raise ParseError("JSON parse error - the body is not text in its encoding.") from error
        try:
            parsed = strict_json.loads(text)
        except strict_json.JsonRefused as error:
            raise ParseError(f"JSON parse error - {error}") from error
        if not _is_storable(parsed):
            raise ParseError(UNSTORABLE)
        return parsed


def _body(stream: IO[Any]) -> bytes:
    """Return the body. Raises BodyTooLarge."""
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body: bytes = stream.read() if most is None else stream.read(most + 1)
    if most is not None and len(body) > most:
        raise BodyTooLarge
    return body


def _encoding(parser_context: Any) -> str:
    named = str((parser_context or {}).get("encoding") or settings.DEFAULT_CHARSET)
    try:
        return codecs.lookup(named).name
    except LookupError as error:
        raise ParseError("The body's character set is not known.") from error


def _is_storable(parsed: Any) -> bool:
    waiting = [parsed]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and _UNSTORABLE.search(value):
            return False
    return True
