"""The associations that are open have places, and there are only so many."""

from __future__ import annotations

from collections import Counter
from threading import Condition
from typing import Generic, Protocol, TypeVar


class Guest(Protocol):
    @property
    def address(self) -> str: ...


G = TypeVar("G", bound=Guest)


class Places(Generic[G]):
    """These are the open associations of a process, counted in all and by address."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._guests: set[G] = set()
        self._by_address: Counter[str] = Counter()
        self._changed = Condition()
        self._most_taken = 0

    @property
    def taken(self) -> int:
        return len(self._guests)

    def taken_from(self, address: str) -> int:
        return self._by_address[address]

    def take(self, guest: G) -> bool:
        """Give the guest a place, and return whether there was one."""
        with self._changed:
            if len(self._guests) >= self._most:
                return False
            self._guests.add(guest)
            self._by_address[guest.address] += 1
            self._most_taken = max(self._most_taken, len(self._guests))
            return True

    def leave(self, guest: G) -> None:
        """Take the guest's place back, if it has one."""
        with self._changed:
            if guest not in self._guests:
                return
            self._guests.remove(guest)
            self._by_address[guest.address] -= 1
            if not self._by_address[guest.address]:
                del self._by_address[guest.address]
            self._changed.notify_all()

    def most_taken_since(self) -> int:
        """Return how many were taken at once since it was asked last."""
        with self._changed:
            most, self._most_taken = self._most_taken, len(self._guests)
            return most

    def wait_until_empty(self, seconds: float) -> list[G]:
        """Wait until all have left, for so long at most, and return who has not."""
        with self._changed:
            self._changed.wait_for(lambda: not self._guests, seconds)
            return list(self._guests)
