"""JSON is read here as RFC 8259 recommends it to be written: each name once, and numbers that are numbers.

Python's reader lets the last of two like names win, takes NaN and Infinity, which are no JSON, and makes
infinity of 1e999. Whoever wrote such a text and whoever reads it may mean different things.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

DEEPEST = 64  # lists and objects within each other
LONGEST_NUMBER = 400  # digits; the largest double has 309
LONGEST_NAMED = 100  # characters of a name in a text for people


class JsonRefused(ValueError):
    """The text says what is wrong; of what was sent it holds a name at most."""


class TooMany(JsonRefused):
    """It says more than was asked for; the text says of what."""


@dataclass(frozen=True)
class Most:
    """So much of each a text may have. What a reader makes of it takes many times the text's bytes."""

    objects: int = 1_000_000
    names: int = 5_000  # in one object
    values: int = 10_000_000


def loads(text: str | bytes, *, most: Most | None = None, decimal: Callable[[str], Any] | None = None) -> Any:
    """Return what the JSON says. Raises JsonRefused. `decimal` reads numbers with a fraction or exponent."""
    try:
        given = text if isinstance(text, str) else str(text, json.detect_encoding(text))
        if most is not None:
            _refuse_many(given, most)
        return _within_depth(
            json.loads(
                given.removeprefix("\ufeff"),  # Notepad begins files with this mark
                object_pairs_hook=_Objects(most),
                parse_constant=_refused_constant,
                parse_float=decimal or _finite,
                parse_int=_whole,
            )
        )
    except JsonRefused:
        raise
    except RecursionError:
        raise JsonRefused(TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise JsonRefused(
            f"It is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from None
    except ValueError:
        raise JsonRefused("It is not JSON in UTF-8.") from None


TOO_DEEP = f"More than {DEEPEST} lists and objects stand within each other: the JSON is nested too deeply."


class _Objects:
    """It makes each object, from the inside out, and counts them."""

    def __init__(self, most: Most | None) -> None:
        self.most = most
        self.made = 0

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self.made += 1
        if self.most is not None:
            if self.made > self.most.objects:
                raise TooMany(f"The JSON has more than {self.most.objects} objects.")
            if len(pairs) > self.most.names:
                raise TooMany(f"The JSON has an object with more than {self.most.names} names.")
        made = dict(pairs)
        if len(made) < len(pairs):
            raise JsonRefused(f'The JSON says "{_twice(pairs)}" twice in one object: which is meant?')
        return made


def _twice(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return name if len(name) <= LONGEST_NAMED else f"{name[:LONGEST_NAMED]}..."
        seen.add(name)
    raise AssertionError("There is no such name.")


def _refuse_many(text: str, most: Most) -> None:
    """Refuse what lists within lists or short values could make of the memory, before it is read."""
    if text.count("[") > most.objects or text.count(",") > most.values:
        raise TooMany(f"The JSON has more than {most.values} values, or {most.objects} lists.")


def _refused_constant(constant: str) -> Any:
    raise JsonRefused(f"The JSON holds {constant}, which is no number.")


def _finite(written: str) -> float:
    number = float(written)
    if len(written) > LONGEST_NUMBER or not math.isfinite(number):
        raise JsonRefused(TOO_LARGE)
    return number


def _whole(written: str) -> int:
    if len(written) > LONGEST_NUMBER:
        raise JsonRefused(TOO_LARGE)
    return int(written)


TOO_LARGE = "The JSON holds a number that is too large."


def _within_depth(content: Any) -> Any:
    """Return the content, whose lists and objects are nested no deeper than whoever reads it can go."""
    level = [content] if isinstance(content, dict | list) else []
    for _ in range(DEEPEST):
        if not level:
            return content
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, dict | list)
        ]
    if level:
        raise JsonRefused(TOO_DEEP)
    return content
