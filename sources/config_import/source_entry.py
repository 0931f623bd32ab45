"""One source's entry is read: how often and when it is pulled, with what credentials, for which site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any
from urllib.parse import urlsplit

from sources.config_import import pairs, values
from sources.config_import.entries import Credentials, Environment, PatientIds, SourceEntry
from sources.config_import.values import ConfigError
from sources.mapping.rules import SessionKind, SessionLayout
from sources.redcap.address import normalise_url

# Types of the original, and where each has its URL and token.
ENVIRONMENTS = {
    "redcap": Environment(),
    "redcap_concussion": Environment("REDCAP_API_URL_CONCUSSION", "REDCAP_API_TOKEN_CONCUSSION"),
}
MOST_DAYS_AHEAD = 32_767
LEAST_INTERVAL = 30  # seconds
ALWAYS = (time(0, 0), time(23, 59))

_KEYS = frozenset(
    {"name", "type", "enabled", "sync_interval", "operation_interval", "config", "field_mapping"}
    | {"mri_visit_session_mapping"}
)
_CONFIG_KEYS = frozenset(
    {"api_url", "api_token", "api_token_env", "api_token_file", "project_id", "server_timezone"}
    | {"session", "site", "site_id", "protocol", "mri_visit_session_mapping"}
    | {"mwl_days_ahead", "patient_ids"}
)


@dataclass(frozen=True)
class EntryPaths:
    """They tell where a source's parts are in the file, for what is said about them."""

    entry: str
    interval: str
    window: str
    config: str
    site: str
    mapping: str


LEGACY_PATHS = EntryPaths("", "db_update_interval", "operation_interval", "config", "site", "redcap2wl")


def paths_within(path: str) -> EntryPaths:
    return EntryPaths(
        entry=path,
        interval=f"{path}.sync_interval",
        window=f"{path}.operation_interval",
        config=f"{path}.config",
        site=f"{path}.config.site_id",
        mapping=f"{path}.field_mapping",
    )


def read(
    entry: Mapping[str, Any], top: Mapping[str, Any], paths: EntryPaths, remarks: tuple[str, ...] = ()
) -> SourceEntry:
    """Read the entry. `top` is the whole file, whose `protocol` has the sites' table. Raises ConfigError."""
    config = values.table({} if entry.get("config") is None else entry["config"], paths.config)
    interval, said = interval_of(entry.get("sync_interval"), paths.interval)
    site_id = values.name_or_number(_site(config, paths), paths.site)
    protocol, designator = _protocol(config, top, site_id, paths)
    enabled = entry.get("enabled")
    return SourceEntry(
        name=entry["name"],
        enabled=None if enabled is None else values.boolean(enabled, f"{paths.entry}.enabled"),
        sync_interval=interval,
        window=window_of(entry.get("operation_interval"), paths.window),
        credentials=_credentials(config, paths.config),
        environment=ENVIRONMENTS[str(entry.get("type") or "redcap").strip().lower()],
        project_id=_project_id(config, paths.config),
        server_timezone=values.time_zone(config.get("server_timezone"), f"{paths.config}.server_timezone"),
        sessions=_sessions(config.get("session"), f"{paths.config}.session"),
        site_id=site_id,
        protocol_name=protocol,
        hisris_coding_designator=designator,
        pairs=pairs.read(entry.get("field_mapping"), paths.mapping),
        session_codes=_session_codes(entry, config, top),
        patient_ids=_patient_ids(config.get("patient_ids"), f"{paths.config}.patient_ids"),
        days_ahead=_days_ahead(config.get("mwl_days_ahead"), f"{paths.config}.mwl_days_ahead"),
        remarks=(
            *remarks,
            *said,
            *_unread_keys(entry, config, top, paths),
            *_protocol_remarks(top, site_id, protocol),
        ),
    )


def _unread_keys(
    entry: Mapping[str, Any], config: Mapping[str, Any], top: Mapping[str, Any], paths: EntryPaths
) -> Iterator[str]:
    yield from values.unknown_keys(entry, _KEYS, paths.entry)
    yield from values.unknown_keys(config, _CONFIG_KEYS, paths.config)
    nested = [given["mri_visit_session_mapping"] for given in _with_visits(entry, config, top)]
    if nested and not _session_codes(entry, config, top):
        yield "mri_visit_session_mapping is no flat table: it is left out, and the original never read it."


def interval_of(value: object, path: str) -> tuple[int, tuple[str, ...]]:
    if value is None:
        return 60, ()
    seconds = values.whole_number(value, path, least=0, most=86_400)
    if seconds < LEAST_INTERVAL:
        return LEAST_INTERVAL, (f"{path} is {seconds}: {LEAST_INTERVAL} seconds is the least.",)
    return seconds, ()


def window_of(value: object, path: str) -> tuple[time, time] | None:
    if value is None:
        return None
    given = values.table(value, path)
    start, end = given.get("start_time", [0, 0]), given.get("end_time", [23, 59])
    window = values.time_of_day(start, f"{path}.start_time"), values.time_of_day(end, f"{path}.end_time")
    return None if window == ALWAYS or window[0] == window[1] else window


def _site(config: Mapping[str, Any], paths: EntryPaths) -> object:
    site, site_id = config.get("site"), config.get("site_id")
    if site is not None and site_id is not None and str(site) != str(site_id):
        raise ConfigError(f"{paths.config} has a site and another site_id: keep one of them.")
    return site if site_id is None else site_id


def _credentials(config: Mapping[str, Any], path: str) -> Credentials:
    names = ("api_url", "api_token", "api_token_env", "api_token_file")
    given = {name: values.text(config.get(name), f"{path}.{name}") for name in names}
    if len([name for name in names[1:] if given[name]]) > 1:
        raise ConfigError(f"{path} must have only one of {', '.join(names[1:])}.")
    if given["api_url"]:
        check_url(given["api_url"], f"{path}.api_url")
    return Credentials(**given)


def check_url(url: str, path: str) -> None:
    """Refuse what is no URL of a REDCap API. Raises ConfigError."""
    try:
        normalise_url(url)
        _ = urlsplit(url).port  # a port out of range is told only when it is asked for
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error


def _project_id(config: Mapping[str, Any], path: str) -> int | None:
    value = config.get("project_id")
    return (
        None if value is None else values.whole_number(value, f"{path}.project_id", least=1, most=2**31 - 1)
    )


def _patient_ids(value: object, path: str) -> PatientIds | None:
    found = values.text(value, path)
    if found not in ("", *PatientIds):
        raise ConfigError(f"{path} must be old or whole.")
    return PatientIds(found) if found else None


def _days_ahead(value: object, path: str) -> int | None:
    return None if value is None else values.whole_number(value, path, least=0, most=MOST_DAYS_AHEAD)


def _sessions(value: object, path: str) -> SessionLayout | None:
    if value is None:
        return None
    given = values.table(value, path)
    kinds = [kind.value for kind in SessionKind if kind is not SessionKind.ROW]
    kind = values.text(given.get("kind"), f"{path}.kind")
    if kind not in kinds:
        raise ConfigError(f"{path}.kind must be one of {', '.join(kinds)}.")
    events = values.listing(given.get("events") or [], f"{path}.events")
    return SessionLayout(
        kind=SessionKind(kind),
        instrument=values.text(given.get("instrument"), f"{path}.instrument"),
        events=tuple(values.text(event, f"{path}.events[{place}]") for place, event in enumerate(events)),
    )


def _protocol(
    config: Mapping[str, Any], top: Mapping[str, Any], site_id: str, paths: EntryPaths
) -> tuple[str, str]:
    """Return the protocol's name and its coding scheme designator: the source's own before the file's."""
    name, designator = _of_site(config.get("protocol"), site_id, f"{paths.config}.protocol")
    common_name, common_designator = _of_site(top.get("protocol"), site_id, "protocol")
    return name or common_name, designator or common_designator


def _of_site(value: object, site_id: str, path: str) -> tuple[str, str]:
    """Read a name, or a table of sites in which `mapping` is the designator."""
    if not isinstance(value, dict):
        return values.text(value, path), ""
    sites = values.table(value, path)
    name = values.text(sites.get(site_id), f"{path}.{site_id}") if site_id and site_id != "mapping" else ""
    return name, values.text(sites.get("mapping"), f"{path}.mapping")


def _protocol_remarks(top: Mapping[str, Any], site_id: str, protocol: str) -> Iterator[str]:
    if not protocol and top.get("protocol"):
        whose = f"the site {site_id}" if site_id else "a source without site"
        yield f"protocol has none for {whose}: it stays empty."


def _session_codes(
    entry: Mapping[str, Any], config: Mapping[str, Any], top: Mapping[str, Any]
) -> dict[str, str]:
    """Return the flat table from visits to session numbers, or nothing."""
    for given in _with_visits(entry, config, top):
        found = given["mri_visit_session_mapping"]
        try:
            flat = values.table(found, "mri_visit_session_mapping")
            return {key.strip(): values.name_or_number(value, key) for key, value in flat.items()}
        except ConfigError:
            return {}
    return {}


def _with_visits(
    entry: Mapping[str, Any], config: Mapping[str, Any], top: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    return [given for given in (config, entry, top) if given.get("mri_visit_session_mapping")]
