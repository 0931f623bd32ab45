"""The sync engine asks this of any kind of source, and gets this of each record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from sources.dictionary import Dictionary


class SessionKey(NamedTuple):
    """It says which session of its record: with source and record it is the identity of an item."""

    event: str = ""
    instrument: str = ""
    instance: int = 0  # 0 where nothing repeats


class Stance(Enum):
    """A record says one of these of a session now."""

    WANTED = "wanted"
    NOT_WANTED = "not wanted"  # no date, a status that cancels, a condition that does not hold
    UNCLEAR = "unclear"  # a problem keeps it from being read: what is known stays as it is


@dataclass(frozen=True)
class Problem:
    """A value could not be used: the text says what to change, and never holds the value.

    `place` is the row that the field was read from. One that blocks makes the session UNCLEAR; another leaves
    its target empty. `breaks_naming` tells that the value is read well, and is none of the study's.
    """

    target: str
    field: str
    text: str
    place: SessionKey
    blocks: bool = False
    breaks_naming: bool = False


@dataclass(frozen=True)
class Trace:
    """It shows how one target got its value, for the preview: it holds participants' data."""

    target: str
    field: str
    raw: str
    after: tuple[str, ...]  # the value after each transform
    value: str
    problem: str = ""


@dataclass(frozen=True)
class Session:
    """A record has any number of sessions, each an appointment and so an item.

    `values` has each target of the plan as `worklist.items.intake` takes it, "" where the source has no
    value: item fields as text (dates 2026-03-02, times 09:30:00), DICOM keywords under `extra_attributes`.
    `reason` says why it is not wanted. `numbered_by` is the source's field by which the patient ID tells it
    from the record's other sessions, "" where they share the ID.
    """

    key: SessionKey
    stance: Stance
    values: Mapping[str, Any]
    reason: str = ""
    problems: tuple[Problem, ...] = ()
    trace: tuple[Trace, ...] = ()
    numbered_by: str = ""


class IdentifyingUse(NamedTuple):
    """A field that the source marks as an identifier goes into this target of a mapping."""

    field: str
    target: str


class Mistake(NamedTuple):
    """It says what is wrong with a plan, in which rule (None: in the sessions) and in which of its fields.

    Of a gap, nothing is wrong but that something is not mapped yet: the rest can be looked at, not pulled.
    """

    rule: int | None
    field: str
    text: str
    is_gap: bool = False


@dataclass(frozen=True)
class ConnectionReport:
    """A test of the connection tells what it found in lines for people, and names no participant."""

    facts: tuple[tuple[str, str], ...]  # (what, value): title, project ID, version, shape, rights, …
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServerClock:
    """Changes are asked for by the server's own wall time: in this zone, from `overlap` before the last pull.

    `whose` names the server in sentences; `remedy` says how its clock comes to be seen, without a full stop.
    """

    zone: str
    overlap: timedelta
    whose: str
    remedy: str


class ReadRecord(NamedTuple):
    """A record has its sessions; `exists` is False where the source says that it has no such record."""

    record: str
    exists: bool
    sessions: tuple[Session, ...]


class Backend(Protocol):
    """It is opened for one pull and closed after it. Every method raises sources.errors.SourceError.

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

    def dictionary(self, *, fresh: bool = False) -> Dictionary:
        """Return the fields that the source has; they are asked for where unknown, too old or to be fresh."""

    def check(self) -> ConnectionReport:
        """Test the connection: ask for everything that a pull needs, and count it."""

    def prepare(self) -> None:
        """Make sure that project and mapping are right before reading. Raises ConfigurationError if not."""

    def identifying(self) -> frozenset[IdentifyingUse]:
        """Return the fields that the source marks as identifiers, and the targets that they go into."""

    def prepare_to_show(self) -> tuple[str, ...]:
        """Prepare to show what can be shown: return what has to be mended before a pull, in sentences.

        Rows that are wrong are left out from then on. Raises ConfigurationError where nothing can be shown.
        """

    def record_ids(self, *, since: datetime | None = None) -> Sequence[str]:
        """Return all records, or those that changed after the moment."""

    def utc_offset(self) -> timedelta | None:
        """Return the UTC offset of the server's clock, or None where nothing shows it."""

    def read(self, records: Sequence[str], *, with_trace: bool = False) -> Iterator[ReadRecord]:
        """Yield each record asked for, once, in batches: memory holds one batch."""


@dataclass(frozen=True)
class HeldSession:
    """A session is read before it is written: it is as a pull would read it, with what its fields hold now.

    `held` has each field of the outgoing mapping that the session has, as the source exports it, missing data
    codes as they are.
    """

    session: Session
    held: Mapping[str, str]


class Writer(Protocol):
    """It is opened to write outcomes back, and closed after it. Methods raise sources.errors.SourceError.

    It reads by the source's own token and writes by another. `alive` is called wherever it may take long.
    """

    alive: Callable[[], None]

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def dictionary(self) -> Dictionary:
        """Return the fields that the source has."""

    def prepare(self, *, writes: bool = True) -> None:
        """Make sure that both mappings fit and, where it `writes`, that both tokens open the same project."""

    def may_write(self) -> bool:
        """Tell whether the token may write, without writing anything."""

    def read(self, records: Sequence[str]) -> Iterator[tuple[str, Mapping[SessionKey, HeldSession]]]:
        """Yield each record asked for with its sessions by key, none where there is no such record."""

    def write(self, record: str, key: SessionKey, values: Mapping[str, str]) -> None:
        """Write the fields of one session, and nothing else of it.

        Raises WriteRefused where only this write is refused. It is never tried again by itself: between two
        tries somebody may have filled a field.
        """
