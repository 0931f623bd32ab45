"""Fields that REDCap marks as identifiers are found in a mapping, with the targets that they go into.

A project's designers set the mark for each field that could tell who somebody is, and its exports can leave
them out. Whether the worklist is to have them is for an administrator to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sources.contract import IdentifyingUse
from sources.dictionary import Dictionary
from sources.mapping import targets
from sources.mapping.evaluate import names_read, names_used
from sources.mapping.rules import MappingPlan, Rule


@dataclass(frozen=True)
class Marks:
    """It says which names stand for marked fields: of a large project this is little, and kept apart.

    `fields` has the field of each name by which a mapping may call it, a checkbox's columns too.
    """

    record_id: str
    fields: Mapping[str, str]

    @classmethod
    def of(cls, dictionary: Dictionary) -> Marks:
        marked = [field for field in dictionary.fields.values() if field.is_identifier]
        names = {name: field.name for field in marked for name in (field.name, *field.columns.values())}
        return cls(dictionary.record_id_field, names)

    def to_json(self) -> dict[str, Any]:
        return {"record_id": self.record_id, "fields": dict(self.fields)}


def uses(plan: MappingPlan, marks: Marks) -> frozenset[IdentifyingUse]:
    """Return every pair of an identifying field and a target that has its value, or a part of it."""
    return frozenset(
        IdentifyingUse(marks.fields[name], rule.target)
        for rule in plan.rules
        if targets.name_of(rule.target) is None
        for name in names_behind(rule, plan, marks.record_id)
        if name in marks.fields
    )


def names_behind(rule: Rule, plan: MappingPlan, record_id: str) -> frozenset[str]:
    """Return REDCap's names that a row's value may come from, through named values, too."""
    named = {name: other for other in plan.rules if (name := targets.name_of(other.target))}
    return frozenset(
        name
        for each in _with_named(rule, named)
        for name in (*names_read(each, plan), *([record_id] if "record" in names_used(each) else []))
    )


def in_words(found: Iterable[IdentifyingUse]) -> str:
    """Return `first_name and last_name into patient_name; dob into patient_birth_date`."""
    by_target: dict[str, list[str]] = {}
    for use in sorted(found, key=lambda use: (use.target, use.field)):
        by_target.setdefault(use.target, []).append(use.field)
    return "; ".join(f"{_listed(fields)} into {target}" for target, fields in by_target.items())


def _listed(fields: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(fields[:-1]), fields[-1])))


def _with_named(rule: Rule, named: dict[str, Rule]) -> Iterator[Rule]:
    """Yield the row, and each row of a named value that it needs, once."""
    seen, waiting = {rule}, [rule]
    while waiting:
        each = waiting.pop()
        yield each
        more = {named[name] for name in names_used(each) if name in named} - seen
        seen |= more
        waiting += more
