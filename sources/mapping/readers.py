"""Who reads a column of an export: which rows of the mapping, which conditions, or how sessions are found."""

from __future__ import annotations

from collections.abc import Iterator

from sources.dictionary import Dictionary
from sources.mapping import columns, conditions
from sources.mapping.evaluate import names_read
from sources.mapping.rules import MappingPlan, SessionKind, SessionLayout
from sources.rows import GROUP

REPEATS = frozenset({"redcap_repeat_instrument", "redcap_repeat_instance"})
OF_SESSIONS = "the sessions"


def columns_needed(plan: MappingPlan, dictionary: Dictionary) -> frozenset[str]:
    """Return the redcap_* columns without which the plan cannot be carried out.

    They are those that the plan reads, and those that tell one session from another. A project without
    events or repeats has no column for them, and needs none. REDCap sends no groups where there are none:
    they are needed all the same, for nothing else tells that from a right that was taken away.
    """
    has = _of_project(dictionary)
    return frozenset(
        name for name in columns.OF_EVERY_ROW if name in has and who_reads(name, plan, dictionary)
    )


def who_reads(name: str, plan: MappingPlan, dictionary: Dictionary) -> tuple[str, ...]:
    """Name, for people, who reads a field or a redcap_* column."""
    return tuple(dict.fromkeys(_who_reads(name, plan, dictionary)))


def _who_reads(name: str, plan: MappingPlan, dictionary: Dictionary) -> Iterator[str]:
    for rule in plan.rules:
        if any(columns.exported_field(read, dictionary) == name for read in names_read(rule, plan)):
            yield f"row {rule.target}"
    for condition in conditions.parse(plan.sessions.conditions):
        if columns.exported_field(condition.field, dictionary) == name:
            yield f"the condition “{condition.line}”"
    if _tells_sessions_apart(name, plan, dictionary):
        yield OF_SESSIONS


def _tells_sessions_apart(name: str, plan: MappingPlan, dictionary: Dictionary) -> bool:
    if name == "redcap_event_name":
        return dictionary.is_longitudinal
    return name in REPEATS and dictionary.has_repeats and _are_repeats(plan.sessions, dictionary)


def _are_repeats(sessions: SessionLayout, dictionary: Dictionary) -> bool:
    if sessions.kind is SessionKind.EVENT:
        return any(form == sessions.instrument for _, form in dictionary.repeating or () if form)
    return sessions.kind is not SessionKind.RECORD


def _of_project(dictionary: Dictionary) -> frozenset[str]:
    events = {"redcap_event_name"} if dictionary.is_longitudinal else set()
    return frozenset({GROUP, *events, *(REPEATS if dictionary.has_repeats else ())})
