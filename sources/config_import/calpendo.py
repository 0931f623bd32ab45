"""The original's Calpendo sources are told in words: nothing is pulled from Calpendo yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sources.config_import import values
from sources.config_import.values import ConfigError

TYPE = "calpendo"
UNNAMED = "calpendo"  # the original's sample gives it no name

_WINDOW_MODES = ("rolling", "today")
_OF_SOURCE = frozenset(
    {"name", "type", "enabled", "sync_interval", "operation_interval", "config", "field_mapping"}
)
_OF_WINDOW = frozenset({"window_mode", "daily_window"})  # beside config, or in it
_OF_CONFIG = frozenset(
    {"base_url", "api_path", "resources", "status_filter", "lookback_multiplier", "timezone"}
    | {"resource_modality_mapping", "allowed_studies", "field_mapping"}
)


def describe(entry: Mapping[str, Any], path: str) -> str:
    """Say what the source is set to, and that it is left out. Raises ConfigError for what makes no sense."""
    config = values.table({} if entry.get("config") is None else entry["config"], f"{path}.config")
    given = {key: entry[key] if key in entry else config[key] for key in _OF_WINDOW & {*entry, *config}}
    sentences = [
        f"{path}.type: Calpendo is not read yet: this source is left out, and nothing of it is kept.",
        _window(given, path),
        *_settings(config, path),
        *values.unknown_keys(entry, _OF_SOURCE | _OF_WINDOW, path),
        *values.unknown_keys(config, _OF_CONFIG | _OF_WINDOW, f"{path}.config"),
    ]
    return " ".join(sentences)


def _window(given: Mapping[str, Any], path: str) -> str:
    """Say which bookings are read and offered: times of the day stand above the mode, as in the original."""
    mode = values.text(given.get("window_mode"), f"{path}.window_mode") or "rolling"
    if mode not in _WINDOW_MODES:
        raise ConfigError(f"{path}.window_mode must be rolling or today.")
    if given.get("daily_window"):
        start, end = _times(given["daily_window"], f"{path}.daily_window")
        night = " on the next day" if end <= start else ""
        return f"daily_window: only today's bookings, from {start:%H:%M} to {end:%H:%M}{night}."
    if mode == "today":
        return "window_mode today: only today's bookings, from midnight to midnight."
    return "window_mode rolling: bookings from a little before now to 24 hours ahead."


def _times(value: object, path: str) -> tuple[Any, Any]:
    window = values.table(value, path)
    found = [values.time_of_day(window.get(name), f"{path}.{name}") for name in ("start_time", "end_time")]
    return found[0], found[1]


def _settings(config: Mapping[str, Any], path: str) -> Iterator[str]:
    named = [key for key in sorted(_OF_CONFIG) if config.get(key) not in (None, "", [], {})]
    if named:
        yield f"Keep for later what {path}.config says: {', '.join(named)}."
    if "resources" in config:
        values.listing(config["resources"], f"{path}.config.resources")
