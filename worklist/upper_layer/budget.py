"""All associations of a process share the memory that unfinished messages may take."""

from __future__ import annotations

from threading import Lock

FREE = 64 * 1024  # bytes that each association may hold without asking


class OutOfMemory(Exception):
    """The associations of the process hold as much as they may."""


class Budget:
    """This budget counts the bytes that associations hold beyond what each has free."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._lock = Lock()

    @property
    def held(self) -> int:
        return self._held

    def change(self, before: int, now: int) -> None:
        """Let an association hold `now` bytes where it held `before`. Raises OutOfMemory."""
        more = max(now - FREE, 0) - max(before - FREE, 0)
        if not more:
            return
        with self._lock:
            if more > 0 and self._held + more > self._most:
                raise OutOfMemory
            self._held += more
