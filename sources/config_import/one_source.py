"""One source is imported: its project is asked, its mapping decided, all is saved, every decision told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db import IntegrityError

from sources.backends.redcap import known_dictionary
from sources.config_import import credentials, planning, saving
from sources.config_import.entries import SourceEntry
from sources.config_import.projects import Projects, known
from sources.config_import.values import ConfigError
from sources.contract import Mistake
from sources.mapping import check
from sources.mapping.rules import MappingPlan, WithoutTime
from sources.models import DataSource
from sources.redcap.dictionary import Dictionary

BECAME = {
    saving.NEW: "imported.",
    saving.CHANGED: "updated; all of its records will be read again.",
    saving.UNCHANGED: "unchanged.",
}

# Conditions, and what a date without a time means, are in no file.
CHOICES_OF_PEOPLE = frozenset({"session_conditions", "without_time"})


def import_source(
    entry: SourceEntry, existing: DataSource | None, projects: Projects, *, actor: str
) -> list[str]:
    """Import the source and return lines for people. Raises ConfigError, and then the source is as it was."""
    found = credentials.find(entry, existing)
    source = _draft(entry, existing, found, actor=actor)
    dictionary, lines = _dictionary(source, existing, projects)
    planned = planning.plan(entry, dictionary)
    plan = _with_choices_of_people(planned.plan, source)
    mistakes = check.mistakes(plan, dictionary)
    wanted = saving.WantedSource(
        source=existing or DataSource(name=entry.name),
        values={
            **_values(entry, existing),
            **found.values,
            **_session_values(plan),
            "enabled": _is_enabled(entry, existing) and not mistakes,
        },
        credentials=found,
        rules=plan.rules,
        dictionary=dictionary,
    )
    became = _saved(wanted, actor=actor)
    return [
        BECAME[became],
        *entry.remarks,
        *found.lines,
        *_time_zone_lines(entry, existing),
        *lines,
        *planned.lines,
        *_mistake_lines(plan, mistakes),
        *_reasons_to_rest(entry, wanted, mistakes),
    ]


def _saved(wanted: saving.WantedSource, *, actor: str) -> str:
    try:
        return saving.save(wanted, actor=actor)
    except (IntegrityError, DataSource.DoesNotExist) as error:
        raise ConfigError("Somebody changed it at the same moment: import again.") from error


def _draft(
    entry: SourceEntry, existing: DataSource | None, found: credentials.CredentialsFound, *, actor: str
) -> DataSource:
    """Make the source as it will be, to ask its project; it is never saved."""
    source = DataSource.objects.get(pk=existing.pk) if existing else DataSource(name=entry.name)
    for name, value in {**_values(entry, existing), **found.values}.items():
        setattr(source, name, value)
    found.give(source, by=actor)
    return source


def _dictionary(
    source: DataSource, existing: DataSource | None, projects: Projects
) -> tuple[Dictionary | None, list[str]]:
    dictionary, reason = known(source, projects)
    if dictionary is not None:
        return dictionary, []
    if existing is not None and _is_same_project(source, existing):
        dictionary = known_dictionary(existing)
    basis = "What it was when last asked decides" if dictionary else "Names alone decide"
    return dictionary, [f"The project could not be asked: {reason} {basis} which way each pair goes."]


def _is_same_project(source: DataSource, existing: DataSource) -> bool:
    names = ("url", "token_cipher", "token_variable", "token_file", "project_id")
    return all(getattr(source, name) == getattr(existing, name) for name in names)


def _values(entry: SourceEntry, existing: DataSource | None) -> dict[str, Any]:
    """Return what the file governs; what it leaves open stays as people have it."""
    start, end = entry.window or (None, None)
    project_id = existing.project_id if existing and entry.project_id is None else entry.project_id
    zone = existing.server_timezone if existing else settings.TIME_ZONE
    return {
        "kind": "redcap",
        "project_id": project_id,
        "server_timezone": entry.server_timezone or zone,
        "sync_interval": entry.sync_interval,
        "window_start": start,
        "window_end": end,
        "site_id": entry.site_id,
        "protocol_name": entry.protocol_name,
        "hisris_coding_designator": entry.hisris_coding_designator,
    }


def _with_choices_of_people(plan: MappingPlan, source: DataSource) -> MappingPlan:
    """Keep what no file has."""
    sessions = replace(
        plan.sessions, conditions=source.session_conditions, without_time=WithoutTime(source.without_time)
    )
    return replace(plan, sessions=sessions)


def _session_values(plan: MappingPlan) -> dict[str, str]:
    columns = DataSource.columns_of_sessions(plan.sessions)
    return {column: value for column, value in columns.items() if column not in CHOICES_OF_PEOPLE}


def _is_enabled(entry: SourceEntry, existing: DataSource | None) -> bool:
    if entry.enabled is not None:
        return entry.enabled
    return existing.enabled if existing else True


def _time_zone_lines(entry: SourceEntry, existing: DataSource | None) -> list[str]:
    if entry.server_timezone or existing:
        return []
    return [
        f"server_timezone is not given: {settings.TIME_ZONE}, this server's own, is assumed. "
        "Check it: Test connection tells what REDCap's clock says."
    ]


def _mistake_lines(plan: MappingPlan, mistakes: tuple[Mistake, ...]) -> list[str]:
    return [f"{_where(plan, mistake)}: {mistake.text}" for mistake in mistakes]


def _where(plan: MappingPlan, mistake: Mistake) -> str:
    return "The mapping" if mistake.rule is None else f"Row {plan.rules[mistake.rule].target}"


def _reasons_to_rest(
    entry: SourceEntry, wanted: saving.WantedSource, mistakes: tuple[Mistake, ...]
) -> list[str]:
    if mistakes:
        # A file that does not say `enabled` leaves a source as disabled as it is.
        again = ", or import again" if entry.enabled else ""
        return [f"It is disabled until its mapping is mended: then enable it in the admin{again}."]
    return [] if wanted.values["enabled"] else ["It is disabled: nothing is asked of it."]
