"""A study's rules of patient IDs, names and visits: a session that breaks one stays out, with an issue.

A rule looks at what the source says. No issue holds the value; it names the rule and the field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from sources.contract import Mistake, Problem, SessionKey
from sources.dictionary import Dictionary
from sources.mapping import targets
from sources.mapping.outcomes import RuleOutcome
from sources.mapping.patterns import InvalidPattern, Pattern
from sources.mapping.problems import UnusableValue, with_likely_name
from sources.mapping.rules import MappingPlan, NamingRules, SessionKind
from sources.mapping.transforms import TemplateTransform, TransformError, parse

PATIENT_ID, PATIENT_NAME = "patient_id", "patient_name"
ID_PATTERN = "This is no patient ID of this study: it does not fit the source's pattern of patient IDs."
NAME_PATTERN = "This is no name of this study: it does not fit the source's pattern of patient names."
LONG_ID = "The source's patient IDs have {longest} characters at most, and this has more."
LONG_NAME = "The source's patient names have {longest} characters at most, and this has more."
OTHER_VISIT = "This visit is none of those that the source allows."
NO_VISIT = "It cannot be told which visit this is, and the source allows some alone."
NOTHING_TELLS_VISITS = (
    "Visits are named, and nothing says which one a session is: add a row with the target {session}."
)
EVENT = "redcap_event_name"
_NONE = NamingRules()
_BY_EVENTS = frozenset({SessionKind.EVENT, SessionKind.REPEATING_EVENT, SessionKind.REPEATING_INSTRUMENT})
_OF_VISITS = ("{session}", "{visit}")
_BETWEEN_GROUPS = "="


def problems(outcomes: Sequence[RuleOutcome], plan: MappingPlan, key: SessionKey) -> Iterator[Problem]:
    """Yield a problem that blocks for each rule that the session breaks; an empty value breaks none."""
    rules = plan.naming
    if rules == _NONE:  # as of most sources
        return
    by_target = {outcome.rule.target: outcome for outcome in outcomes}
    for target, pattern, text, longest, too_long in (
        (PATIENT_ID, rules.patient_id_pattern, ID_PATTERN, rules.longest_patient_id, LONG_ID),
        (PATIENT_NAME, rules.patient_name_pattern, NAME_PATTERN, rules.longest_patient_name, LONG_NAME),
    ):
        outcome = by_target.get(target)
        value = str(outcome.value) if outcome else ""
        if outcome is None or not value:
            continue
        if longest is not None and max(map(len, value.split(_BETWEEN_GROUPS))) > longest:
            yield _problem(outcome, too_long.format(longest=longest), plan)
        if pattern and (broken := _breaks(pattern, value, text)):
            yield _problem(outcome, broken, plan)
    if rules.visits:
        yield from _of_visit(by_target, plan, key)


def _breaks(pattern: str, value: str, text: str) -> str:
    """Return what is wrong with the value, or ""."""
    try:
        return "" if _compiled(pattern).fits(value) else text
    except (UnusableValue, InvalidPattern) as error:
        return f"{text} ({error})"


@lru_cache(maxsize=64)  # a plan's two patterns are asked for with every session
def _compiled(expression: str) -> Pattern:
    return Pattern(expression)


def _of_visit(by_target: dict[str, RuleOutcome], plan: MappingPlan, key: SessionKey) -> Iterator[Problem]:
    outcome = next((by_target[target] for target in _OF_VISITS if target in by_target), None)
    visit = key.event if outcome is None else str(outcome.value)
    if visit in plan.naming.visits:
        return
    text = OTHER_VISIT if visit else NO_VISIT
    if outcome is None:
        yield Problem("", EVENT, text, key, blocks=True, breaks_naming=True)
    else:
        yield _problem(outcome, text, plan)


def _problem(outcome: RuleOutcome, text: str, plan: MappingPlan) -> Problem:
    field = outcome.field or _field_behind(outcome, plan)
    return Problem(outcome.rule.target, field, text, outcome.place, blocks=True, breaks_naming=True)


def _field_behind(outcome: RuleOutcome, plan: MappingPlan) -> str:
    """Return a field in the row's template, where a person looks first; "" where there is none."""
    named = {name: rule.field for rule in plan.rules if (name := targets.name_of(rule.target))}
    names = [name for name in _in_templates(outcome) if name not in {*targets.RESERVED, *plan.constants}]
    return next((field for name in names if (field := named.get(name, name))), "")


def _in_templates(outcome: RuleOutcome) -> tuple[str, ...]:
    try:
        transforms = parse(outcome.rule.transforms)
    except TransformError:
        return ()
    found = (transform for transform in transforms if isinstance(transform, TemplateTransform))
    return tuple(name for transform in found for name in transform.template.names)


def mistakes(plan: MappingPlan, dictionary: Dictionary | None) -> Iterator[Mistake]:
    """Yield what is wrong with the rules themselves; without a dictionary, what can be told without one."""
    rules = plan.naming
    for field, pattern in (
        ("patient_id_pattern", rules.patient_id_pattern),
        ("patient_name_pattern", rules.patient_name_pattern),
    ):
        try:
            _compiled(pattern)
        except InvalidPattern as error:
            yield Mistake(None, field, f"The pattern is no regular expression: {error}.")
    if dictionary is None or any(rule.target in _OF_VISITS for rule in plan.rules):
        return
    events = [event.name for event in dictionary.events if plan.sessions.kind in _BY_EVENTS]
    if rules.visits and not events:
        yield Mistake(None, "allowed_visits", NOTHING_TELLS_VISITS)
        return
    for visit in rules.visits:
        if visit not in events:
            text = with_likely_name(f"The project has no event {visit}.", visit, events)
            yield Mistake(None, "allowed_visits", text)
