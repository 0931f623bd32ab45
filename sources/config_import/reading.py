"""A configuration is read in either format: the new one (`data_sources`) or the legacy one (`redcap2wl`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pylantir_site.environment.config_file import KEYS, OF_API, OF_LEGACY
from sources.config_import import calpendo, source_entry, values
from sources.config_import.entries import CalpendoEntry, Configuration, RefusedEntry, SourceEntry
from sources.config_import.values import ConfigError

LEGACY_NAME = "redcap_legacy"  # as the original names what it converts
LEGACY_WARNING = (
    "Legacy configuration format detected. "
    "Consider migrating to 'data_sources' format for better flexibility."
)
SOURCES, LEGACY = "data_sources", "redcap2wl"
REDCAP = "redcap"
ReadEntry = SourceEntry | CalpendoEntry | RefusedEntry


def read(config: object) -> Configuration:
    """Raise ConfigError for what concerns the whole file; a source's own mistakes refuse that source."""
    top = values.table(config, "The configuration")
    if not top.keys() & KEYS:
        raise ConfigError(f"This is no configuration of pylantir: it has neither {SOURCES} nor {LEGACY}.")
    listed = values.listing(top.get(SOURCES, []), SOURCES)
    is_legacy = not listed and LEGACY in top
    sources = [_legacy(top)] if is_legacy else _refuse_repeated(_sources(listed, top))
    return Configuration(
        sources=tuple(sources),
        allowed_aet=_titles(top["allowed_aet"]) if "allowed_aet" in top else None,
        db_path=values.text(top.get("db_path"), "db_path"),
        users_db_path=values.text(top.get("users_db_path"), "users_db_path"),
        remarks=(*_format_remarks(top, is_legacy=is_legacy), *_server_remarks(top)),
    )


def _titles(value: object) -> tuple[str, ...]:
    entries = enumerate(values.listing(value, "allowed_aet"))
    return tuple(values.text(title, f"allowed_aet[{place}]") for place, title in entries)


def _format_remarks(top: Mapping[str, Any], *, is_legacy: bool) -> Iterator[str]:
    if is_legacy:
        yield LEGACY_WARNING
        if SOURCES in top:
            yield f"{SOURCES} is empty: {LEGACY} is used."
    elif top.get(SOURCES):
        ignored = sorted(OF_LEGACY & top.keys())
        if ignored:
            yield f"Of the legacy format, and ignored beside {SOURCES}: {', '.join(ignored)}."
    else:
        yield f"The file names no source: neither {SOURCES} nor {LEGACY}."
    yield from values.unknown_keys(top, KEYS)


def _server_remarks(top: Mapping[str, Any]) -> Iterator[str]:
    if "db_echo" in top:
        yield "db_echo is ignored: what is sent to the database is not printed."
    if top.get("api") is not None:
        api = values.table(top["api"], "api")
        yield "api: the CORS settings are read at each start from PYLANTIR_CONFIG; they are not imported."
        yield from values.unknown_keys(api, OF_API, "api")


def _legacy(top: Mapping[str, Any]) -> SourceEntry | RefusedEntry:
    """Read the legacy format by the steps of the original's own migration note."""
    entry = {
        "name": LEGACY_NAME,
        "sync_interval": top.get("db_update_interval"),
        "operation_interval": top.get("operation_interval"),
        "config": {"site_id": top.get("site")},
        "field_mapping": top[LEGACY],
    }
    return _entry(entry, top, source_entry.LEGACY_PATHS, LEGACY_NAME)


def _sources(listed: list[Any], top: Mapping[str, Any]) -> Iterator[ReadEntry]:
    for place, entry in enumerate(listed):
        path = f"{SOURCES}[{place}]"
        try:
            given = values.table(entry, path)
            kind = (values.text(given.get("type"), f"{path}.type") or REDCAP).lower()
            name, remarks = _name(
                given.get("name"), f"{path}.name", calpendo.UNNAMED if kind == calpendo.TYPE else ""
            )
        except ConfigError as error:
            yield RefusedEntry(path, str(error))
            continue
        if kind in source_entry.ENVIRONMENTS:
            paths = source_entry.paths_within(path)
            yield _entry({**given, "name": name}, top, paths, name, remarks)
        elif kind == calpendo.TYPE:
            yield _calpendo(name, given, path, remarks)
        else:
            yield RefusedEntry(
                name, f"{path}.type: sources of the type {kind} are not supported. It is left out."
            )


def _calpendo(
    name: str, entry: Mapping[str, Any], path: str, remarks: tuple[str, ...]
) -> CalpendoEntry | RefusedEntry:
    try:
        return calpendo.read(name, entry, path, remarks)
    except ConfigError as error:
        return RefusedEntry(name, str(error))


def _name(value: object, path: str, otherwise: str = "") -> tuple[str, tuple[str, ...]]:
    given = values.name_or_number(value, path) or otherwise
    if not given:
        raise ConfigError(f"{path} must be given.")
    name = re.sub(r"^[^A-Za-z0-9]+|[^A-Za-z0-9_.-]", "_", given).lstrip("_.-")
    if not name or len(name) > 80:
        raise ConfigError(f"{path} must be a name of at most 80 letters, digits and - . _")
    return name, () if name == given else (
        f"It is named {name} here, for a name has letters, digits and - . _",
    )


def _entry(
    entry: Mapping[str, Any],
    top: Mapping[str, Any],
    paths: source_entry.EntryPaths,
    name: str,
    remarks: tuple[str, ...] = (),
) -> SourceEntry | RefusedEntry:
    try:
        return source_entry.read(entry, top, paths, remarks)
    except ConfigError as error:
        return RefusedEntry(name, str(error))


def _refuse_repeated(sources: Iterator[ReadEntry]) -> Iterator[ReadEntry]:
    seen: set[str] = set()
    for source in sources:
        is_second = not isinstance(source, RefusedEntry) and source.name in seen
        yield (
            RefusedEntry(source.name, "Another source of the file has this name already.")
            if is_second
            else source
        )
        seen.add(source.name)
