"""References to images that differ only in the last number of their UIDs are read many at once.

A scanner counts its images up, so nearly all are such neighbours. A step of Python for each would take ten
times as long as the C loops that tell here that many are alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

# References that are looked at by one step: more each time, until so many are not alike, and then fewer.
FEWEST, MOST = 8, 512  # other threads get their turn after the most
FACTOR = 8


class Neighbours(NamedTuple):
    """Each has the bytes before its number and those behind it, and so many digits between."""

    before: bytes
    digits: int
    behind: bytes

    @classmethod
    def of(cls, item: bytes, end: int, digits: int) -> Neighbours:
        """Return what is like the item, whose number ends there and is as long."""
        return cls(item[: end - digits], digits, item[end:])

    def runs(self, data: bytes, position: int, end: int) -> Iterator[list[int]]:
        """Yield the numbers of neighbours, from the position on, many at once; a few may be left."""
        many, is_growing = FEWEST, True
        while many >= FEWEST:
            numbers = self._numbers(data, position, end, many)
            if numbers is None:
                many, is_growing = many // FACTOR, False
                continue
            yield list(map(int, numbers))
            position += many * self.length
            if is_growing:
                many = min(MOST, many * FACTOR)

    @property
    def length(self) -> int:
        """Return how many bytes each takes."""
        return len(self.before) + self.digits + len(self.behind)

    def _numbers(self, data: bytes, position: int, end: int, many: int) -> list[bytes] | None:
        """Return the digits of so many neighbours, or None where there are fewer."""
        stop = position + many * self.length
        last = stop - len(self.behind)
        if stop > end or not (data.startswith(self.before, position) and data.startswith(self.behind, last)):
            return None
        numbers = data[position + len(self.before) : last].split(self.behind + self.before)
        if len(numbers) != many or set(map(len, numbers)) != {self.digits}:
            return None
        has_leading_zero = self.digits > 1 and min(numbers) < b"1"
        return numbers if b"".join(numbers).isdigit() and not has_leading_zero else None
