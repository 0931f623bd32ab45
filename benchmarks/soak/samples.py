"""What everybody waited for, and what the server's processes held, is noted with the second it was at."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock

from benchmarks import proc
from benchmarks.repeating import Repeated

EVERY = 2.0  # seconds between two looks at the processes
KIB = 1024


@dataclass(frozen=True)
class Wait:
    """Somebody asked at this second, and was answered after so many milliseconds."""

    kind: str
    at: float
    milliseconds: float


@dataclass(frozen=True)
class Failed:
    """Somebody was told at this second that they are not answered as they must be."""

    kind: str
    at: float
    text: str


@dataclass(frozen=True)
class Held:
    """All of the server's processes together held this at this second."""

    at: float
    processes: int
    kib: int  # proportional set size: what is shared counts once
    descriptors: int


@dataclass
class Log:
    """It is written by many threads; seconds are those since it was made."""

    waits: list[Wait] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    faults: list[tuple[float, str]] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    _lock: Lock = field(default_factory=Lock)

    def now(self) -> float:
        return time.monotonic() - self.began

    def waited(self, kind: str, at: float) -> None:
        with self._lock:
            self.waits.append(Wait(kind, at, (self.now() - at) * 1000))

    def fails(self, kind: str, at: float, text: str) -> None:
        with self._lock:
            self.failed.append(Failed(kind, at, text))

    def breaks(self, what: str) -> None:
        with self._lock:
            self.faults.append((self.now(), what))


def sampler(log: Log, pid: int) -> Repeated:
    """Look at the family of a process now and then."""

    def look() -> None:
        with suppress(OSError):  # a process that ended while it was looked at: the next look counts
            log.held.append(held(pid, log.now()))

    return Repeated(EVERY, look)


def held(pid: int, at: float) -> Held:
    """Return what a process and all its children hold. Raises OSError where one has just ended."""
    processes = len(list(proc.family(pid)))
    return Held(at, processes, proc.held(pid) // KIB, proc.usage(pid).descriptors)
