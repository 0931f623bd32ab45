"""Additions and new patient IDs wait until a pull has read all, and it is known whether they are too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sources.contract import ReadRecord
from sources.models import DataSource, SyncedStep, Withdrawal
from sources.sync import guards
from sources.sync.applying import Applied
from sources.sync.deciding import SyncAction
from sources.sync.guards import Guarded
from worklist.items import lifecycle

KINDS = (Guarded.RENAMED, Guarded.ADDED)
MOST_KEPT = 1000  # records; of more the names are kept, and they are read again
ANY_NUMBER = 10**9


def withheld(source: DataSource, *, is_full: bool) -> frozenset[Guarded]:
    """Return the kinds of which a pull may do too much: not what a person has allowed without a number."""
    return frozenset(kind for kind in KINDS if guards.is_held(source, kind, ANY_NUMBER, 1, is_full=is_full))


def judge(
    source: DataSource, records: Mapping[Guarded, Collection[str]], *, is_full: bool = True
) -> Counter[Guarded]:
    """Return of which kinds these records are too many, and how many they are.

    Where values may have slipped from record to record, new records wait with those that would be renamed:
    theirs may be another's just as well.
    """
    held = {kind for kind in KINDS if _is_held(source, kind, records, is_full=is_full)}
    if Guarded.RENAMED in held and source.details.may_slip:
        held |= withheld(source, is_full=is_full) & {Guarded.ADDED}
    return Counter({kind: count for kind in held if (count := len(records.get(kind, ())))})


def _is_held(
    source: DataSource, kind: Guarded, records: Mapping[Guarded, Collection[str]], *, is_full: bool
) -> bool:
    count = len(records.get(kind, ()))
    return bool(count) and guards.is_held(source, kind, count, _of_how_many(source, kind), is_full=is_full)


def _of_how_many(source: DataSource, kind: Guarded) -> int:
    steps = SyncedStep.objects.filter(source=source)
    if kind is Guarded.RENAMED:
        offered = {"item__performed_procedure_step_status__in": lifecycle.CANCELLABLE}
        steps = steps.filter(**offered).exclude(withdrawal=Withdrawal.DONE)
    return steps.order_by().values("record").distinct().count()


@dataclass
class Waiting:
    """These records wait for the end of a pull, by what of them is withheld."""

    records: dict[Guarded, set[str]] = field(default_factory=lambda: {kind: set() for kind in KINDS})
    reads: dict[str, ReadRecord | None] = field(default_factory=dict)

    def note(self, applied: Applied) -> bool:
        """Keep a record of which something is withheld; tell whether it is one."""
        read = applied.read
        kinds = {each.guarded for each in applied.decisions if each.action is SyncAction.HELD}
        for kind in kinds:
            assert kind is not None
            self.records[kind].add(read.record)
        if kinds:
            self.reads[read.record] = read if len(self.reads) < MOST_KEPT else None
        return bool(kinds)

    def take(self) -> tuple[list[ReadRecord], list[str]]:
        """Return the records that are kept, and the names of those to be read again."""
        reads, self.reads = self.reads, {}
        kept = [read for read in reads.values() if read is not None]
        return kept, [record for record, read in reads.items() if read is None]

    def settle(self, held: Iterable[Guarded]) -> None:
        """Keep of what waited what is held."""
        for kind in KINDS:
            if kind not in held:
                self.records[kind].clear()
