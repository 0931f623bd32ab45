"""The disk, the database, the version and the files of certificates are looked at when they are asked for."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import django
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from pylantir_site import __version__
from pylantir_site.counting import certificates
from pylantir_site.metrics.families import Family, Labels, gauge, one
from sources.models.data_sources import details_models


def families_without_database() -> Iterator[Family]:
    """Yield what can be told while the database does not answer."""
    yield gauge(
        "build_info",
        "1; what runs here is in the labels.",
        [((__version__, platform.python_version(), django.get_version(), _vendor()), 1)],
        ("version", "python", "django", "database"),
    )
    try:
        disk = shutil.disk_usage(settings.DATA_DIR)
    except OSError:  # the folder is gone
        return
    yield one("disk_free_bytes", "Bytes free where the data are.", disk.free)
    yield one("disk_size_bytes", "Bytes of the disk where the data are.", disk.total)


def families() -> Iterator[Family]:
    yield one("database_size_bytes", "Bytes that the database takes.", _database_size())
    yield gauge(
        "source_authority_end_timestamp_seconds",
        "When the certificates end that a source's connection trusts.",
        authority_ends(),
        ("source", "file"),
    )


def authority_ends() -> list[tuple[Labels, float]]:
    """Return when the authorities' certificates of each source end, by its name and the file's."""
    bundles = sorted(
        named
        for model in details_models()
        if (column := model.host_columns.get("certificates_at"))
        for named in model._default_manager.exclude(**{column: ""}).values_list("source__name", column)
    )
    return [
        ((name, Path(bundle).name), end) for name, bundle in bundles if (end := _end_of(bundle)) is not None
    ]


def _vendor() -> str:
    return connections[DEFAULT_DB_ALIAS].vendor


def _database_size() -> int:
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "sqlite":
        file = Path(connection.settings_dict["NAME"])
        parts = (file, Path(f"{file}-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def _end_of(bundle: str) -> float | None:
    try:
        changed = Path(bundle).stat().st_mtime_ns
    except OSError:
        return None
    return _read_end(bundle, changed)


@lru_cache(maxsize=64)
def _read_end(bundle: str, changed: int) -> float | None:
    """Return the end; it is read again when the file has changed."""
    ends = certificates.end_of(Path(bundle))
    return ends.timestamp() if ends else None
