"""Test connection tells facts and warnings about a table, and names no participant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sources.contract import ConnectionReport, Stance
from sources.mapping import check, check_patterns

if TYPE_CHECKING:
    from sources.backends.table.backend import TableBackend

SAMPLE = 20
WORDS = {
    Stance.WANTED: "to offer",
    Stance.NOT_WANTED: "not to offer",
    Stance.UNCLEAR: "with problems",
}
Facts = tuple[tuple[str, str], ...]


def report(backend: TableBackend) -> ConnectionReport:
    """Read the whole table. Raises SourceError."""
    table = backend.table
    records = list(dict.fromkeys(row.record for row in table.rows))
    facts: Facts = (
        ("File", table.name),
        ("Columns", ", ".join(table.columns.values())),
        ("Rows", str(len(table.rows))),
        ("Records", str(len(records))),
    )
    warnings = (*backend.warnings, *_left_out(backend), *_of_mapping(backend))
    if backend.plan.rules and not check.mistakes(backend.plan, table.dictionary):
        facts = (*facts, _sample(backend, records[:SAMPLE]))
    return ConnectionReport(facts, warnings)


def _left_out(backend: TableBackend) -> Iterator[str]:
    rows = sorted(number for left_out in backend.table.left_out for number in left_out.rows)
    if rows:
        shown = ", ".join(map(str, rows[:SAMPLE]))
        yield f"The key of {len(rows)} rows cannot be used, and they stay out: {shown}."


def _of_mapping(backend: TableBackend) -> Iterator[str]:
    if not backend.plan.rules:
        yield "There is no mapping yet: Suggest a mapping makes one from the headers."
        return
    wrong = check.mistakes(backend.plan, backend.table.dictionary)
    for mistake in (*wrong, *check_patterns.slow(backend.plan)):
        yield backend.sentence(mistake)


def _sample(backend: TableBackend, records: list[str]) -> tuple[str, str]:
    read = backend.read(records)
    found = Counter(WORDS[session.stance] for each in read for session in each.sessions)
    counts = ", ".join(f"{count} {word}" for word, count in sorted(found.items())) or "no session"
    return f"Sessions of the first {len(records)}", counts
