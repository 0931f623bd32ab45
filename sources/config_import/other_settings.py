"""A configuration also says who may associate and where data live; both are judged here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from sources.config_import.entries import Configuration, SourceEntry
from sources.config_import.values import ConfigError
from worklist.devices import from_config as associations
from worklist.models import Device

ALL_DAYS = (
    "mwl_days_ahead is not given: the original since 0.4 then offers today's items alone, here a scanner is "
    "offered those of all days. Days back and days ahead are on the page of each device."
)


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


def offer_days(config: Configuration) -> Iterator[str]:
    """Give the file's devices the days that its sources are offered: the original keeps them by source."""
    pulled = [
        entry for entry in config.sources if isinstance(entry, SourceEntry) and entry.enabled is not False
    ]
    given = {entry.name: entry.days_ahead for entry in pulled if entry.days_ahead is not None}
    if not given:
        yield from [ALL_DAYS] if pulled else []
        return
    days = max(given.values())
    if len({entry.days_ahead or 0 for entry in pulled}) > 1:
        each = ", ".join(f"{entry.name} {entry.days_ahead or 0}" for entry in pulled)
        yield f"mwl_days_ahead differs ({each}): a device has one rule for all sources, and gets the largest."
    titles = config.allowed_aet or ((Device.ANY,) if config.allowed_aet is not None else ())
    if not titles:
        yield f"mwl_days_ahead: the file names no device. On each scanner's page set {_days_of_device(days)}."
    for title in titles:
        yield _limited(title, days)


def _limited(title: str, days: int) -> str:
    if not Device.objects.filter(ae_title=title).exists():
        return f"mwl_days_ahead: there is no device {title}."
    if associations.limit_days(title, days_ahead=days):
        span = "today's items" if days == 0 else f"items of today and of {days} days after it"
        return f"mwl_days_ahead: the device {title} is offered {span}, whatever made them, and none before."
    return (
        f"mwl_days_ahead: the device {title} is left as people made it; the original's rule is "
        f"{_days_of_device(days)}."
    )


def _days_of_device(days: int) -> str:
    return f"days back 0 and days ahead {days}"


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
