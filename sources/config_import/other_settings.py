"""A configuration also says who may associate and where data live; both are judged here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from sources.config_import.entries import Configuration
from sources.config_import.values import ConfigError
from worklist.devices import from_config as associations
from worklist.models import Device


def allow(titles: tuple[str, ...]) -> list[str]:
    """Make devices for the AE titles that have none, all or nothing. Raises ConfigError."""
    before = _titles()
    try:
        with transaction.atomic():
            associations.apply({associations.ALLOWED: list(titles)})
    except ValidationError as error:
        raise ConfigError(" ".join(error.messages)) from error
    added = sorted(_titles() - before)
    lines = [f"allowed_aet: device {title} added." for title in added] or ["allowed_aet: unchanged."]
    if not titles:
        lines.append(
            f"allowed_aet is empty: the device {Device.ANY} lets any AE title associate, from any address. "
            "List the scanners, or disable it in the admin."
        )
    return lines


def databases(config: Configuration) -> Iterator[str]:
    """Say where the file's databases are not those that are in use."""
    users = "users" if "users" in connections else DEFAULT_DB_ALIAS
    for name, path, alias in (
        ("db_path", config.db_path, DEFAULT_DB_ALIAS),
        ("users_db_path", config.users_db_path, users),
    ):
        if path and not _is_in_use(path, alias):
            yield (
                f"{name}: {path} is not the database in use. The settings read it where PYLANTIR_CONFIG or "
                "--pylantir_config names this file; all is imported into the database in use."
            )


def _titles() -> set[str]:
    return set(Device.objects.values_list("ae_title", flat=True))


def _is_in_use(path: str, alias: str) -> bool:
    connection = connections[alias]
    try:
        wanted = Path(path).expanduser().absolute()
    except RuntimeError:  # ~ of nobody
        return False
    return connection.vendor == "sqlite" and wanted == Path(connection.settings_dict["NAME"]).absolute()
