"""The original's JSON configuration is read here: its sources with their mapping, and who may associate.

values          the document's values by path
entries         what the document says
reading         either format
source_entry    one source, in either format
pairs           its mapping, pair by pair
calpendo        a Calpendo source, and what of it differs here
calpendo_mapping  its mapping, in either of its shapes
calpendo_source  that source, saved
directions      which way each pair goes
builtin         the original's own rules
planning        all rows of a source
patient_ids     whether its IDs stay cut at their dashes
credentials     its token, and where that is kept
projects        its project, asked before the mapping is decided
one_source      one source, in one transaction
saving          what of it is saved
other_settings  allowed_aet, db_path
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sources.config_import import calpendo_source, one_source, other_settings, reading
from sources.config_import.entries import (
    CalpendoEntry,
    Configuration,
    Environment,
    PatientIds,
    RefusedEntry,
    SourceEntry,
)
from sources.config_import.patient_ids import Chooser, leave_open, refuse
from sources.config_import.projects import Projects
from sources.config_import.values import ConfigError
from sources.kinds import with_details
from sources.models import DataSource

__all__ = ["ConfigError", "ImportReport", "PatientIds", "at_start", "import_config"]

ACTOR = "config file"
LEFT = "exists, and is left as people made it. import_config brings it up to date."


@dataclass
class ImportReport:
    """It has lines for people, without any token; `failed` tells that nothing could be imported."""

    lines: list[str] = field(default_factory=list)
    failed: bool = False


def import_config(
    config: dict[str, Any],
    *,
    actor: str,
    update: bool = True,
    demanded: PatientIds | None = None,
    choose: Chooser = refuse,
) -> ImportReport:
    """Make sources or, unless `update` is false, bring them up to date; those not in the file are left alone.

    `demanded` says which patient IDs all sources are to have where the original cut them; `choose` is asked
    where neither it nor the file says so. Raises ConfigError for what concerns the whole file; a source that
    cannot be imported is a line, and the others go on.
    """
    read = reading.read(config)
    report = ImportReport([*read.remarks, *other_settings.databases(read)])
    projects, done = Projects(), 0
    try:
        if read.allowed_aet is not None:
            report.lines += other_settings.allow(read.allowed_aet)
            done += not read.sources
    except ConfigError as error:
        report.lines.append(str(error))
        report.failed = not read.sources
    for entry in read.sources:
        existing = DataSource.objects.filter(name=entry.name).select_related("state", *with_details()).first()
        if isinstance(entry, RefusedEntry):
            lines, is_done = [f"not imported. {entry.reason}"], False
        elif existing is not None and not update:
            lines, is_done = [LEFT], True
        elif isinstance(entry, CalpendoEntry):
            lines, is_done = _import_calpendo(entry, existing, actor=actor)
        else:
            lines, is_done = _import_one(
                entry, existing, projects, actor=actor, demanded=demanded, choose=choose
            )
        report.lines += [f"{entry.name}: {line}" for line in lines]
        done += is_done
    report.lines += [*other_settings.offer_days(read), *_shared_project_lines(read)]
    report.failed |= bool(read.sources) and not done
    return report


def at_start(config: dict[str, Any], *, choose: Chooser = leave_open) -> list[str]:
    """Make the sources that are missing, touch no other, and return what `start` tells of it.

    Where `choose` leaves patient IDs open, the source rests until they are decided.
    """
    try:
        return import_config(config, actor=ACTOR, update=False, choose=choose).lines
    except ConfigError as error:
        return [f"The configuration is not imported. {error}"]


def _import_one(
    entry: SourceEntry,
    existing: DataSource | None,
    projects: Projects,
    *,
    actor: str,
    demanded: PatientIds | None,
    choose: Chooser,
) -> tuple[list[str], bool]:
    try:
        lines = one_source.import_source(
            entry, existing, projects, actor=actor, demanded=demanded, choose=choose
        )
        return lines, True
    except ConfigError as error:
        return [f"not imported. {error}"], False


def _import_calpendo(
    entry: CalpendoEntry, existing: DataSource | None, *, actor: str
) -> tuple[list[str], bool]:
    try:
        return calpendo_source.import_source(entry, existing, actor=actor), True
    except ConfigError as error:
        return [f"not imported. {error}"], False


def _shared_project_lines(config: Configuration) -> list[str]:
    """Warn where sources have no URL and token of their own: the original reads one project for them."""
    entries = [entry for entry in config.sources if isinstance(entry, SourceEntry)]
    sharing: dict[Environment, list[str]] = {}
    for entry in entries:
        if not (entry.credentials.has_token or entry.credentials.api_url) and entry.enabled is not False:
            sharing.setdefault(entry.environment, []).append(entry.name)
    return [
        f"{', '.join(names)} read the same project, with the same URL and token from the environment: every "
        "participant comes from each of them. Give each source its own api_url and api_token."
        for names in sharing.values()
        if len(names) > 1
    ]
