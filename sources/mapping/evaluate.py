"""A record's rows become its sessions, each wanted, not wanted or unclear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sources.contract import Problem, Session, SessionKey, Stance
from sources.dictionary import Dictionary
from sources.mapping import alternatives, columns, conditions, naming, same_ids, sessions, targets
from sources.mapping.lookup import Lookup
from sources.mapping.mapped_project import MappedProject
from sources.mapping.outcomes import RuleOutcome, SessionOutcomes
from sources.mapping.problems import UnusableValue
from sources.mapping.rules import Level, MappingPlan, Rule, WithoutTime
from sources.mapping.transforms import BETWEEN_CHOICES, TemplateTransform, TransformError, parse
from sources.rows import ExportRow

NO_DATE = "no date"
NO_TIME = "There is a date, but no time."
MIDNIGHT = "00:00:00"


def sessions_of(
    rows: Sequence[ExportRow],
    plan: MappingPlan,
    dictionary: Dictionary,
    *,
    with_trace: bool = False,
    today: date | None = None,
) -> tuple[Session, ...]:
    """Return the sessions of one record, as `sessions_in` does those of many in one project."""
    return sessions_in(MappedProject(plan, dictionary), rows, with_trace=with_trace, today=today)


def sessions_in(
    project: MappedProject,
    rows: Sequence[ExportRow],
    *,
    with_trace: bool = False,
    today: date | None = None,
) -> tuple[Session, ...]:
    """Return the sessions of one record, whose rows these all are. Whatever they hold, nothing is raised.

    `today` tells birth dates in the future; it is the day of the process's time zone.
    """
    plan, dictionary = project.plan, project.dictionary
    found = tuple(
        _session(
            SessionOutcomes(
                project,
                Lookup(rows, key, row, plan.sessions, dictionary),
                record=row.record,
                today=today or date.today(),
            ),
            key,
            with_trace=with_trace,
        )
        for key, row in sessions.find(rows, plan.sessions, dictionary)
    )
    return same_ids.numbered(found, plan, dictionary)


def _session(outcomes: SessionOutcomes, key: SessionKey, *, with_trace: bool) -> Session:
    all_outcomes = outcomes.all()
    values = _values(all_outcomes, outcomes.plan)
    verdict = _conditions(outcomes)
    trace = tuple(outcome.as_trace() for outcome in all_outcomes) if with_trace else ()
    reason = _cancelled(all_outcomes, outcomes) or verdict.reason or _no_date(all_outcomes, values)
    if reason:  # whatever else is wrong with it, nobody needs it mended
        return Session(key, Stance.NOT_WANTED, values, reason=reason, trace=trace)
    problems = (
        *_problems(all_outcomes, values, key),
        *verdict.problems,
        *naming.problems(all_outcomes, outcomes.plan, key),
    )
    unclear = any(problem.blocks for problem in problems)
    stance = Stance.UNCLEAR if unclear else Stance.WANTED
    return Session(key, stance, values, problems=problems, trace=trace)


def _problems(
    all_outcomes: tuple[RuleOutcome, ...], values: dict[str, Any], key: SessionKey
) -> list[Problem]:
    missing = _missing_time(all_outcomes, values, key)
    told = {problem.target for problem in missing}
    problems = [
        outcome.as_problem()
        for outcome in all_outcomes
        if outcome.problem and outcome.rule.target not in told
    ]
    unmapped = sorted(targets.ALWAYS_REQUIRED - {*values})
    problems += [Problem(target, "", "Nothing is mapped to this.", key, blocks=True) for target in unmapped]
    return [*problems, *missing]


def _values(all_outcomes: tuple[RuleOutcome, ...], plan: MappingPlan) -> dict[str, Any]:
    values: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for outcome in all_outcomes:
        target = outcome.rule.target
        if target == targets.START:
            day, _, at = str(outcome.value).partition(" ")
            values |= {targets.START_DATE: day, targets.START_TIME: at}
        elif target == targets.POUNDS:
            values[targets.KILOGRAMS] = outcome.value
        elif targets.is_keyword(target):
            extra[target] = outcome.value
        elif target != targets.STATUS and targets.name_of(target) is None:
            values[target] = outcome.value
    mapped = {outcome.rule.target for outcome in all_outcomes}
    values |= {field: value for field, value in plan.fallbacks.items() if field not in {*mapped, *values}}
    if _is_at_midnight(values, plan):
        values[targets.START_TIME] = MIDNIGHT
    return {**values, "extra_attributes": extra} if extra else values


def _is_at_midnight(values: dict[str, Any], plan: MappingPlan) -> bool:
    has_no_time = bool(values.get(targets.START_DATE)) and not values.get(targets.START_TIME)
    return has_no_time and plan.sessions.without_time is WithoutTime.MIDNIGHT


def _missing_time(
    all_outcomes: tuple[RuleOutcome, ...], values: dict[str, Any], key: SessionKey
) -> list[Problem]:
    """Treat a time that cannot be read as none."""
    if not values.get(targets.START_DATE) or values.get(targets.START_TIME):
        return []
    of_time = (targets.START_TIME, targets.START)
    outcome = next((found for found in all_outcomes if found.rule.target in of_time), None)
    if outcome is None:
        return [Problem(targets.START_TIME, "", NO_TIME, key, blocks=True)]
    text = outcome.problem or NO_TIME
    return [Problem(outcome.rule.target, outcome.field, text, outcome.place, blocks=True)]


def _cancelled(all_outcomes: tuple[RuleOutcome, ...], outcomes: SessionOutcomes) -> str:
    found = (outcome for outcome in all_outcomes if outcome.rule.target == targets.STATUS)
    outcome = next((outcome for outcome in found if outcome.value == targets.NOT_WANTED), None)
    if outcome is None:
        return ""
    field = outcomes.lookup.dictionary.fields.get(outcome.field)
    label = field.choices.get(outcome.raw) if field else None
    return f"{outcome.field} is “{label}”" if label else f"{outcome.field} says that it is cancelled"


def _no_date(all_outcomes: tuple[RuleOutcome, ...], values: dict[str, Any]) -> str:
    """Tell an empty date, which means that nothing is planned; one that cannot be read is a problem."""
    of_date = [found for found in all_outcomes if found.rule.target in (targets.START_DATE, targets.START)]
    unreadable = not of_date or any(outcome.problem for outcome in of_date)
    return "" if unreadable or values.get(targets.START_DATE) else NO_DATE


@dataclass(frozen=True)
class _ConditionsResult:
    reason: str = ""
    problems: tuple[Problem, ...] = ()


def _conditions(outcomes: SessionOutcomes) -> _ConditionsResult:
    """Return the first condition that does not hold, or those that cannot be told."""
    problems = []
    for condition in conditions.parse(outcomes.plan.sessions.conditions):
        found = outcomes.lookup.anywhere(condition.field, Level.SESSION)
        field = outcomes.lookup.dictionary.fields.get(condition.field)
        values = tuple(found.value.split(BETWEEN_CHOICES)) if columns.is_checkbox(field) else (found.value,)
        try:
            if found.problem and not (found.value and condition.is_comparison):
                raise UnusableValue(found.problem)
            if not condition.holds(tuple(filter(None, values))):
                return _ConditionsResult(f"{condition.line} does not hold")
        except UnusableValue as error:
            problems.append(Problem("", condition.field, str(error), found.place, blocks=True))
    return _ConditionsResult(problems=tuple(problems))


def fields_needed(plan: MappingPlan, dictionary: Dictionary) -> tuple[str, ...]:
    """Return what to ask REDCap for, the record ID first; columns that every row has are not asked for."""
    named = {columns.exported_field(name, dictionary) for name in field_names(plan)}
    order = {name: place for place, name in enumerate(dictionary.fields)}
    wanted = sorted(named - columns.OF_EVERY_ROW, key=lambda name: (order.get(name, len(order)), name))
    return tuple(dict.fromkeys([dictionary.record_id_field, *wanted]))


def field_names(plan: MappingPlan) -> set[str]:
    """Return every REDCap name that the plan reads."""
    of_conditions = {condition.field for condition in conditions.parse(plan.sessions.conditions)}
    return of_conditions.union(*(names_read(rule, plan) for rule in plan.rules))


def names_read(rule: Rule, plan: MappingPlan) -> set[str]:
    """Return the REDCap names that one rule reads itself: its fields, and fields in its templates."""
    named = {name for other in plan.rules if (name := targets.name_of(other.target))}
    in_templates = {*names_used(rule)} - named - targets.RESERVED - set(plan.constants)
    return in_templates | {*alternatives.fields(rule)}


def names_used(rule: Rule) -> tuple[str, ...]:
    """Return the names in the rule's templates, and the named values that it may take its value from."""
    return (*alternatives.named(rule), *template_names(rule))


def template_names(rule: Rule) -> tuple[str, ...]:
    try:
        transforms = parse(rule.transforms)
    except TransformError:
        return ()
    found = (transform for transform in transforms if isinstance(transform, TemplateTransform))
    return tuple(name for transform in found for name in transform.template.names)
