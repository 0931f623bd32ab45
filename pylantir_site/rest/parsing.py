"""JSON is refused here where the database could not keep it."""

from __future__ import annotations

from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

UNSTORABLE = "The JSON holds a null character or half of a surrogate pair, which no text may."


class StrictJSONParser(JSONParser):
    """It refuses null characters and lone surrogates, which JSON allows and PostgreSQL cannot keep."""

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            parsed = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        except ValueError as error:  # a number of thousands of digits
            raise ParseError("The JSON cannot be read.") from error
        if not _is_storable(parsed):
            raise ParseError(UNSTORABLE)
        return parsed


def _is_storable(parsed: Any) -> bool:
    waiting = [parsed]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
            return False
    return True
