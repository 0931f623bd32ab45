"""A pull that would do far more than usual waits for a person, by rules that a source's page states in words.

A token that lost a right, or opens another group's records, looks like a study whose appointments are all
called off, renamed or new. Each kind of change has two numbers at its source, which an administrator sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction

from sources.models import DataSource, SourceState
from sources.sync import claims


class Guarded(StrEnum):
    """A pull may do too much of these, and each waits alone: what is not too much goes on."""

    RECORDS_GONE = "RECORDS_GONE"  # records with coming appointments that can no longer be seen
    WITHDRAWN = "WITHDRAWN"  # coming appointments that would be cancelled
    RENAMED = "RENAMED"  # records whose items would get another patient ID
    ADDED = "ADDED"  # records that come with their first items


@dataclass(frozen=True)
class Guard:
    """`most` and `percent` name its settings at the source; `unit`, `what` and `of` say what is counted.

    A strict one holds what is beyond either number, but never one alone for its share; the others hold what
    is beyond both.
    """

    most: str
    percent: str
    is_strict: bool
    unit: str
    what: str
    of: str
    button: str

    def numbers(self, source: DataSource) -> tuple[int, int]:
        return getattr(source, self.most), getattr(source, self.percent)


GUARDS = {
    Guarded.RECORDS_GONE: Guard(
        "most_records_gone",
        "most_records_gone_percent",
        is_strict=True,
        unit="record",
        what="can no longer be seen",
        of="records with coming appointments",
        button="Cancel them",
    ),
    Guarded.WITHDRAWN: Guard(
        "most_withdrawn",
        "most_withdrawn_percent",
        is_strict=False,
        unit="coming appointment",
        what="would be cancelled",
        of="coming appointments",
        button="Cancel them",
    ),
    Guarded.RENAMED: Guard(
        "most_renamed",
        "most_renamed_percent",
        is_strict=True,
        unit="record",
        what="would get another patient ID",
        of="records with items",
        button="Rename them",
    ),
    Guarded.ADDED: Guard(
        "most_added",
        "most_added_percent",
        is_strict=False,
        unit="new record",
        what="would be added",
        of="records that it gave before",
        button="Add them",
    ),
}


def is_too_many(source: DataSource, kind: Guarded, count: int, of: int) -> bool:
    """Tell whether so many are more than usual, of how many there are. Of nothing, nothing is unusual."""
    if not of or not count:
        return False
    guard = GUARDS[kind]
    most, percent = guard.numbers(source)
    is_beyond, is_large_share = count > most, count * 100 > percent * of
    if guard.is_strict:
        return is_beyond or (count > 1 and is_large_share)
    return is_beyond and is_large_share


def is_held(source: DataSource, kind: Guarded, count: int, of: int, *, is_full: bool = True) -> bool:
    """Tell whether so many wait for a person. More than a person has allowed are judged without those.

    What is allowed is for a full pull, which spends it: others would let as many through before it.
    Additions never wait before a source's first full pull has ended: until then everything is new.
    """
    state = SourceState.objects.only("allowed", "last_full_at").get(source=source)
    if kind is Guarded.ADDED and state.last_full_at is None:
        return False
    allowed = state.allowed.get(kind) if is_full else None
    if allowed is None:
        return is_too_many(source, kind, count, of)
    looked_at = allowed.get("count")
    return looked_at is not None and is_too_many(source, kind, max(0, count - looked_at), of)


def allow(source: DataSource, kind: Guarded, *, by: str, count: int | None = None) -> None:
    """Have all read again, and as many done as a person has looked at; None is any number."""
    allow_next_time(source, kind, by=by, count=count)
    claims.request_pull(source, by=by, full=True)


def allow_next_time(source: DataSource, kind: Guarded, *, by: str, count: int | None = None) -> None:
    """Let the full pull that comes next do as many; the one after it asks again."""
    let: dict[str, Any] = {"by": by} if count is None else {"by": by, "count": count}
    with transaction.atomic():
        state = SourceState.objects.select_for_update().only("allowed").get(source=source)
        SourceState.objects.filter(source=source).update(allowed={**state.allowed, kind.value: let})


def allow_nothing(source: DataSource) -> None:
    """Take back what was allowed: the source may be another by now."""
    SourceState.objects.filter(source=source).update(allowed={})


def told(kind: Guarded, count: int) -> str:
    """Say what waits, and what to press."""
    guard = GUARDS[kind]
    return (
        f"{counted(kind, count)} {guard.what}: more than usual, so a person looks first. "
        f"Compare shows which; “{guard.button}” lets it be done."
    )


def counted(kind: Guarded, count: int) -> str:
    return f"{count} {GUARDS[kind].unit}{'' if count == 1 else 's'}"


def in_words(source: DataSource) -> list[str]:
    """Return a sentence for each rule, with the source's own numbers."""
    return [_rule_in_words(source, guard) for guard in GUARDS.values()]


def _rule_in_words(source: DataSource, guard: Guard) -> str:
    most, percent = guard.numbers(source)
    beyond = f"{most + 1} or more {guard.unit}s {guard.what} at once"
    share = f"more than {percent} % of the {guard.of}"
    if guard.is_strict:
        held = f"{beyond}, or two or more and {share}" if most > 1 else beyond
    else:
        held = f"{beyond}, and {share}"
    return f"{held}: held until a person presses “{guard.button}”."
