"""A value of the source's first records stands beside what would read it, for the screen alone.

The values are participants' data: read for one page, and kept, logged or sent back nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sources.admin import readable
from sources.contract import Trace
from sources.dictionary import Dictionary
from sources.kinds import backend_for
from sources.mapping.rules import Level, MappingPlan, Rule, SessionKind, SessionLayout
from sources.mapping.suggestion.proposals import RuleCandidate
from sources.models import DataSource

RECORDS = 20  # that are read for it
# A value is shown wherever it is in its record: which of its sessions it belongs to is the preview's to show.
ANYWHERE = SessionLayout(SessionKind.RECORD)


class Sample(NamedTuple):
    """It shows what one rule makes of the first value that it finds, and in how many records it finds one."""

    raw: str
    value: str
    problem: str
    filled: int
    records: int

    @property
    def is_changed(self) -> bool:
        return bool(self.raw) and self.raw != self.value


def read_samples(
    source: DataSource,
    dictionary: Dictionary,
    candidates: Sequence[RuleCandidate],
    *,
    constants: Mapping[str, str],
) -> dict[str, tuple[Sample, ...]]:
    """Return a sample for each rule of candidates that read a field, by their keys. Raises SourceError."""
    reading = {each.key: tuple(map(_anywhere, each.rules)) for each in candidates if each.fields}
    rules = tuple(dict.fromkeys(rule for its_rules in reading.values() for rule in its_rules))
    plan = MappingPlan(rules, ANYWHERE, constants=constants)
    with backend_for(source, plan, dictionary) as backend:
        records = list(backend.record_ids())[:RECORDS]
        read = list(backend.read(records, with_trace=True))
    samples = {
        rule: best_of([[session.trace[place] for session in record.sessions] for record in read])
        for place, rule in enumerate(rules)
    }
    return {key: tuple(samples[rule] for rule in its_rules) for key, its_rules in reading.items()}


def _anywhere(rule: Rule) -> Rule:
    return replace(rule, level=Level.RECORD, events=())


def best_of(by_record: Sequence[Sequence[Trace]]) -> Sample:
    """Take of one rule's traces, by record, one that has a value, else one that has a problem."""
    filled = sum(any(trace.value or trace.raw for trace in traces) for traces in by_record)
    found = sorted((trace for traces in by_record for trace in traces), key=_worth)
    if not found:
        return Sample("", "", "", 0, len(by_record))
    best = found[0]
    shown = str(readable.value(best.target, best.value))
    return Sample(best.raw, shown, best.problem, filled, len(by_record))


def _worth(trace: Trace) -> tuple[bool, bool, bool]:
    return not trace.value, not trace.raw, not trace.problem
