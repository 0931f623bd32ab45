"""What the sync engine asks of any kind of source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from sources.mapping.results import Key, Step


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
