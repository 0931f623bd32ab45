"""What each rule of a plan gives for one session: a value, or the problem that there is with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sources.contract import Key, Problem, Trace
from sources.mapping import columns, fitting, targets, texts
from sources.mapping.lookup import Lookup
from sources.mapping.problems import Unusable
from sources.mapping.rules import Plan, Rule
from sources.mapping.transforms import (
    Codes,
    FromTemplate,
    Label,
    Origin,
    Transform,
    TransformError,
    parse,
)
from sources.redcap.dictionary import Dictionary, Field


@dataclass(frozen=True)
class Outcome:
    """Of one rule. `value` is "" where there is none, or where there is a `problem` with it."""

    rule: Rule
    field: str  # what to look at in REDCap
    place: Key
    raw: str = ""
    after: tuple[str, ...] = ()
    value: fitting.Value = ""
    problem: str = ""

    @property
    def is_required(self) -> bool:
        return self.rule.required or self.rule.target in (*targets.ALWAYS_REQUIRED, targets.START)

    @property
    def blocks(self) -> bool:
        return self.is_required or self.rule.target == targets.STATUS

    def as_problem(self) -> Problem:
        return Problem(self.rule.target, self.field, self.problem, self.place, blocks=self.blocks)

    def as_trace(self) -> Trace:
        """Pounds are shown as what they become."""
        value = str(self.value)
        shown = f"{value} kg" if value and self.rule.target == targets.POUNDS else value
        return Trace(self.rule.target, self.field, self.raw, self.after, shown, self.problem)


class Outcomes:
    """Of one session. Named values are worked out once, when a template first asks for them."""

    def __init__(self, plan: Plan, lookup: Lookup, *, record: str, today: date) -> None:
        self.plan = plan
        self.lookup = lookup
        self.record = record
        self.today = today
        self._named = {name: rule for rule in plan.rules if (name := targets.name_of(rule.target))}
        self._known: dict[Rule, Outcome] = {}
        self._under_way: set[Rule] = set()

    def all(self) -> tuple[Outcome, ...]:
        return tuple(self.of(rule) for rule in self.plan.rules)

    def of(self, rule: Rule) -> Outcome:
        if rule not in self._known:
            self._under_way.add(rule)
            self._known[rule] = self._work_out(rule)
            self._under_way.discard(rule)
        return self._known[rule]

    def value_of(self, name: str, rule: Rule) -> str:
        """Of a name in the rule's template. Raises Unusable where it cannot be told for certain."""
        if name in targets.OF_THE_SESSION:
            return self._of_session(name)
        if name in self._named:
            return self._of_named(name)
        if name in self.plan.constants:
            return self.plan.constants[name]
        return self.lookup.anywhere(name, rule.level, rule.events).value

    def _of_session(self, name: str) -> str:
        key = self.lookup.key
        instance = str(key.instance) if key.instance else ""
        return {"record": self.record, "event": key.event, "instance": instance}[name]

    def _of_named(self, name: str) -> str:
        rule = self._named[name]
        if rule in self._under_way:
            raise Unusable(f"{{{name}}} needs itself.")
        outcome = self.of(rule)
        if outcome.problem:
            raise Unusable(f"{{{name}}} could not be read.", field=outcome.field)
        return str(outcome.value)

    def _work_out(self, rule: Rule) -> Outcome:
        dictionary = self.lookup.dictionary
        raw, place = ("", self.lookup.key)
        if rule.field:
            raw, place = self.lookup.by_level(rule.field, rule.level, rule.events)
        after: list[str] = []
        try:
            value = _Working(self, rule, raw, after, dictionary).value()
        except TransformError as error:
            return Outcome(rule, rule.field, place, raw, tuple(after), problem=str(error))
        except Unusable as error:
            field, place = self._where_to_look(error.field, rule) if error.field else (rule.field, place)
            return Outcome(rule, field, place, raw, tuple(after), problem=str(error))
        return Outcome(rule, rule.field, place, raw, tuple(after), value)

    def _where_to_look(self, name: str, rule: Rule) -> tuple[str, Key]:
        """The field behind a name of a template, and its row."""
        if name in self._named:
            named = self.of(self._named[name])
            return named.field, named.place
        if name in self.plan.constants or name in targets.OF_THE_SESSION:
            return "", self.lookup.key
        return name, self.lookup.anywhere(name, rule.level, rule.events).place


class _Working:
    """One rule at work: what its transforms may ask (`transforms.Surroundings`)."""

    def __init__(
        self, outcomes: Outcomes, rule: Rule, raw: str, after: list[str], dictionary: Dictionary
    ) -> None:
        field = dictionary.fields.get(rule.field)
        self.choices: Mapping[str, str] = field.choices if field else {}
        self.is_checkbox = columns.is_checkbox(field)
        self._outcomes = outcomes
        self._rule = rule
        self._raw = raw
        self._after = after
        self._field = field
        self._is_name = targets.vr(rule.target) == "PN"

    def value_of(self, name: str) -> str:
        value = self._outcomes.value_of(name, self._rule)
        return texts.without_delimiters(value) if self._is_name else value

    def value(self) -> fitting.Value:
        _refuse_minutes(self._rule.target, self._field)
        text, origin = self._transformed()
        if not text:
            text, origin = self._rule.default, Origin.TABLE
        fitted = self._fit(text, origin) if text else ""
        if fitted == "" and self._needs_value():
            raise Unusable("This is empty, and a worklist item needs it.")
        return fitted

    def _needs_value(self) -> bool:
        """A session without a date is not wanted, which is no problem."""
        target = self._rule.target
        if target in (targets.START, targets.START_DATE):
            return False
        return self._rule.required or target in targets.ALWAYS_REQUIRED

    def _fit(self, text: str, origin: Origin) -> fitting.Value:
        return fitting.fit(self._rule.target, text, origin=origin, today=self._outcomes.today)

    def _transformed(self) -> tuple[str, Origin]:
        """The raw value after all steps; nothing is made of an empty field."""
        text, origin = self._raw, Origin.RECORD
        if self._rule.field and not text:
            return "", origin
        for step in effective_transforms(self._rule, self._field):
            if self._is_name and isinstance(step, FromTemplate) and origin is Origin.RECORD:
                texts.without_delimiters(text)
            text, origin = step.apply(text, self), step.origin or origin
            self._after.append(text)
            if not text:
                break
        return text, origin


def effective_transforms(rule: Rule, field: Field | None) -> tuple[Transform, ...]:
    """The rule's own; before them the label of a choice whose target people read."""
    steps = parse(rule.transforms)
    is_read = targets.is_description(rule.target) or targets.vr(rule.target) == "PN"
    has_choices = field is not None and bool(field.choices)
    if is_read and has_choices and not any(isinstance(step, Label | Codes) for step in steps):
        return (Label(), *steps)
    return steps


def _refuse_minutes(target: str, field: Field | None) -> None:
    """What REDCap exports as 09:30 from such a field is nine minutes and a half."""
    if field is not None and is_minutes(field) and target in (targets.START, targets.START_TIME):
        raise Unusable("This field holds minutes and seconds, not a time of day.")


def is_minutes(field: Field) -> bool:
    return field.validation == "time_mm_ss"
