"""A pull that would do far more than usual waits for a person, by rules that a source's page states in words.

A token that lost a right, or opens another group's records, looks like a study whose appointments are all
called off, renamed or new. Each kind of change has two numbers at its source, which an administrator sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from sources.models import DataSource, SourceState
from sources.sync import claims


class Guarded(StrEnum):
    """A pull may do too much of these, and each waits alone: what is not too much goes on."""

    RECORDS_GONE = "RECORDS_GONE"  # records with coming appointments that can no longer be seen
    WITHDRAWN = "WITHDRAWN"  # coming appointments that would be cancelled
    RENAMED = "RENAMED"  # records whose items would get another patient ID, or be another person's
    ADDED = "ADDED"  # records that come with their first items


@dataclass(frozen=True)
class Guard:
    """`most` and `percent` name its settings at the source, `what` and `found` say what is counted.

    A strict one holds what is beyond either number, but never one alone for its share; the others hold what
    is beyond both. `rule` says so in words, and `plain_rule` where one alone is held already.
    """

    most: str
    percent: str
    is_strict: bool
    what: Any
    found: Any
    rule: Any
    button: Any
    plain_rule: Any = ""

    def numbers(self, source: DataSource) -> tuple[int, int]:
        return getattr(source, self.most), getattr(source, self.percent)


GUARDS = {
    Guarded.RECORDS_GONE: Guard(
        "most_records_gone",
        "most_records_gone_percent",
        is_strict=True,
        what=gettext_lazy("can no longer be seen"),
        found=ngettext_lazy(
            "%(count)s record can no longer be seen", "%(count)s records can no longer be seen", "count"
        ),
        rule=gettext_lazy(
            "%(least)s or more records can no longer be seen at once, or two or more and more than "
            "%(percent)s %% of the records with coming appointments: "
            "held until a person presses “%(button)s”."
        ),
        plain_rule=gettext_lazy(
            "%(least)s or more records can no longer be seen at once: "
            "held until a person presses “%(button)s”."
        ),
        button=gettext_lazy("Cancel them"),
    ),
    Guarded.WITHDRAWN: Guard(
        "most_withdrawn",
        "most_withdrawn_percent",
        is_strict=False,
        what=gettext_lazy("would be cancelled"),
        found=ngettext_lazy(
            "%(count)s coming appointment would be cancelled",
            "%(count)s coming appointments would be cancelled",
            "count",
        ),
        rule=gettext_lazy(
            "%(least)s or more coming appointments would be cancelled at once, and more than "
            "%(percent)s %% of the coming appointments: held until a person presses “%(button)s”."
        ),
        button=gettext_lazy("Cancel them"),
    ),
    Guarded.RENAMED: Guard(
        "most_renamed",
        "most_renamed_percent",
        is_strict=True,
        what=gettext_lazy("would get another patient ID, name, birth date or sex"),
        found=ngettext_lazy(
            "%(count)s record would get another patient ID, name, birth date or sex",
            "%(count)s records would get another patient ID, name, birth date or sex",
            "count",
        ),
        rule=gettext_lazy(
            "%(least)s or more records would get another patient ID, name, birth date or sex at once, "
            "or two or more and more than %(percent)s %% of the records with items: "
            "held until a person presses “%(button)s”."
        ),
        plain_rule=gettext_lazy(
            "%(least)s or more records would get another patient ID, name, birth date or sex at once: "
            "held until a person presses “%(button)s”."
        ),
        button=gettext_lazy("Rename them"),
    ),
    Guarded.ADDED: Guard(
        "most_added",
        "most_added_percent",
        is_strict=False,
        what=gettext_lazy("would be added"),
        found=ngettext_lazy(
            "%(count)s new record would be added", "%(count)s new records would be added", "count"
        ),
        rule=gettext_lazy(
            "%(least)s or more new records would be added at once, and more than "
            "%(percent)s %% of the records that it gave before: held until a person presses “%(button)s”."
        ),
        button=gettext_lazy("Add them"),
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
    return _(
        "%(found)s: more than usual, so a person looks first. "
        "Compare shows which; “%(button)s” lets it be done."
    ) % {"found": found(kind, count), "button": GUARDS[kind].button}


def found(kind: Guarded, count: int) -> str:
    return str(GUARDS[kind].found % {"count": count})


def in_words(source: DataSource) -> list[str]:
    """Return a sentence for each rule, with the source's own numbers."""
    return [_rule_in_words(source, guard) for guard in GUARDS.values()]


def _rule_in_words(source: DataSource, guard: Guard) -> str:
    most, percent = guard.numbers(source)
    rule = guard.plain_rule if guard.is_strict and most <= 1 else guard.rule
    return str(rule % {"least": most + 1, "percent": percent, "button": guard.button})
