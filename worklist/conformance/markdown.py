"""Lists and tables are written in Markdown here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def bullets(*sentences: str) -> Iterator[str]:
    return (f"- {sentence}" for sentence in sentences)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _line(head)
    yield _line("---" for _ in head)
    yield from map(_line, rows)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
