"""What a mapping makes of a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple


class Key(NamedTuple):
    """Which session of its record: with source and record the identity of an item."""

    event: str = ""
    instrument: str = ""
    instance: int = 0  # 0 where nothing repeats


class Stance(Enum):
    """What the record says of a session now."""

    WANTED = "wanted"
    NOT_WANTED = "not wanted"  # no date, a status that cancels, a condition that does not hold
    UNCLEAR = "unclear"  # a problem keeps it from being read: what is known stays as it is


@dataclass(frozen=True)
class Problem:
    """A value that could not be used: the text says what to change, and never holds the value.

    `place` is the row that the field was read from. One that blocks makes the session UNCLEAR; another
    leaves its target empty.
    """

    target: str
    field: str
    text: str
    place: Key
    blocks: bool = False


@dataclass(frozen=True)
class Trace:
    """How one target got its value, for the preview: holds participants' data."""

    target: str
    field: str
    raw: str
    after: tuple[str, ...]  # the value after each transform
    value: str
    problem: str = ""


@dataclass(frozen=True)
class Step:
    """One session of a record.

    `values` has each target of the plan, "" where the source has no value, as `worklist.intake` takes them:
    item fields as text (dates 2026-03-02, times 09:30:00), DICOM keywords under `extra_attributes`.
    `reason` says why it is not wanted.
    """

    key: Key
    stance: Stance
    values: Mapping[str, Any]
    reason: str = ""
    problems: tuple[Problem, ...] = ()
    trace: tuple[Trace, ...] = ()


class Mistake(NamedTuple):
    """What is wrong with a plan: the rule's position (None: the sessions), which of its fields, and why."""

    rule: int | None
    field: str
    text: str
