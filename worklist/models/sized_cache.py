"""What was used last is remembered, as long as all of it together is not too large."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key")
Made = TypeVar("Made")


class SizedCache(Generic[Key, Made]):
    """This cache keeps what was made by a key, up to a sum of sizes: a peer can ask for what is large.

    What was used longest ago goes first. One that alone takes more than an eighth, or whose key cannot be
    hashed, is made each time.
    """

    def __init__(self, *, most: int, size: Callable[[Key, Made], int]) -> None:
        self._most = most
        self._size = size
        self._kept: OrderedDict[Key, tuple[Made, int]] = OrderedDict()
        self._sum = 0
        self._lock = Lock()

    def get(self, key: Key, make: Callable[[], Made]) -> Made:
        """Return what was made by the key, or make it. What `make` raises is raised, and not remembered."""
        try:
            known = self._known(key)
        except TypeError:
            return make()
        if known is not None:
            return known[0]
        made = make()
        self._keep(key, made)
        return made

    def _known(self, key: Key) -> tuple[Made, int] | None:
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
            return known

    def _keep(self, key: Key, made: Made) -> None:
        size = self._size(key, made)
        if size > self._most // 8:
            return
        with self._lock:
            if key in self._kept:  # made by another thread meanwhile
                return
            self._kept[key] = made, size
            self._sum += size
            while self._sum > self._most:
                _, (_, gone) = self._kept.popitem(last=False)
                self._sum -= gone
