"""An outgoing mapping is checked before it writes: by itself, and by the project's dictionary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from sources.contract import Mistake
from sources.dictionary import Dictionary, Field
from sources.mapping import check_sessions, columns, readers
from sources.mapping.problems import with_likely_name
from sources.mapping.rules import MappingPlan, SessionKind
from sources.outgoing import forms, places
from sources.outgoing.facts import MOMENTS, NUMBERS, ScanFact
from sources.outgoing.rules import OutgoingRule

# What an item may be: a table of codes for the status has these on its left side.
STATUSES = ("SCHEDULED", "IN_PROGRESS", "COMPLETED", "DISCONTINUED", "CANCELLED")
NOBODY_ELSE: Mapping[str, MappingPlan] = MappingProxyType({})
COMPUTED = ("@CALCTEXT", "@CALCDATE")


def mistakes(
    rules: Sequence[OutgoingRule],
    plan: MappingPlan,
    dictionary: Dictionary | None,
    *,
    others: Mapping[str, MappingPlan] = NOBODY_ELSE,
) -> tuple[Mistake, ...]:
    """Return all that is wrong; without a dictionary, what can be known without the project.

    `plan` is the mapping by which the same source is read, and `others` are those of other sources that read
    the project, by name: what any of them reads is never written.
    """
    found = tuple(_mistakes(rules, plan, dictionary))
    if dictionary is None or found:
        return found
    return tuple(_read_elsewhere(rules, dictionary, others))


def _read_elsewhere(
    rules: Sequence[OutgoingRule], dictionary: Dictionary, others: Mapping[str, MappingPlan]
) -> Iterator[Mistake]:
    for number, rule in enumerate(rules):
        for name, plan in others.items():
            if readers.who_reads(rule.field, plan, dictionary):
                text = f"{rule.field} is read by the source {name}: writing it would change its items."
                yield Mistake(number, "field", text)


def _mistakes(
    rules: Sequence[OutgoingRule], plan: MappingPlan, dictionary: Dictionary | None
) -> Iterator[Mistake]:
    for number, rule in enumerate(rules):
        if any(other.field == rule.field for other in rules[:number]):
            yield Mistake(number, "field", f"Another row writes {rule.field} already.")
        problem = _table(rule)
        if problem:
            yield Mistake(number, "codes", problem)
        elif dictionary is not None:
            yield from _in_project(number, rule, plan, dictionary)


def _table(rule: OutgoingRule) -> str:
    try:
        table = rule.table()
    except ValueError as error:
        return str(error)
    if table and rule.fact in (MOMENTS | NUMBERS):
        return "A moment or a number has no codes: leave this empty."
    strange = [name for name in table if name not in STATUSES] if rule.fact is ScanFact.STATUS else []
    if strange:
        return with_likely_name(f"{strange[0]} is no status of an item.", strange[0], STATUSES)
    return "A code to write is empty." if "" in table.values() else ""


def _in_project(
    number: int, rule: OutgoingRule, plan: MappingPlan, dictionary: Dictionary
) -> Iterator[Mistake]:
    field, form = dictionary.fields.get(rule.field), columns.form_of(rule.field, dictionary)
    if form is None or rule.field in columns.OF_EVERY_ROW:
        text = check_sessions.no_such_field(rule.field, plan.sessions, dictionary)
        yield Mistake(number, "field", text)
        return
    refusal = _never_written(rule.field, field, plan, dictionary)
    if refusal:
        yield Mistake(number, "field", refusal)
        return
    yield from _place(number, rule, form, plan, dictionary)
    yield from _type(number, rule, field, dictionary)


def _never_written(name: str, field: Field | None, plan: MappingPlan, dictionary: Dictionary) -> str:
    if name == dictionary.record_id_field:
        return f"{name} is the record's own ID."
    if field is not None and field.is_identifier:
        return f"{name} is marked as an identifier: nothing of an examination belongs there."
    if field is not None and (field.type == "calc" or any(tag in field.annotation for tag in COMPUTED)):
        return f"{name} is calculated by REDCap."
    if field is not None and field.type not in forms.CHOICES | forms.TEXTS:
        return f"A field of the type {field.type} cannot be written: take a text, a radio or a dropdown."
    read_by = readers.who_reads(name, plan, dictionary)
    if read_by:
        return f"{name} is read by {' and '.join(read_by)}: writing it would change items here."
    return ""


def _place(
    number: int, rule: OutgoingRule, form: str, plan: MappingPlan, dictionary: Dictionary
) -> Iterator[Mistake]:
    if plan.sessions.kind is not SessionKind.RECORD:
        if rule.event:
            yield Mistake(number, "event", "It is written into the session's own event: leave this empty.")
        if not places.is_on_sessions(rule.field, plan.sessions, dictionary):
            text = f"{rule.field} is not on the sessions' own rows: take a field of their form"
            yield Mistake(
                number, "field", f"{text}, such as {plan.sessions.instrument or 'one in each event'}."
            )
        return
    possible = places.possible_events(form, dictionary)
    if rule.event and rule.event not in possible:
        yield Mistake(number, "event", _no_such_place(rule, possible, dictionary))
    elif not possible:
        yield Mistake(number, "field", f"{rule.field} repeats, and a session is a whole record here.")
    elif not rule.event and _are_several(possible, dictionary):
        yield Mistake(number, "event", f"Several events have {rule.field}: name one ({', '.join(possible)}).")


def _no_such_place(rule: OutgoingRule, possible: Sequence[str], dictionary: Dictionary) -> str:
    if [*check_sessions.unknown_events([rule.event], dictionary)]:
        return check_sessions.no_such_event(rule.event, dictionary)
    return f"{rule.event} has no {rule.field} that does not repeat: {', '.join(possible) or 'no event has'}."


def _are_several(possible: Sequence[str], dictionary: Dictionary) -> bool:
    """Tell whether an arm has more than one of the events."""
    arms = [event.arm for event in dictionary.events if event.name in possible]
    return len(arms) != len(set(arms))


def _type(number: int, rule: OutgoingRule, field: Field | None, dictionary: Dictionary) -> Iterator[Mistake]:
    codes = forms.choices(rule.field, dictionary)
    if codes or field is None:
        yield from _choices(number, rule, codes)
    elif rule.fact in MOMENTS and forms.form_of_moment(field.validation) is None:
        yield Mistake(
            number, "field", f"{rule.field} is validated as {field.validation}: it takes no moment."
        )
    elif rule.fact in NUMBERS and field.validation not in forms.WHOLE:
        text = f"{rule.field} is validated as {field.validation}: it takes no whole number."
        yield Mistake(number, "field", text)
    elif rule.fact not in MOMENTS | NUMBERS and field.validation:
        text = f"{rule.field} is validated as {field.validation}: take a text field without a validation."
        yield Mistake(number, "field", text)


def _choices(number: int, rule: OutgoingRule, codes: dict[str, str]) -> Iterator[Mistake]:
    if rule.fact in MOMENTS | NUMBERS:
        yield Mistake(number, "field", f"{rule.field} is a choice: it takes neither a moment nor a number.")
        return
    table = rule.table()
    if not table:
        example = "COMPLETED=2, DISCONTINUED=3" if rule.fact is ScanFact.STATUS else "MR1=1, MR2=2"
        yield Mistake(number, "codes", f"{rule.field} is a choice: say which code to write, as in {example}.")
    for code in table.values():
        if code not in codes:
            there = ", ".join(f"{each} {label}" for each, label in codes.items())
            yield Mistake(number, "codes", f"{rule.field} has no code {code}: it has {there}.")


def _such_as(instrument: str) -> str:
    return f", {instrument}" if instrument else ""
