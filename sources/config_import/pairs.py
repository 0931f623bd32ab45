"""The field mapping of a source is read here: names in pairs, or a field with all that its row says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sources.config_import import values
from sources.config_import.entries import Pair, RowDetails
from sources.config_import.values import ConfigError
from sources.mapping.patterns import InvalidPattern, Pattern
from sources.mapping.rules import Level

_KEYS = frozenset(
    {"target", "values", "template", "pattern", "group", "level", "event", "default", "required"}
)


def read(value: object, path: str) -> tuple[Pair, ...]:
    """Read the pairs. Raises ConfigError."""
    given = values.table({} if value is None else value, path)
    return tuple(_pair(left.strip(), right, f"{path}.{left}") for left, right in given.items())


def _pair(left: str, right: object, path: str) -> Pair:
    if len(left) > 100:
        raise ConfigError(f"{path}: a field's name has at most 100 characters.")
    if not isinstance(right, dict):
        return Pair(left, _target(right, path))
    given = values.table(right, path)
    strange = values.unknown_keys(given, _KEYS, path)
    if strange:  # a misspelt "required" must not be taken as absent
        raise ConfigError(strange[0])
    return Pair(left, _target(given.get("target"), f"{path}.target"), _details(given, path))


def _target(value: object, path: str) -> str:
    target = values.text(value, path)
    if not target or len(target) > 100:
        raise ConfigError(f"{path} must be a name of at most 100 characters.")
    return target


def _details(given: Mapping[str, Any], path: str) -> RowDetails:
    default = values.name_or_number(given.get("default"), f"{path}.default")
    if len(default) > 200:
        raise ConfigError(f"{path}.default must have at most 200 characters.")
    pattern = values.text(given.get("pattern"), f"{path}.pattern")
    return RowDetails(
        values=_codes(given.get("values"), f"{path}.values"),
        template=values.text(given.get("template"), f"{path}.template"),
        pattern=pattern,
        group=_group(given.get("group"), pattern, f"{path}.group"),
        level=_level(given.get("level"), f"{path}.level"),
        events=_events(given.get("event"), f"{path}.event"),
        default=default,
        required=values.boolean(given.get("required", False), f"{path}.required"),
    )


def _codes(value: object, path: str) -> dict[str, str]:
    given = values.table({} if value is None else value, path)
    return {code.strip(): values.name_or_number(found, f"{path}.{code}") for code, found in given.items()}


def _group(value: object, pattern: str, path: str) -> str:
    """Return the first group of the expression unless another is named; 0 is all that fits."""
    if not pattern:
        if value is not None:
            raise ConfigError(f"{path} is a group of a pattern, and none is given.")
        return ""
    try:
        groups = Pattern(pattern).groups
    except InvalidPattern as error:
        raise ConfigError(
            f"{path.removesuffix('.group')}.pattern is no regular expression: {error}."
        ) from error
    if value is not None:
        return values.name_or_number(value, path)
    return "1" if groups else "0"


def _level(value: object, path: str) -> Level | None:
    level = values.text(value, path)
    if level not in ("", *Level):
        raise ConfigError(f"{path} must be record or session.")
    return Level(level) if level else None


def _events(value: object, path: str) -> tuple[str, ...]:
    entries = value if isinstance(value, list) else [value]
    events = [values.text(event, path) for event in entries]
    return tuple(word for event in events for word in event.split())
