"""One source of Calpendo's is imported: nothing is asked, all is saved, every difference told."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from sources.calpendo import resources
from sources.calpendo.client import BOOKING_TYPE
from sources.calpendo.dictionary import dictionary_of
from sources.config_import import saving
from sources.config_import.entries import CalpendoEntry
from sources.config_import.values import ConfigError
from sources.mapping import check
from sources.models import CalpendoSite, DataSource

KIND = "calpendo"
USER, PASSWORD = "CALPENDO_USERNAME", "CALPENDO_PASSWORD"
BECAME = {
    saving.NEW: "imported, as an experimental source.",
    saving.CHANGED: "updated; all of its bookings will be read again.",
    saving.UNCHANGED: "unchanged.",
}
DAYS_BACK = 1  # an examination may end after midnight
LOOK_FIRST = (
    "It is disabled, for Calpendo is experimental here: look at Test connection and at Preview, which offers "
    "to enable it."
)


class _NoSecret:
    """No file has a password: the environment does, or people gave one meanwhile."""

    def give(self, details: Any, *, by: str) -> bool:
        return False


def import_source(entry: CalpendoEntry, existing: DataSource | None, *, actor: str) -> list[str]:
    """Import the source and return lines for people. Raises ConfigError, and then it is as it was."""
    if existing is not None and existing.kind != KIND:
        raise ConfigError("There is a source of this name already, of another kind: name it otherwise.")
    site = existing.calpendo if existing else None
    credentials, of_credentials = _credentials(entry, site)
    dictionary = dictionary_of(
        BOOKING_TYPE, [], [*entry.further_paths, *(rule.field for rule in entry.rules)]
    )
    scanners, of_scanners = _scanners(entry, site)
    wanted = saving.WantedSource(
        source=existing or _new_source(entry),
        values=_values(entry, existing),
        details={
            "url": entry.url,
            "time_zone": entry.time_zone,
            "resources": "\n".join(entry.resources),
            "scanners": scanners,
            "further_paths": "\n".join(entry.further_paths),
            **credentials,
            **({} if site else {"states": entry.states}),
        },
        secret=_NoSecret(),
        rules=entry.rules,
        dictionary=None,
    )
    became = saving.save(wanted, actor=actor)
    source = DataSource.objects.get(name=entry.name)
    mistakes = [mistake.text for mistake in check.mistakes(source.plan, dictionary)]
    return [
        BECAME[became],
        *entry.remarks,
        *of_credentials,
        *of_scanners,
        *(["States, conditions and days are left as people have them."] if existing else []),
        *mistakes,
        *entry.doubts,
        *([] if source.enabled else [LOOK_FIRST]),
    ]


def _new_source(entry: CalpendoEntry) -> DataSource:
    source = DataSource(name=entry.name, kind=KIND)
    source.details = CalpendoSite()
    return source


def _values(entry: CalpendoEntry, existing: DataSource | None) -> dict[str, Any]:
    """Return what the file governs; a new source begins with more, and disabled."""
    start, end = entry.window or (None, None)
    governed = {"sync_interval": entry.sync_interval, "window_start": start, "window_end": end}
    if existing is not None:
        return {**governed, "enabled": existing.enabled and entry.enabled is not False}
    return {
        **governed,
        "enabled": False,
        "horizon_back_days": DAYS_BACK,
        "horizon_ahead_days": entry.days_ahead,
        "session_conditions": entry.conditions,
    }


def _credentials(entry: CalpendoEntry, site: CalpendoSite | None) -> tuple[dict[str, str], list[str]]:
    """Leave what people gave. Raises ConfigError where a stored password would go to another server."""
    if site is None or not (site.has_user and site.has_password):
        told = f"User and password are read from {USER} and {PASSWORD} at each pull."
        return {"user_variable": USER, "password_variable": PASSWORD}, [told]
    if site.password_cipher and urlsplit(site.url).netloc != urlsplit(entry.url).netloc:
        raise ConfigError(
            "config.base_url leads to another server than the source's: enter the password for it there."
        )
    return {}, []


def _scanners(entry: CalpendoEntry, site: CalpendoSite | None) -> tuple[str, list[str]]:
    """Return the lines that people have, and one for each resource that has none yet."""
    kept = site.scanners if site else ""
    known = resources.read(kept)
    lines = [line for line in kept.splitlines() if line.strip()]
    told = []
    for name, modality in entry.modalities.items():
        found = known.scanner_of(name)
        if found is None:
            lines.append(f"{name} = {modality}")
        elif found.modality != modality:
            told.append(f"{name} is left {found.modality}, as people have it; the file says {modality}.")
    return "\n".join(lines), told
