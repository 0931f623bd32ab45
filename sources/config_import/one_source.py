"""One source is imported: its project is asked, its mapping decided, all is saved, every decision told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import IntegrityError

from sources.config_import import builtin, credentials, directions, patient_ids, planning, saving
from sources.config_import.entries import PatientIds, SourceEntry
from sources.config_import.patient_ids import Chooser, IdDecision
from sources.config_import.projects import Projects, known
from sources.config_import.reading import REDCAP
from sources.config_import.values import ConfigError
from sources.contract import Mistake
from sources.dictionary import Dictionary
from sources.errors import SourceError
from sources.mapping import check, check_patterns, evaluate
from sources.mapping.rules import MappingPlan, Rule, WithoutTime
from sources.models import DataSource, RedcapProject
from sources.models.details import SecretMissing
from sources.models.dictionaries import known_dictionary
from sources.secrets import CannotDecrypt

BECAME = {
    saving.NEW: "imported.",
    saving.CHANGED: "updated; all of its records will be read again.",
    saving.UNCHANGED: "unchanged.",
}

OF_PEOPLE = "part last of -"  # the same as builtin.CUT, as somebody would write it


def import_source(
    entry: SourceEntry,
    existing: DataSource | None,
    projects: Projects,
    *,
    actor: str,
    demanded: PatientIds | None,
    choose: Chooser,
) -> list[str]:
    """Import the source and return lines for people. Raises ConfigError, and then the source is as it was."""
    if existing is not None and existing.kind != REDCAP:
        raise ConfigError("There is a source of this name already, of another kind: name it otherwise.")
    found = credentials.find(entry, existing.redcap if existing else None)
    project = _draft(entry, existing, found, actor=actor)
    dictionary, lines = _dictionary(project, existing, projects)
    asking = _Asking(entry, existing, project, dictionary, projects)
    ids = asking.decide(demanded=demanded or entry.patient_ids, choose=choose)
    if existing is not None and not ids.decided and not _is_undecided(existing):
        raise ConfigError(" ".join(ids.lines))
    planned = planning.plan(entry, dictionary, ids.kind)
    plan = _with_choices_of_people(planned.plan, existing)
    mistakes = (*check.mistakes(plan, dictionary), *check_patterns.slow(plan))
    rules = plan.rules if ids.decided else _without_patient_id(plan)
    wanted = saving.WantedSource(
        source=existing or _new_source(entry),
        values={
            **_values(entry),
            **_conditions(plan, existing),
            "enabled": _is_enabled(entry, existing) and not mistakes and ids.decided,
        },
        details={
            **_details(entry, existing),
            **found.values,
            **RedcapProject.columns_of_sessions(plan.sessions),
        },
        secret=found,
        rules=rules,
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
        *_condition_lines(planned.plan, existing),
        *ids.lines,
        *_mistake_lines(plan, mistakes),
        *([] if not ids.decided and not mistakes else _reasons_to_rest(entry, wanted, mistakes)),
    ]


@dataclass(frozen=True)
class _Asking:
    """It finds out which patient IDs a source is to have."""

    entry: SourceEntry
    existing: DataSource | None
    project: RedcapProject  # as it will be
    dictionary: Dictionary | None
    projects: Projects

    def decide(self, *, demanded: PatientIds | None, choose: Chooser) -> IdDecision:
        """Decide. Raises ConfigError."""
        whole = planning.plan(self.entry, self.dictionary)
        if not whole.cuts_ids:
            is_said = self.entry.patient_ids is not None
            return IdDecision(PatientIds.WHOLE, (patient_ids.NOT_MADE,) if is_said else ())
        used = _ids_in_use(self.existing) if self.existing else None
        try:
            if self.dictionary is None:
                return patient_ids.unseen("the project is not known.", demanded=demanded, used=used)
            found = list(self._participants(self.dictionary, whole.of_participants))
        except (SourceError, SecretMissing, CannotDecrypt) as error:
            return patient_ids.unseen(str(error), demanded=demanded, used=used)
        question = patient_ids.question_about(self.entry.name, found)
        return patient_ids.ask(question, demanded=demanded, used=used, choose=choose)

    def _participants(self, dictionary: Dictionary, whole: MappingPlan) -> Iterator[patient_ids.Participant]:
        old = planning.plan(self.entry, dictionary, PatientIds.OLD).of_participants
        fields = evaluate.fields_needed(whole, dictionary)
        for rows in self.projects.records(self.project, dictionary, fields):
            yield from patient_ids.participants(rows, whole=whole, old=old, dictionary=dictionary)


def _ids_in_use(source: DataSource) -> PatientIds | None:
    """Return which IDs the source has, or None while nobody has decided."""
    row = source.rules.filter(target=directions.STUDY).first()
    if row is None or _is_undecided(source):
        return None
    return PatientIds.OLD if row.transforms in (builtin.CUT, OF_PEOPLE) else PatientIds.WHOLE


def _is_undecided(source: DataSource) -> bool:
    return not source.rules.filter(target=builtin.PATIENT_ID).exists()


def _without_patient_id(plan: MappingPlan) -> tuple[Rule, ...]:
    """Leave the row out that would decide: whoever enables the source by hand is told what it lacks."""
    return tuple(rule for rule in plan.rules if rule.target != builtin.PATIENT_ID)


def _saved(wanted: saving.WantedSource, *, actor: str) -> str:
    try:
        return saving.save(wanted, actor=actor)
    except (IntegrityError, DataSource.DoesNotExist) as error:
        raise ConfigError("Somebody changed it at the same moment: import again.") from error


def _draft(
    entry: SourceEntry, existing: DataSource | None, found: credentials.CredentialsFound, *, actor: str
) -> RedcapProject:
    """Make the project as it will be, to ask it; it is never saved."""
    project = RedcapProject.objects.get(pk=existing.pk) if existing else RedcapProject()
    for name, value in {**_details(entry, existing), **found.values}.items():
        setattr(project, name, value)
    found.give(project, by=actor)
    return project


def _new_source(entry: SourceEntry) -> DataSource:
    source = DataSource(name=entry.name, kind=REDCAP)
    source.details = RedcapProject()
    return source


def _dictionary(
    project: RedcapProject, existing: DataSource | None, projects: Projects
) -> tuple[Dictionary | None, list[str]]:
    dictionary, reason = known(project, projects)
    if dictionary is not None:
        return dictionary, []
    if existing is not None and _is_same_project(project, existing.redcap):
        dictionary = known_dictionary(existing)
    basis = "What it was when last asked decides" if dictionary else "Names alone decide"
    return dictionary, [f"The project could not be asked: {reason} {basis} which way each pair goes."]


def _is_same_project(project: RedcapProject, existing: RedcapProject) -> bool:
    names = ("url", "token_cipher", "token_variable", "token_file", "project_id")
    return all(getattr(project, name) == getattr(existing, name) for name in names)


def _details(entry: SourceEntry, existing: DataSource | None) -> dict[str, Any]:
    """Return what the file governs of the project; what it leaves open stays as people have it."""
    kept = existing.redcap if existing else None
    project_id = kept.project_id if kept and entry.project_id is None else entry.project_id
    zone = kept.server_timezone if kept else settings.TIME_ZONE
    return {"project_id": project_id, "server_timezone": entry.server_timezone or zone}


def _values(entry: SourceEntry) -> dict[str, Any]:
    """Return what the file governs of any source."""
    start, end = entry.window or (None, None)
    return {
        "sync_interval": entry.sync_interval,
        "window_start": start,
        "window_end": end,
        "site_id": entry.site_id,
        "protocol_name": entry.protocol_name,
        "hisris_coding_designator": entry.hisris_coding_designator,
    }


def _with_choices_of_people(plan: MappingPlan, source: DataSource | None) -> MappingPlan:
    """Keep what no file has, of a source that exists."""
    if source is None:
        return plan
    sessions = replace(
        plan.sessions, conditions=source.session_conditions, without_time=WithoutTime(source.without_time)
    )
    return replace(plan, sessions=sessions)


def _conditions(plan: MappingPlan, existing: DataSource | None) -> dict[str, str]:
    """Return what a new source begins with: no file has it, so people's choices stay."""
    if existing is not None:
        return {}
    return {
        "session_conditions": plan.sessions.conditions,
        "without_time": plan.sessions.without_time.value,
    }


def _condition_lines(planned: MappingPlan, existing: DataSource | None) -> list[str]:
    wanted = planned.sessions.conditions
    if existing is None or wanted in ("", *existing.session_conditions.splitlines()):
        return []
    return [f"Its conditions are left as people have them, without {wanted}: add it for the original's rule."]


def _is_enabled(entry: SourceEntry, existing: DataSource | None) -> bool:
    if entry.enabled is not None:
        return entry.enabled
    return existing is None or existing.enabled or _is_undecided(existing)


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
