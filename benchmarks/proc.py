"""What a server's processes take of the machine is read from Linux: processor time, memory, what is open."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
PAGE = os.sysconf("SC_PAGE_SIZE")  # bytes
CPU_CLOCK = 2  # CPUCLOCK_SCHED of Linux: clock_getcpuclockid(3) makes the same number of a process


@dataclass(frozen=True)
class Usage:
    """A process and its children hold this at one moment."""

    bytes: int
    descriptors: int
    threads: int


def family(pid: int) -> Iterator[int]:
    """Yield the process and all its children's, theirs too."""
    yield pid
    for children in (PROC / str(pid) / "task").glob("*/children"):
        for child in children.read_text().split():
            yield from family(int(child))


def processor_seconds(pid: int) -> float:
    """Return the processor time that the family has taken so far, ended threads included.

    Of a process that has ended nothing is known any more.
    """
    return sum(time.clock_gettime((~each << 3) | CPU_CLOCK) for each in family(pid))


def usage(pid: int) -> Usage:
    each = [_usage(process) for process in family(pid)]
    return Usage(
        bytes=sum(one.bytes for one in each),
        descriptors=sum(one.descriptors for one in each),
        threads=sum(one.threads for one in each),
    )


def held(pid: int) -> int:
    """Return the bytes that the family holds, each page that processes share counted once (PSS)."""
    return sum(_proportional(process) for process in family(pid))


def _proportional(pid: int) -> int:
    for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        name, amount, *_ = line.split()
        if name == "Pss:":
            return int(amount) * 1024
    raise ValueError(f"smaps_rollup of {pid} has no Pss")


def _usage(pid: int) -> Usage:
    folder = PROC / str(pid)
    resident = int((folder / "statm").read_text().split()[1])
    return Usage(
        bytes=resident * PAGE,
        descriptors=sum(1 for _ in (folder / "fd").iterdir()),
        threads=sum(1 for _ in (folder / "task").iterdir()),
    )
