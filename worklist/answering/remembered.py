"""What is made of a row is remembered, for a scanner asks for the same items every few minutes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Kept = TypeVar("Kept")
Made = TypeVar("Made")


class RowCache(Generic[Kept, Made]):
    """This cache keeps what was made of a row, by a key; nobody may change it.

    A row that has changed in any column is made anew. `most` is how many are kept, or the sum of their sizes
    where `size` says how much one takes.
    """

    def __init__(self, most: int, size: Callable[[Made], int] = lambda made: 1) -> None:
        self._most = most
        self._size = size
        self._sum = 0
        self._made: OrderedDict[Hashable, tuple[Kept, Made]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, row: Kept, make: Callable[[Kept], Made]) -> Made:
        """Return what was made of the row, or make it. What `make` raises is raised, and not remembered."""
        known = self._made.get(key)
        if known is not None and known[0] == row:
            return known[1]
        made = make(row)
        with self._lock:
            if (known := self._made.get(key)) is not None and known[0] == row:
                return known[1]  # another thread was faster: many that ask at once share what is kept
            self._forget(key)
            self._made[key] = row, made
            self._sum += self._size(made)
            while self._sum > self._most:
                self._forget(next(iter(self._made)))
        return made

    def _forget(self, key: Hashable) -> None:
        if key in self._made:
            _, made = self._made.pop(key)
            self._sum -= self._size(made)
