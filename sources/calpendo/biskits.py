"""A value is found in an object of Calpendo's by its path, whichever shape the answer has.

`resource.name` may be a name of its own (`"resource.name": "3T"`), within `properties` or beside it, and an
object that stands where a text is wanted gives its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sources.calpendo.answers import Biskit

PROPERTIES = "properties"
HIDDEN = "<Hidden>"  # in place of what the user has no right to see
_NAMES = ("formattedName", "name")


class Contradiction(ValueError):
    """One object says two things of one path, or what is no single value; the text holds neither."""


def path_of(text: str) -> str:
    """Return a path as it is called here: `properties.` before it says nothing."""
    return text.strip().removeprefix(f"{PROPERTIES}.")


def text_at(biskit: Biskit, path: str) -> str | None:
    """Return the text at the path, "" for null or what is hidden, None where the answer has no such path.

    Raises Contradiction.
    """
    found = texts_at(biskit, path)
    said = tuple(dict.fromkeys(text for text in found if text))
    if len(said) > 1:
        raise Contradiction(f"The booking says {len(said)} different things of {path}.")
    return said[0] if said else ("" if found else None)


def texts_at(biskit: Biskit, path: str) -> tuple[str, ...]:
    """Return each text that the object has at the path, in any of its places. Raises Contradiction."""
    return tuple(_text(value, path) for value in _values(biskit, path))


def paths_in(biskit: Biskit) -> tuple[str, ...]:
    """Return the paths that an object has, each once: of its own values, and of those one level below."""
    inner = biskit.get(PROPERTIES)
    own = {name: value for name, value in biskit.items() if name != PROPERTIES}
    every = {**own, **(inner if isinstance(inner, Mapping) else {})}
    return tuple(dict.fromkeys(path for name, value in every.items() for path in _below(name, value)))


def _below(name: str, value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield name
        return
    yield from (f"{name}.{inner}" for inner, each in value.items() if not isinstance(each, Mapping | list))


def _values(biskit: Biskit, path: str) -> Iterator[Any]:
    for place in (biskit, biskit.get(PROPERTIES)):
        if isinstance(place, Mapping):
            yield from _within(place, path)


def _within(place: Mapping[str, Any], path: str) -> Iterator[Any]:
    """Yield what stands at the path: a name with dots may be one name, or lead from object to object."""
    if path in place:
        yield place[path]
    head, dot, rest = path.partition(".")
    while dot:
        below = place.get(head)
        if isinstance(below, Mapping):
            yield from _within(below, rest)
        more, dot, rest = rest.partition(".")
        head = f"{head}.{more}"


def _text(value: Any, path: str) -> str:
    if isinstance(value, Mapping):
        value = next((value[name] for name in _NAMES if value.get(name) is not None), None)
    if value is None or value == HIDDEN:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int):
        raise Contradiction(f"The booking has no single value at {path}.")
    return str(value).strip()
