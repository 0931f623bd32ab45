"""A plan is checked when it is saved, so that no pull finds out later what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from sources.contract import Mistake
from sources.dictionary import Dictionary, Field
from sources.mapping import (
    alternatives,
    check_fields,
    check_sessions,
    codes,
    columns,
    fitting,
    naming,
    pseudonymous,
    sessions,
    targets,
)
from sources.mapping.evaluate import names_used, template_names
from sources.mapping.outcomes import effective_transforms, is_minutes
from sources.mapping.problems import UnusableValue, with_likely_name
from sources.mapping.rules import Level, MappingPlan, Rule, SessionKind, WithoutTime
from sources.mapping.transforms import (
    CodesTransform,
    LabelTransform,
    Origin,
    TemplateTransform,
    Transform,
    TransformError,
    parse,
)

# One value for every participant would make them one person.
_NEVER_ASSUMED = frozenset(
    {"patient_id", "patient_name", targets.BIRTH_DATE, targets.KILOGRAMS, targets.POUNDS}
)
_OF_ONE_PERSON = _NEVER_ASSUMED | {targets.SEX}


def mistakes(plan: MappingPlan, dictionary: Dictionary | None) -> tuple[Mistake, ...]:
    """Return all that is wrong; without a dictionary, what can be known without one."""
    found = [mistake for place, rule in enumerate(plan.rules) for mistake in _rule(place, rule, plan)]
    found += [*_missing_targets(plan), *_repeated_targets(plan), *_fallbacks(plan), *_circular_names(plan)]
    found += check_sessions.syntax(plan.sessions)
    found += naming.mistakes(plan, dictionary)
    found += pseudonymous.mistakes(plan, dictionary) if plan.is_pseudonymous else ()
    if dictionary is not None:
        found += check_sessions.in_project(plan.sessions, dictionary)
        for place, rule in enumerate(plan.rules):
            found += _rule_in_project(place, rule, plan, dictionary)
    return tuple(found)


def _rule(place: int, rule: Rule, plan: MappingPlan) -> Iterator[Mistake]:
    refusal = targets.refusal(rule.target)
    if refusal is not None:
        yield Mistake(place, "target", with_likely_name(refusal, rule.target, targets.TARGETS))
        return
    try:
        transforms = parse(rule.transforms)
    except TransformError as error:
        yield Mistake(place, "transforms", str(error))
        return
    if not rule.field:
        yield from _without_field(place, rule, transforms)
    yield from _of_named_alternatives(place, rule, plan)
    yield from _of_codes(place, rule)
    yield from _of_default(place, rule)
    if rule.target == "patient_id" and _is_same_for_all(rule, plan):
        yield Mistake(place, "field", "Everybody would have the same ID: use a field, or {record}.")


def _without_field(place: int, rule: Rule, transforms: tuple[Transform, ...]) -> Iterator[Mistake]:
    first = transforms[0] if transforms else None
    if alternatives.of(rule):
        yield Mistake(place, "field", "Choose a field: else names what stands in for it.")
        return
    if first is None and not rule.default:
        yield Mistake(place, "field", "Choose a field, or give a template or a default.")
    elif first is not None and not isinstance(first, TemplateTransform):
        yield Mistake(place, "field", "Choose a field: only a template can do without one.")
    elif first is not None and "value" in first.template.names:
        yield Mistake(place, "transforms", "{value} is the rule's field, and none is chosen.")


def _of_named_alternatives(place: int, rule: Rule, plan: MappingPlan) -> Iterator[Mistake]:
    named = _named_rules(plan)
    for name in alternatives.named(rule):
        if name not in named:
            text = f"else {{{name}}}: no row has the target {{{name}}}."
            yield Mistake(place, "transforms", with_likely_name(text, name, named))
        elif rule.target in _NEVER_ASSUMED and (named[name].default or _is_same_for_all(named[name], plan)):
            text = f"else {{{name}}} would give people without a value the same one, which would be made up."
            yield Mistake(place, "transforms", text)


def _of_codes(place: int, rule: Rule) -> Iterator[Mistake]:
    """Judge what a table gives before any code turns up."""
    transforms = parse(rule.transforms)
    if transforms and isinstance(transforms[-1], CodesTransform):
        for code, value in transforms[-1].table.items():
            problem = _unfit(rule.target, value)
            if problem:
                yield Mistake(place, "transforms", f"The code {code} becomes {value}: {problem}")


def _of_default(place: int, rule: Rule) -> Iterator[Mistake]:
    if not rule.default:
        return
    problem = _unfit(rule.target, rule.default)
    if problem:
        yield Mistake(place, "default", problem)
    elif rule.target in _NEVER_ASSUMED:
        yield Mistake(place, "default", "This is a participant's own: a default would be made up.")


def _unfit(target: str, value: str) -> str | None:
    try:
        if value:
            fitting.fit(target, value, origin=Origin.TABLE, today=date.max)
    except UnusableValue as error:
        return str(error)
    return None


def _is_same_for_all(rule: Rule, plan: MappingPlan, seen: frozenset[str] = frozenset()) -> bool:
    if rule.field:
        return False
    return all(_is_constant(name, plan, seen) for name in template_names(rule))


def _is_constant(name: str, plan: MappingPlan, seen: frozenset[str]) -> bool:
    named = _named_rules(plan).get(name)
    if named is not None:
        return name in seen or _is_same_for_all(named, plan, seen | {name})
    return name in plan.constants or name in ("event", "instance")


def _missing_targets(plan: MappingPlan) -> Iterator[Mistake]:
    mapped = {rule.target for rule in plan.rules}
    for target in ("patient_id", "patient_name", "modality"):
        if target not in mapped and not plan.fallbacks.get(target):
            text = f"Nothing is mapped to {target}, which every item needs."
            yield Mistake(None, "rules", text, is_gap=True)
    if not mapped & {targets.START_DATE, targets.START}:
        text = f"Nothing is mapped to {targets.START_DATE} or {targets.START}."
        yield Mistake(None, "rules", text, is_gap=True)
    has_time = mapped & {targets.START_TIME, targets.START}
    if not has_time and plan.sessions.without_time is WithoutTime.ISSUE:
        text = "No time is mapped: map one, or let a date without a time mean some time that day."
        yield Mistake(None, "without_time", text, is_gap=True)


def _repeated_targets(plan: MappingPlan) -> Iterator[Mistake]:
    seen: set[str] = set()
    for place, rule in enumerate(plan.rules):
        parts = _parts_of(rule.target)
        if parts & seen:
            yield Mistake(place, "target", f"Another rule has {' or '.join(sorted(parts & seen))} already.")
        seen |= parts


def _parts_of(target: str) -> frozenset[str]:
    """Return the values that a target stands for: two rules for one of them contradict each other."""
    if target == targets.START:
        return frozenset({targets.START_DATE, targets.START_TIME})
    return frozenset({targets.KILOGRAMS if target == targets.POUNDS else target})


def _fallbacks(plan: MappingPlan) -> Iterator[Mistake]:
    for field, value in plan.fallbacks.items():
        if targets.is_keyword(field) or field in (targets.STATUS, targets.START):
            yield Mistake(None, "fallbacks", f"{field} is no field of an item that may have a fixed value.")
        elif field in _OF_ONE_PERSON:
            yield Mistake(
                None, "fallbacks", f"{field} is a participant's own: it cannot be the same for all."
            )
        elif problem := _unfit(field, value):
            yield Mistake(None, "fallbacks", f"{field}: {problem}")


def _named_rules(plan: MappingPlan) -> dict[str, Rule]:
    return {name: rule for rule in plan.rules if (name := targets.name_of(rule.target))}


def _circular_names(plan: MappingPlan) -> Iterator[Mistake]:
    named = _named_rules(plan)
    for place, rule in enumerate(plan.rules):
        name = targets.name_of(rule.target)
        if name and name in _reachable_names(names_used(rule), named):
            yield Mistake(place, "transforms", f"{{{name}}} is made from itself.")


def _reachable_names(names: Iterable[str], named: dict[str, Rule]) -> set[str]:
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in named and name not in reached:
            reached.add(name)
            waiting += names_used(named[name])
    return reached


def _rule_in_project(place: int, rule: Rule, plan: MappingPlan, dictionary: Dictionary) -> Iterator[Mistake]:
    for event in check_sessions.unknown_events(rule.events, dictionary):
        yield Mistake(place, "events", check_sessions.no_such_event(event, dictionary))
    known = {*_named_rules(plan), *plan.constants, *targets.RESERVED}
    for name in template_names(rule):
        if name not in known and not columns.exists(name, dictionary):
            text = f"{{{name}}} is no field, constant or named value."
            yield Mistake(place, "transforms", with_likely_name(text, name, [*known, *dictionary.fields]))
    for name in alternatives.fields(rule):
        column = "field" if name == rule.field else "transforms"
        if not columns.exists(name, dictionary):
            yield Mistake(place, column, check_sessions.no_such_field(name, plan.sessions, dictionary))
        elif name in dictionary.fields:
            yield from _field(place, column, rule, dictionary.fields[name])
    if rule.field and columns.exists(rule.field, dictionary):
        yield from _level(place, rule, plan, dictionary)
        yield from _appointment_of_all(place, rule, plan, dictionary)


def _field(place: int, column: str, rule: Rule, field: Field) -> Iterator[Mistake]:
    """Judge one of the fields that may give the rule's value."""
    if field.type in ("file", "descriptive"):
        yield Mistake(place, column, f"A field of the type {field.type} has no value to map.")
    if is_minutes(field) and rule.target in (targets.START, targets.START_TIME):
        yield Mistake(place, column, f"{field.name} holds minutes and seconds, not a time of day.")
    refusal = check_fields.refusal(rule, field)
    yield from [Mistake(place, column, refusal)] if refusal else _choices(place, rule, field)


def _appointment_of_all(
    place: int, rule: Rule, plan: MappingPlan, dictionary: Dictionary
) -> Iterator[Mistake]:
    """Refuse to take one session's date or time for all: else fields are looked for by the rule's level."""
    if rule.level is Level.SESSION or rule.target not in (
        targets.START,
        targets.START_DATE,
        targets.START_TIME,
    ):
        return
    if plan.sessions.kind in (SessionKind.REPEATING_INSTRUMENT, SessionKind.RECORD):
        return
    for name in alternatives.fields(rule)[1:]:
        if (
            columns.exists(name, dictionary)
            and sessions.level_of(name, plan.sessions, dictionary) is Level.SESSION
        ):
            text = f"{name} is on the sessions' own rows: all sessions would have the first one's value"
            yield Mistake(place, "transforms", f"{text}. Map it in a row of its own level.")


def _level(place: int, rule: Rule, plan: MappingPlan, dictionary: Dictionary) -> Iterator[Mistake]:
    how = plan.sessions
    if rule.level is Level.SESSION and not sessions.is_on_session(rule.field, how, dictionary):
        text = f"{rule.field} is not on the sessions' own rows, where it would always be empty"
        yield Mistake(place, "level", f"{text}: choose the level record.")
    is_own = columns.form_of(rule.field, dictionary) == how.instrument
    is_repeating = how.kind is SessionKind.REPEATING_INSTRUMENT
    if rule.level is Level.RECORD and is_repeating and is_own and rule.field != dictionary.record_id_field:
        text = f"{rule.field} is on the sessions' own form: all sessions would have the first one's value"
        yield Mistake(place, "level", f"{text}. Choose the level session.")


def _choices(place: int, rule: Rule, field: Field) -> Iterator[Mistake]:
    if not field.choices or not _gives_codes(rule, field):
        return
    if rule.target == targets.SEX and field.type != "checkbox" and codes.are_sexes(field.choices):
        return
    if rule.target in (targets.SEX, targets.STATUS):
        example = "1=M, 2=F" if rule.target == targets.SEX else "1=SCHEDULED, 2=CANCELLED"
        text = f"{field.name} is a choice: say what its codes mean, such as codes {example}."
        yield Mistake(place, "transforms", text)
    elif targets.vr(rule.target) in ("CS", "AE") and any(code.isdigit() for code in field.choices):
        text = f"{field.name} is a choice, and its codes are numbers: say label, or codes 1=…."
        yield Mistake(place, "transforms", text)


def _gives_codes(rule: Rule, field: Field) -> bool:
    try:
        transforms = effective_transforms(rule, field)
    except TransformError:
        return False
    return not any(isinstance(transform, CodesTransform | LabelTransform) for transform in transforms)
