"""Each record has its rows, and what keeps other rows out becomes an issue of a record.

What a row that nobody can attribute may hold is not gone: as long as there is one, no record is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from sources.contract import Problem, ReadRecord, Session, SessionKey, Stance
from sources.mapping import evaluate, same_ids
from sources.mapping.mapped_project import MappedProject
from sources.mapping.rules import MappingPlan
from sources.rows import ExportRow
from sources.tables.keys import LeftOutRow
from sources.tables.reading import Table

UNATTRIBUTED = "(row {number})"  # stands for a record in issues


class RecordRows:
    """It answers what the rows of a table are to each record."""

    def __init__(self, table: Table, plan: MappingPlan) -> None:
        self._table, self.plan = table, plan
        self._project = MappedProject(plan, table.dictionary)
        self._rows: dict[str, list[ExportRow]] = {}
        for row in table.rows:
            self._rows.setdefault(row.record, []).append(row)
        self._twice: dict[str, list[LeftOutRow]] = {}
        self._unattributed: dict[str, LeftOutRow] = {}
        self._uncertain: set[str] = set()  # records with a row of which the session cannot be told
        self._is_any_uncertain = False
        for left_out in table.left_out:
            self._note(left_out)

    def _note(self, left_out: LeftOutRow) -> None:
        if left_out.key is not None:
            self._twice.setdefault(left_out.record, []).append(left_out)
            return
        self._unattributed[UNATTRIBUTED.format(number=left_out.rows[0])] = left_out
        if left_out.record:
            self._uncertain.add(left_out.record)
        else:
            self._is_any_uncertain = True

    def records(self) -> list[str]:
        """Return every record, and what stands for rows that are nobody's."""
        return list(dict.fromkeys([*self._rows, *self._twice, *self._uncertain, *self._unattributed]))

    def read(self, record: str, *, with_trace: bool = False, today: date | None = None) -> ReadRecord | None:
        """Return the record with its sessions, or None where the table does not tell for sure."""
        if record in self._unattributed and record not in self._rows:
            return self._issue_of(record, self._unattributed[record])
        if record in self._uncertain:
            return None
        rows, twice = self._rows.get(record, []), self._twice.get(record, [])
        if not rows and not twice:
            return None if self._is_any_uncertain else ReadRecord(record, exists=False, sessions=())
        found = evaluate.sessions_in(self._project, rows, with_trace=with_trace, today=today)
        numbers = {SessionKey(row.event, "", row.instance): row.number for row in rows}
        sessions = [self._located(session, numbers) for session in found]
        return ReadRecord(record, exists=True, sessions=(*sessions, *map(self._kept_out, twice)))

    def _issue_of(self, record: str, left_out: LeftOutRow) -> ReadRecord:
        return ReadRecord(record, exists=True, sessions=(self._kept_out(left_out),))

    def _kept_out(self, left_out: LeftOutRow) -> Session:
        """Return a session of which nothing is known: what the worklist has of it stays as it is."""
        key = left_out.key or SessionKey()
        text = self._where(left_out.rows, left_out.column, left_out.text)
        problem = Problem("", left_out.column, text, key, blocks=True)
        return Session(key, Stance.UNCLEAR, {}, problems=(problem,))

    def _located(self, session: Session, numbers: dict[SessionKey, int]) -> Session:
        if not session.problems:
            return session
        problems = tuple(self._with_place(problem, numbers) for problem in session.problems)
        return replace(session, problems=problems)

    def _with_place(self, problem: Problem, numbers: dict[SessionKey, int]) -> Problem:
        """Name file, row and column; what is judged anew among a record's sessions is known by its text."""
        number = numbers.get(problem.place)
        if number is None or problem.text == same_ids.SAME_ID:
            return problem
        return replace(problem, text=self._where((number,), problem.field, problem.text))

    def _where(self, rows: Sequence[int], column: str, text: str) -> str:
        header = self._table.columns.get(column)
        named = [self._table.name]
        if len(rows) == 1:
            named.append(f"row {rows[0]}")
        if header:
            named.append(f"column “{header}”")
        return f"{', '.join(named)}: {text}"


def read_each(rows: RecordRows, records: Sequence[str], *, with_trace: bool = False) -> Iterator[ReadRecord]:
    for record in records:
        found = rows.read(record, with_trace=with_trace)
        if found is not None:
            yield found
