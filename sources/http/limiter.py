"""A host is asked only so often, whatever the source or thread: REDCap bans addresses that ask too often.

The count is this process's own; each worker process has another.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

MINUTE = 60.0
A_LITTLE = 0.01  # what rounding takes


class Limiter:
    """It lets at most so many requests through in any minute."""

    def __init__(self) -> None:
        self._sent: deque[float] = deque()
        self._lock = threading.Lock()

    def take(self, per_minute: int, wait: Callable[[float], None]) -> None:
        """Return when one more may be sent."""
        while True:
            with self._lock:
                now = time.monotonic()
                while self._sent and self._sent[0] <= now - MINUTE:
                    self._sent.popleft()
                if len(self._sent) < per_minute:
                    self._sent.append(now)
                    return
                pause = self._sent[-per_minute] + MINUTE - now + A_LITTLE
            wait(pause)


_limiters: dict[str, Limiter] = {}
_lock = threading.Lock()


def limiter_of(host: str) -> Limiter:
    with _lock:
        return _limiters.setdefault(host, Limiter())
