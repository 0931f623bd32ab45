"""The system is asked here about a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def is_running(pid: int) -> bool:
    """Tell whether the process is there and has not ended, be it waited for or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # gone, or while it was read
        return False


def children(pid: int) -> list[int]:
    """Return the processes that it has forked and not waited for yet."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def family(pid: int) -> Iterator[int]:
    """Yield the process and all its children's, theirs too."""
    yield pid
    for child in children(pid):
        yield from family(child)
