"""What a process has freed goes back to the system, whatever the threads were that took it."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any

# Of mallopt(3): blocks from this size on are mapped by themselves, and go back when they are freed.
M_MMAP_THRESHOLD, BY_THEMSELVES = -3, 128 * 1024
# Each thread's own arena keeps what that thread has freed; with Python's lock they would not be faster.
M_ARENA_MAX, ARENAS = -8, 2
MANY = 8  # associations at once leave enough behind to tidy up

_library: Any = ctypes.CDLL(None) if sys.platform == "linux" else None


def map_what_is_large() -> None:
    """Set the C library's allocator, where it is glibc's: long messages of peers leave nothing behind."""
    if hasattr(_library, "mallopt"):
        _library.mallopt(M_MMAP_THRESHOLD, BY_THEMSELVES)
        _library.mallopt(M_ARENA_MAX, ARENAS)


class Tidying:
    """When many associations have been open and few are left, what they took is given back."""

    def __init__(self, taken: Callable[[], int], most_taken_since: Callable[[], int]) -> None:
        self._taken = taken
        self._most_taken_since = most_taken_since
        self._most = 0

    def __call__(self) -> None:
        """Look whether it is time; ask it every second or so."""
        self._most = max(self._most, self._most_taken_since())
        if self._most >= MANY > self._taken():
            self._most = 0
            if hasattr(_library, "malloc_trim"):
                _library.malloc_trim(0)
