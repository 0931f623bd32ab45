"""One process counts here, in memory, until its counts are kept; any thread may count at any time."""

from __future__ import annotations

from threading import Lock

MOST = 20_000  # different counts: peers choose AE titles, and the database may be away for long

Labels = tuple[str, ...]
Key = tuple[str, Labels]


class Tallies:
    """These are the counts that wait to be kept, and what the process says of itself now."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[Key, float] = {}
        self._readings: dict[Key, float] = {}

    @property
    def is_full(self) -> bool:
        """Tell whether no label that a peer chose may be counted under any more."""
        return len(self._counts) >= MOST

    def add(self, more: dict[Key, float]) -> None:
        with self._lock:
            for key, value in more.items():
                self._counts[key] = self._counts.get(key, 0.0) + value

    def add_one(self, key: Key, value: float) -> None:
        with self._lock:
            self._counts[key] = self._counts.get(key, 0.0) + value

    def set(self, key: Key, value: float) -> None:
        self._readings[key] = value

    def take(self) -> dict[Key, float]:
        """Return what waits, and count on from nothing; `add` gives back what could not be kept."""
        with self._lock:
            taken, self._counts = self._counts, {}
            return taken

    def readings(self) -> dict[Key, float]:
        return dict(self._readings)


tallies = Tallies()
