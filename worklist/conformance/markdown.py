"""Lists and tables are written in Markdown here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_BETWEEN_SENTENCES = re.compile(r"(?<=[a-z0-9`)]\.) (?=[A-Z`*])")


def bullets(*points: str) -> Iterator[str]:
    """Write a point of one or several sentences, each on a line of its own."""
    return ("- " + _BETWEEN_SENTENCES.sub("\n  ", point) for point in points)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _line(head)
    yield _line("---" for _ in head)
    yield from map(_line, rows)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
