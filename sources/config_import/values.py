"""Each value of a JSON document is read as what it must be, or refused by its path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class ConfigError(Exception):
    """It says what is wrong with a configuration, by the value's path: `data_sources[1].sync_interval`."""


def table(value: object, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{path} must be an object, in {{ }}.")
    for key in value:
        if not key.isprintable() or not key.strip():
            raise ConfigError(f"{path} has a key that is empty or has characters that cannot be shown.")
    return value


def listing(value: object, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise ConfigError(f"{path} must be a list, in [ ].")
    return value


def text(value: object, path: str) -> str:
    """Return it without white space at its ends; absent (null) is empty."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ConfigError(f"{path} must be a text, in quotation marks.")
    if not value.strip().isprintable():
        raise ConfigError(f"{path} has characters that cannot be shown.")
    return value.strip()


def name_or_number(value: object, path: str) -> str:
    """Read a site or a code: people write 792 as well as "792"."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    return text(value, path)


def whole_number(value: object, path: str, *, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigError(f"{path} must be a whole number.")
    if not least <= value <= most:
        raise ConfigError(f"{path} must be from {least} to {most}.")
    return value


def boolean(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{path} must be true or false.")
    return value


def time_of_day(value: object, path: str) -> time:
    parts = listing(value, path)
    if len(parts) != 2:
        raise ConfigError(f"{path} must be [hours, minutes].")
    hours = whole_number(parts[0], f"{path}[0]", least=0, most=23)
    return time(hours, whole_number(parts[1], f"{path}[1]", least=0, most=59))


def time_zone(value: object, path: str) -> str:
    name = text(value, path)
    try:
        if name:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"{path} must be an IANA time zone such as America/Edmonton.") from error
    return name


def unknown_keys(given: Iterable[str], known: Iterable[str], path: str = "") -> list[str]:
    """Return a sentence that names the keys which nothing reads."""
    strange = sorted(set(given) - set(known))
    where = f"{path}: " if path else ""
    return [f"{where}not known, and ignored: {', '.join(strange)}."] if strange else []
