"""The last answers are remembered, for a scanner asks for the same items every few minutes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from worklist.answering.rows import Row

Made = TypeVar("Made")


class RowCache(Generic[Made]):
    """This cache keeps what was made of a row, by a key.

    A row that has changed in any column is made anew.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[Hashable, tuple[Row, Made]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, row: Row, make: Callable[[Row], Made]) -> Made:
        known = self._made.get(key)
        if known is not None and known[0] == row:
            return known[1]
        made = make(row)
        with self._lock:
            self._made[key] = row, made
            self._made.move_to_end(key)
            if len(self._made) > self._most:
                self._made.popitem(last=False)
        return made
