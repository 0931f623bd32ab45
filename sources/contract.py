"""What the sync engine asks of any kind of source, and what it gets of each record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self


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

    `values` has each target of the plan as `worklist.items.intake` takes it, "" where the source has no
    value: item fields as text (dates 2026-03-02, times 09:30:00), DICOM keywords under `extra_attributes`.
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


@dataclass(frozen=True)
class ConnectionReport:
    """What a test of the connection found, in lines for people; holds no participant."""

    facts: tuple[tuple[str, str], ...]  # (what, value): title, project ID, version, shape, rights, …
    warnings: tuple[str, ...] = ()


class ReadRecord(NamedTuple):
    """A record and its sessions; `exists` is False where the source says that it has no such record."""

    record: str
    exists: bool
    steps: tuple[Step, ...]


class Backend(Protocol):
    """Opened for one pull, closed after it. Every method raises sources.errors.SourceError.

    `requests` counts what was sent; `skew` is the server's clock minus ours, where known; `warnings` are
    sentences for the source's page that hold no participant. `alive` is called wherever it may take long.
    """

    requests: int
    skew: timedelta | None
    warnings: list[str]
    alive: Callable[[], None]

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def check(self) -> ConnectionReport:
        """Test the connection: asks for everything that a pull needs, and counts."""

    def prepare(self) -> None:
        """Before anything is read: right project, mapping that fits it; ConfigurationError if not."""

    def record_ids(self, *, since: datetime | None = None) -> Sequence[str]:
        """All records, or those that changed after the moment."""

    def read(self, records: Sequence[str], *, with_trace: bool = False) -> Iterator[ReadRecord]:
        """Each record asked for, once, in batches: memory holds one batch."""

    def link(self, record: str, key: Key, field: str = "") -> str:
        """Where a person mends it, "" if that cannot be known."""
