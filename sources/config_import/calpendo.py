"""The original's Calpendo sources are read here, and each difference from what it did is told.

What it did is read off its code: calpendo_plugin.py of v0.3.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sources.calpendo import bookings, resources
from sources.calpendo.address import normalise_url
from sources.calpendo.states import Wish
from sources.config_import import calpendo_mapping, source_entry, values
from sources.config_import.calpendo_mapping import ReadMapping
from sources.config_import.entries import CalpendoEntry
from sources.config_import.values import ConfigError
from sources.mapping import conditions

TYPE = "calpendo"
UNNAMED = "calpendo"  # the original's sample gives it no name
ZONE_OF_THE_ORIGINAL = "America/Edmonton"

_WINDOW_MODES = ("rolling", "today")
_OF_SOURCE = frozenset(
    {"name", "type", "enabled", "sync_interval", "operation_interval", "config", "field_mapping"}
)
_OF_WINDOW = frozenset({"window_mode", "daily_window"})  # beside config, or in it
_OF_CONFIG = frozenset(
    {"base_url", "api_path", "resources", "status_filter", "lookback_multiplier", "timezone"}
    | {"resource_modality_mapping", "allowed_studies", "field_mapping"}
)
_KNOWN_STATES = (
    "Approved",
    "Pending",
    "Requested",
    "Tentative",
    "Denied",
    "Cancelled",
    "In Progress",
    "Completed",
)
# What the original offered as scheduled by a table of its own.
_SCHEDULED = frozenset({"Approved", "Pending"})

QUESTION = (
    "The original's question did not close its group of resources, so the state counted as one more "
    "alternative: it also got approved bookings of other resources, and those of these in any state. Here "
    "resources and states are what they say."
)
IDENTITY = (
    "A booking is known by its ID. The original knew it by patient ID and name: two of one subject were one "
    "row, and what was moved, renamed, cancelled or deleted stayed as it was."
)
TIMES = (
    "Times are the site's own; the original sent them in UTC, and took the wrong one in the night of autumn."
)
NO_MATCH = (
    "A title that fits no pattern is an issue; the original made the whole title the ID or the name, as it "
    "did where either was not mapped."
)
CANCELLED = (
    "Cancelled bookings are not offered, by their state or their flag; the original went on offering them, "
    "and offered whatever state it did not know."
)
NO_DURATION = (
    "How long a booking takes has no place in an item: the original computed it and kept it nowhere."
)


def read(name: str, entry: Mapping[str, Any], path: str, remarks: tuple[str, ...] = ()) -> CalpendoEntry:
    """Read the entry. Raises ConfigError for what makes no sense."""
    config = values.table({} if entry.get("config") is None else entry["config"], f"{path}.config")
    given = {key: entry[key] if key in entry else config[key] for key in _OF_WINDOW & {*entry, *config}}
    interval, said = source_entry.interval_of(entry.get("sync_interval"), f"{path}.sync_interval")
    asked = _resources(config.get("resources"), f"{path}.config.resources")
    modalities, of_modalities = _modalities(config, asked, f"{path}.config.resource_modality_mapping")
    mapping = calpendo_mapping.read(
        entry.get("field_mapping") or config.get("field_mapping"), f"{path}.field_mapping"
    )
    wanted, of_studies, doubts = _studies(
        config.get("allowed_studies"), mapping, f"{path}.config.allowed_studies"
    )
    states, of_states = _states(values.text(config.get("status_filter"), f"{path}.config.status_filter"))
    days_ahead, of_window = _window(given, path)
    zone = values.time_zone(config.get("timezone"), f"{path}.config.timezone")
    enabled = entry.get("enabled")
    return CalpendoEntry(
        name=name,
        url=_url(config.get("base_url"), f"{path}.config.base_url"),
        time_zone=zone or ZONE_OF_THE_ORIGINAL,
        resources=asked,
        modalities=modalities,
        states=states,
        enabled=None if enabled is None else values.boolean(enabled, f"{path}.enabled"),
        sync_interval=interval,
        window=source_entry.window_of(entry.get("operation_interval"), f"{path}.operation_interval"),
        days_ahead=days_ahead,
        conditions=wanted,
        further_paths=mapping.further_paths,
        rules=mapping.rules,
        remarks=(
            *remarks,
            *said,
            *values.unknown_keys(entry, _OF_SOURCE | _OF_WINDOW, path),
            *values.unknown_keys(config, _OF_CONFIG | _OF_WINDOW, f"{path}.config"),
            *([] if zone else [f"timezone is not given: {ZONE_OF_THE_ORIGINAL}, as in the original."]),
            *of_window,
            *of_states,
            *of_modalities,
            *of_studies,
            *mapping.lines,
            *(QUESTION, IDENTITY, TIMES, NO_MATCH, CANCELLED, NO_DURATION),
        ),
        doubts=doubts,
    )


def _url(value: object, path: str) -> str:
    text = values.text(value, path)
    if not text:
        raise ConfigError(f"{path} must be given: the address of the Calpendo.")
    try:
        return normalise_url(text)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error


def _resources(value: object, path: str) -> tuple[str, ...]:
    listed = values.listing(value if value is not None else [], path)
    found = tuple(values.text(name, f"{path}[{place}]") for place, name in enumerate(listed))
    if not found or not all(found):
        raise ConfigError(f"{path} must name the resources whose bookings are read.")
    return tuple(dict.fromkeys(found))


def _window(given: Mapping[str, Any], path: str) -> tuple[int, Iterator[str]]:
    """Return how many days ahead are read, and what is said of it: times of the day make it today's alone."""
    mode = values.text(given.get("window_mode"), f"{path}.window_mode") or "rolling"
    if mode not in _WINDOW_MODES:
        raise ConfigError(f"{path}.window_mode must be rolling or today.")
    daily = given.get("daily_window")
    if isinstance(daily, dict):
        for name in ("start_time", "end_time"):
            values.time_of_day(daily.get(name), f"{path}.daily_window.{name}")
    elif daily not in (None, True, False):
        raise ConfigError(f"{path}.daily_window must be an object, in {{ }}, or true.")
    is_today = mode == "today" or bool(daily)
    return (0, _told_today(daily)) if is_today else (1, iter([_ROLLING]))


_ROLLING = (
    "window_mode rolling: bookings of today and tomorrow are read, all of them at each pull; the original "
    "read those from a little before now to 24 hours ahead. Days ahead says more."
)


def _told_today(daily: object) -> Iterator[str]:
    yield "Today's bookings alone are read, as in the original, and all of them at each pull."
    if isinstance(daily, dict):
        yield "daily_window: its times are left out, for the original never read them."


def _states(wanted: str) -> tuple[str, list[str]]:
    """Return the table of states: wanted are those that the original asked for, or sent as scheduled."""
    scheduled = {wanted} if wanted else _SCHEDULED
    every = dict.fromkeys([*([wanted] if wanted else []), *_KNOWN_STATES])
    lines = [f"{state} = {Wish.WANTED if state in scheduled else Wish.NOT_WANTED}" for state in every]
    told = (
        f"status_filter: only bookings whose state is {wanted} are offered."
        if wanted
        else "Without a status_filter the original offered every booking; here Approved and Pending ones are."
    )
    return "\n".join(lines), [told, "Another state than those under States is an issue."]


def _modalities(
    config: Mapping[str, Any], asked: Sequence[str], path: str
) -> tuple[dict[str, str], list[str]]:
    """Return each resource's modality as the original found it: by its name, else by the first beginning."""
    value = config.get("resource_modality_mapping")
    table = values.table({} if value is None else value, path)
    given = {key: values.text(each, f"{path}.{key}") for key, each in table.items()}
    found: dict[str, str] = {}
    lines = []
    for name in asked:
        beginning = next((key for key in given if name.startswith(key)), None)
        modality = given[name] if name in given else given[beginning] if beginning is not None else ""
        problem = _refused(name, modality)
        if problem:
            lines.append(problem)
        else:
            found[name] = modality
    lines.append("The file names no scanner: say under Scanners which station each resource is.")
    return found, lines


def _refused(name: str, modality: str) -> str:
    """Say why a resource gets no line, or nothing."""
    if not modality:
        return (
            f"resource_modality_mapping has nothing for {name}: each of its bookings will be an issue. "
            "The original sent the resource's name as the modality."
        )
    try:
        resources.read(f"{name} = {modality}")
    except ValueError as error:
        return f"resource_modality_mapping: {error} Each booking of {name} will be an issue."
    return (
        f"{name} ends with *, which has a meaning under Scanners." if name.endswith(resources.ANY_END) else ""
    )


def _studies(value: object, mapping: ReadMapping, path: str) -> tuple[str, list[str], tuple[str, ...]]:
    """Return the condition, what is said of it, and why it cannot be written, if so."""
    listed = [] if value is None else values.listing(value, path)
    allowed = [values.text(each, f"{path}[{place}]") for place, each in enumerate(listed)]
    if not listed:
        return "", [], ()
    rule = next((rule for rule in mapping.rules if rule.target == "study_description"), None)
    is_of_project = rule is not None and rule.field.startswith("project.")
    if (
        rule is None
        or not all(allowed)
        or any("," in each for each in allowed)
        or (rule.transforms and not is_of_project)
    ):
        return (
            "",
            [],
            (f"{path}: write it as a condition under Sessions, such as {bookings.PROJECT} in A, B.",),
        )
    field = bookings.PROJECT if is_of_project else rule.field
    line = f"{field} in {', '.join(allowed)}"
    conditions.parse(line)
    told = f"allowed_studies: only where {line}."
    if field != rule.field or rule.transforms:
        told += f" The original compared what it made of {rule.field}."
    return line, [told], ()
