"""Sessions of one record whose patient IDs are to differ, and do not, are kept apart: one of them stays out.

Under one ID an archive would merge two visits. Where a patient ID names the person alone, sessions share it,
unless the source's rule says that each session has an ID of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from sources.contract import Problem, Session, SessionKey, Stance
from sources.dictionary import Dictionary
from sources.mapping import alternatives, sessions, targets
from sources.mapping.rules import IdsAre, Level, MappingPlan, Rule
from sources.mapping.transforms import TemplateTransform, TransformError, parse

SAME_ID = "Another session of this record has the same patient ID: give each its own session number."
_PATIENT_ID = "patient_id"
_COLUMNS = {"event": "redcap_event_name", "instance": "redcap_repeat_instance"}
_SESSION_WORD = re.compile(r"(?:^|_)(?:ses|sess|session|visit|scan|timepoint|tp|wave|instance)(?:_|\d|$)")


@dataclass(frozen=True, eq=False)
class _Project:
    """A mapping in its project is the same while these objects are, which one pull keeps."""

    plan: MappingPlan
    dictionary: Dictionary

    def __hash__(self) -> int:
        return hash((id(self.plan), id(self.dictionary)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Project) and self.plan is other.plan and self.dictionary is other.dictionary


def numbered(found: Sequence[Session], plan: MappingPlan, dictionary: Dictionary) -> tuple[Session, ...]:
    """Return one record's sessions with the field that numbers them, those that share an ID kept apart."""
    field = _numbering_field(_Project(plan, dictionary))
    return kept_apart([replace(each, numbered_by=field) for each in found]) if field else tuple(found)


@lru_cache(maxsize=8)  # every record of a pull asks for it
def _numbering_field(project: _Project) -> str:
    plan, dictionary = project.plan, project.dictionary
    found = numbering_field(plan, dictionary)
    return found if found or plan.naming.ids_are is IdsAre.PARTICIPANT else _field_of_id(plan, dictionary)


def _field_of_id(plan: MappingPlan, dictionary: Dictionary) -> str:
    """Return a field that the patient ID is made of, for an ID that is to be the session's and may not be."""
    by_target = {rule.target: rule for rule in plan.rules}
    rule = by_target.get(_PATIENT_ID)
    names = [name for name, _ in _names(rule, by_target, plan, dictionary)] if rule else []
    first = next((name for name in names if name not in targets.RESERVED), "")
    return (rule.field if rule else "") or _field_of(first, by_target) or dictionary.record_id_field


def numbering_field(plan: MappingPlan, dictionary: Dictionary) -> str:
    """Return the field by which the patient ID's template tells a record's sessions apart, or "".

    It is a column that names event or instance, a name such as {session} or {mri_visit}, or a value of the
    session beside values of the record.
    """
    by_target = {rule.target: rule for rule in plan.rules}
    rule = by_target.get(_PATIENT_ID)
    if rule is None:
        return ""
    names = dict(_names(rule, by_target, plan, dictionary))
    own = [name for name, is_of_session in names.items() if is_of_session]
    is_told = len(own) < len(names) or any(_SESSION_WORD.search(name) for name in own)
    numbering = [name for name in own if name in _COLUMNS or is_told]
    first = min(numbering, key=lambda name: not _SESSION_WORD.search(name), default="")
    return _COLUMNS.get(first) or _field_of(first, by_target)


def kept_apart(found: Sequence[Session], held: Mapping[SessionKey, str] | None = None) -> tuple[Session, ...]:
    """Return the record's sessions; of those that share an ID all but one have a problem that blocks.

    The one that stays has an item under this ID already (`held` maps keys to IDs), else it is the earliest.
    What an earlier call said is said anew, or taken back.
    """
    cleared = [_without_problem(session) for session in found]
    extra = set(_further_ones(cleared, held or {}))
    return tuple(_kept_out(session) if session.key in extra else session for session in cleared)


def _further_ones(found: Iterable[Session], held: Mapping[SessionKey, str]) -> Iterator[SessionKey]:
    by_id: dict[str, list[Session]] = {}
    for session in found:
        patient_id = session.values.get(_PATIENT_ID, "")
        if patient_id and session.numbered_by and session.stance is not Stance.NOT_WANTED:
            by_id.setdefault(patient_id, []).append(session)
    for patient_id, sharing in by_id.items():
        sharing.sort(
            key=lambda session: (held.get(session.key) != patient_id, *_moment(session), session.key)
        )
        yield from (session.key for session in sharing[1:])


def _moment(session: Session) -> tuple[bool, str, str]:
    """Return what sorts by date and time; a session without a date comes last."""
    day = session.values.get(targets.START_DATE, "")
    return not day, day, session.values.get(targets.START_TIME, "")


def _kept_out(session: Session) -> Session:
    problem = Problem(_PATIENT_ID, session.numbered_by, SAME_ID, session.key, blocks=True)
    return replace(session, stance=Stance.UNCLEAR, problems=(*session.problems, problem))


def _without_problem(session: Session) -> Session:
    others = tuple(problem for problem in session.problems if problem.text != SAME_ID)
    if len(others) == len(session.problems):
        return session
    stance = Stance.UNCLEAR if any(problem.blocks for problem in others) else Stance.WANTED
    return replace(session, stance=stance, problems=others)


def _names(
    rule: Rule, by_target: Mapping[str, Rule], plan: MappingPlan, dictionary: Dictionary
) -> Iterator[tuple[str, bool]]:
    """Yield each name in the rule's templates, and whether it is the session's own.

    Templates in templates are followed. Constants are left out, for they tell nobody apart.
    """
    waiting, seen = [rule], {rule}
    while waiting:
        using = waiting.pop()
        for name in (*_in_templates(using), *alternatives.named(using)):
            named = by_target.get(f"{{{name}}}")
            if named is not None and _in_templates(named):
                if named not in seen:
                    seen.add(named)
                    waiting.append(named)
            elif named is not None:
                yield name, named.level is Level.SESSION
            elif name == "value":
                yield using.field, using.level is Level.SESSION
            elif name not in plan.constants:
                yield name, name in _COLUMNS or _is_on_sessions(name, plan, dictionary)


def _is_on_sessions(name: str, plan: MappingPlan, dictionary: Dictionary) -> bool:
    is_field = name not in targets.RESERVED
    return is_field and sessions.level_of(name, plan.sessions, dictionary) is Level.SESSION


def _in_templates(rule: Rule) -> tuple[str, ...]:
    try:
        transforms = parse(rule.transforms)
    except TransformError:
        return ()
    found = (transform for transform in transforms if isinstance(transform, TemplateTransform))
    return tuple(name for transform in found for name in transform.template.names)


def _field_of(name: str, by_target: Mapping[str, Rule]) -> str:
    named = by_target.get(f"{{{name}}}")
    return name if named is None else named.field
