"""What became of each row of the original's, or would, is told here."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum


class RowOutcome(StrEnum):
    ITEM = "item made"
    STEP = "kept for the next pull"
    EXAMINED = "examined since"
    ACCOUNT = "account made"
    KNOWN = "imported before"
    LEFT = "left out"


class RowLeftOut(Exception):
    """The row cannot be imported; the text says why."""


@dataclass(frozen=True)
class RowReport:
    """`notes` say why, and what is doubtful, without a value; `who` is for the screen alone."""

    table: str
    row: int
    outcome: RowOutcome
    notes: tuple[str, ...] = ()
    who: str = ""
    item_pk: int | None = None

    @property
    def sentence(self) -> str:
        return f"{self.outcome}. {' '.join(self.notes)}".rstrip()


@dataclass(frozen=True)
class FileReport:
    """This is what became of one table of a file; `remarks` concern all of it."""

    name: str
    table: str
    rows: tuple[RowReport, ...]
    remarks: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[RowOutcome, int]:
        found = Counter(row.outcome for row in self.rows)
        return {outcome: found[outcome] for outcome in RowOutcome if found[outcome]}


@dataclass(frozen=True)
class OriginalReport:
    files: tuple[FileReport, ...]

    @property
    def does_something(self) -> bool:
        nothing = {RowOutcome.KNOWN, RowOutcome.LEFT}
        return any(row.outcome not in nothing for file in self.files for row in file.rows)

    def digest(self) -> str:
        """Return what is the same only where the same would be done of the same rows."""
        done = [
            (file.table, file.remarks, [(row.row, row.outcome, row.notes, row.who) for row in file.rows])
            for file in self.files
        ]
        return hashlib.sha256(repr(done).encode()).hexdigest()
