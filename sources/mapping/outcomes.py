"""Each rule of a plan gives a value for one session, or the problem that there is with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from sources.contract import Problem, SessionKey, Trace
from sources.dictionary import DICOM, Field
from sources.mapping import alternatives, columns, fitting, targets, texts
from sources.mapping.lookup import FoundValue, Lookup
from sources.mapping.mapped_project import GivenText, MappedProject, WorkedOut
from sources.mapping.problems import UnusableValue
from sources.mapping.rules import Rule
from sources.mapping.transforms import (
    CodesTransform,
    LabelTransform,
    Origin,
    PlainTransform,
    TemplateTransform,
    Transform,
    TransformError,
    parse,
)


class RuleOutcome(NamedTuple):
    """`value` is "" where the rule gives none, or where there is a `problem` with it."""

    rule: Rule
    field: str  # that gave the value, or what to look at in REDCap
    place: SessionKey
    raw: str = ""
    after: tuple[str, ...] = ()
    value: fitting.Value = ""
    problem: str = ""
    origin: Origin = Origin.RECORD

    @property
    def is_required(self) -> bool:
        return self.rule.required or self.rule.target in (*targets.ALWAYS_REQUIRED, targets.START)

    @property
    def blocks(self) -> bool:
        return self.is_required or self.rule.target == targets.STATUS

    def as_problem(self) -> Problem:
        return Problem(self.rule.target, self.field, self.problem, self.place, blocks=self.blocks)

    def as_trace(self) -> Trace:
        """Return the trace, in which pounds are shown as the kilograms that they become."""
        value = str(self.value)
        shown = f"{value} kg" if value and self.rule.target == targets.POUNDS else value
        return Trace(self.rule.target, self.field, self.raw, self.after, shown, self.problem)


class SessionOutcomes:
    """It has the outcomes of one session.

    A named value is worked out once, when a template first asks for it.
    """

    def __init__(self, project: MappedProject, lookup: Lookup, *, record: str, today: date) -> None:
        """Work in a project, by whose dictionary the lookup reads, too."""
        self.project = project
        self.plan = project.plan
        self.lookup = lookup
        self.record = record
        self.today = today
        self._named = project.named
        # By their rules' id: the plan keeps these, and to compare them takes longer than to work one out.
        self._known: dict[int, RuleOutcome] = {}
        self._under_way: set[int] = set()

    def all(self) -> tuple[RuleOutcome, ...]:
        return tuple(self.of(rule) for rule in self.plan.rules)

    def of(self, rule: Rule) -> RuleOutcome:
        which = id(rule)
        found = self._known.get(which)
        if found is None:
            self._under_way.add(which)
            found = self._known[which] = self._work_out(rule)
            self._under_way.discard(which)
        return found

    def value_of(self, name: str, rule: Rule) -> str:
        """Return the value of a name in the rule's template. Raises UnusableValue where it is uncertain."""
        if name in targets.OF_THE_SESSION:
            return self._of_session(name)
        if name in self._named:
            return self._of_named(name)
        if name in self.plan.constants:
            return self.plan.constants[name]
        found = self.lookup.anywhere(name, rule.level, rule.events)
        if found.problem:
            raise UnusableValue(found.problem, field=name)
        return found.value

    def _of_session(self, name: str) -> str:
        key = self.lookup.key
        instance = str(key.instance) if key.instance else ""
        return {"record": self.record, "event": key.event, "instance": instance}[name]

    def _of_named(self, name: str) -> str:
        return str(self._named_outcome(name).value)

    def _named_outcome(self, name: str) -> RuleOutcome:
        rule = self._named[name]
        if id(rule) in self._under_way:
            raise UnusableValue(f"{{{name}}} needs itself.")
        outcome = self.of(rule)
        if outcome.problem:
            raise UnusableValue(f"{{{name}}} could not be read.", field=outcome.field)
        return outcome

    def _work_out(self, rule: Rule) -> RuleOutcome:
        own = given = self._own(rule)
        try:
            given = own if own.value or own.problem else self._first_alternative(rule, own)
        except UnusableValue as error:
            return self._outcome(rule, own, _unusable((), error))
        made = self.project.worked_out(rule, given, self.today, lambda: self._made_of(rule, given))
        return self._outcome(rule, given, made)

    def _made_of(self, rule: Rule, given: GivenText) -> WorkedOut:
        after: list[str] = []
        evaluation = _RuleEvaluation(self, rule, given, after)
        try:
            value = evaluation.value()
        except TransformError as error:
            return WorkedOut(tuple(after), problem=str(error))
        except UnusableValue as error:
            return _unusable(tuple(after), error)
        return WorkedOut(tuple(after), value, evaluation.origin)

    def _outcome(self, rule: Rule, given: GivenText, made: WorkedOut) -> RuleOutcome:
        field, place = given.field, given.place
        if made.to_look_at:
            field, place = self._where_to_look(made.to_look_at, rule)
        return RuleOutcome(rule, field, place, given.value, made.after, made.value, made.problem, made.origin)

    def _own(self, rule: Rule) -> GivenText:
        if not rule.field:
            return GivenText("", "", self.lookup.key)
        found = self.lookup.by_level(rule.field, rule.level, rule.events)
        return self._of_field(rule.field, found)

    def _first_alternative(self, rule: Rule, own: GivenText) -> GivenText:
        """Return the first `else` that is not empty, or the rule's own field, which is to be filled."""
        found = (self._alternative(name, rule) for name in alternatives.of(rule))
        return next((given for given in found if given.value or given.problem), own)

    def _alternative(self, name: str, rule: Rule) -> GivenText:
        named = targets.name_of(name)
        if named is None:
            return self._of_field(name, self.lookup.anywhere(name, rule.level, rule.events))
        if named not in self._named:
            raise UnusableValue(f"{{{named}}} is no named value.")
        outcome = self._named_outcome(named)
        return GivenText(outcome.field, str(outcome.value), outcome.place, origin=outcome.origin)

    def _of_field(self, name: str, found: FoundValue) -> GivenText:
        field = self.lookup.dictionary.fields.get(name)
        origin = Origin.DICOM if field is not None and field.type == DICOM else Origin.RECORD
        return GivenText(name, found.value, found.place, field, origin, found.problem)

    def _where_to_look(self, name: str, rule: Rule) -> tuple[str, SessionKey]:
        """Return the field behind a name of a template, and its row."""
        if name in self._named:
            named = self.of(self._named[name])
            return named.field, named.place
        if name in self.plan.constants or name in targets.OF_THE_SESSION:
            return "", self.lookup.key
        return name, self.lookup.anywhere(name, rule.level, rule.events).place


def _unusable(after: tuple[str, ...], error: UnusableValue) -> WorkedOut:
    return WorkedOut(after, problem=str(error), to_look_at=error.field)


class _RuleEvaluation:
    """It works out one rule, and tells its transforms what they ask (`transforms.TransformContext`)."""

    def __init__(self, outcomes: SessionOutcomes, rule: Rule, given: GivenText, after: list[str]) -> None:
        field = given.column
        self.choices: Mapping[str, str] = field.choices if field else {}
        self.is_checkbox = columns.is_checkbox(field)
        self.origin = given.origin
        self._outcomes = outcomes
        self._rule = rule
        self._raw = given.value
        self._problem = given.problem
        self._after = after
        self._field = field
        self._is_name = targets.vr(rule.target) == "PN"

    def value_of(self, name: str) -> str:
        value = self._outcomes.value_of(name, self._rule)
        return texts.without_delimiters(value) if self._is_name else value

    def value(self) -> fitting.Value:
        _refuse_minutes(self._rule.target, self._field)
        if self._problem and not self._may_measure():
            raise UnusableValue(self._problem)
        text, self.origin = self._transformed()
        if not text:
            text, self.origin = self._rule.default, Origin.TABLE
        fitted = self._fit(text, self.origin) if text else ""
        if fitted == "" and self._needs_value():
            raise UnusableValue("This is empty, and a worklist item needs it.")
        return fitted

    def _may_measure(self) -> bool:
        """Tell whether a number is only measured by, so that the digits that it shows do not count."""
        return (
            bool(self._raw)
            and targets.is_measure(self._rule.target)
            and all(
                isinstance(transform, PlainTransform) and transform.is_of_measures
                for transform in effective_transforms(self._rule, self._field)
            )
        )

    def _needs_value(self) -> bool:
        """Tell whether an empty value is a problem: a session without a date is merely not wanted."""
        target = self._rule.target
        if target in (targets.START, targets.START_DATE):
            return False
        return self._rule.required or target in targets.ALWAYS_REQUIRED

    def _fit(self, text: str, origin: Origin) -> fitting.Value:
        return fitting.fit(self._rule.target, text, origin=origin, today=self._outcomes.today)

    def _transformed(self) -> tuple[str, Origin]:
        """Return the raw value after all transforms; nothing is made of an empty field."""
        text, origin = self._raw, self.origin
        if self._rule.field and not text:
            return "", origin
        for transform in effective_transforms(self._rule, self._field):
            if self._is_name and isinstance(transform, TemplateTransform) and origin is Origin.RECORD:
                texts.without_delimiters(text)
            text, origin = transform.apply(text, self), transform.origin or origin
            self._after.append(text)
            if not text:
                break
        return text, origin


def effective_transforms(rule: Rule, field: Field | None) -> tuple[Transform, ...]:
    """Return the rule's own; before them the label of a choice whose target people read."""
    transforms = parse(rule.transforms)
    is_read = targets.is_description(rule.target) or targets.vr(rule.target) == "PN"
    has_choices = field is not None and bool(field.choices)
    if (
        is_read
        and has_choices
        and not any(isinstance(transform, LabelTransform | CodesTransform) for transform in transforms)
    ):
        return (LabelTransform(), *transforms)
    return transforms


def _refuse_minutes(target: str, field: Field | None) -> None:
    """Refuse what REDCap exports as 09:30 and means as nine minutes and a half."""
    if field is not None and is_minutes(field) and target in (targets.START, targets.START_TIME):
        raise UnusableValue("This field holds minutes and seconds, not a time of day.")


def is_minutes(field: Field) -> bool:
    return field.validation == "time_mm_ss"
