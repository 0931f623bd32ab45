"""The engine's questions to a source are answered here by the rows of a file, which is read once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from django.utils import timezone

from sources.backends.mapped import MappedBackend
from sources.backends.table import connection
from sources.backends.table.exports import EXPORTS
from sources.backends.table.rows import RecordRows, read_each
from sources.contract import ConnectionReport, ReadRecord
from sources.dictionary import Dictionary
from sources.errors import HeldError
from sources.mapping.rules import MappingPlan
from sources.models import DataSource, KnownDictionary, Withdrawal
from sources.tables.content import ReadableFile, TableContent
from sources.tables.reading import Table, read_table

NOTHING_THERE = (
    "The table has headers and no row any more: nothing was cancelled. If that is right, cancel the "
    "appointments, or disable the source."
)


def open_backend(
    source: DataSource, plan: MappingPlan | None = None, dictionary: Dictionary | None = None
) -> TableBackend:
    return TableBackend(source, plan, dictionary)


class TableBackend(MappedBackend):
    described_as = "table"
    requests = 0
    skew: timedelta | None = None

    def __init__(
        self,
        source: DataSource,
        plan: MappingPlan | None = None,
        dictionary: Dictionary | None = None,
        file: ReadableFile | None = None,
    ) -> None:
        """Read the source's own file, or another one."""
        super().__init__(source, plan, dictionary)
        self._rows: RecordRows | None = None
        details: Any = source.details
        self.file: ReadableFile = details if file is None else file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing is open: the whole file was read at once."""

    @cached_property
    def content(self) -> TableContent:
        """Return the file as it is at the first question, and no later."""
        return self.file.content()

    @cached_property
    def table(self) -> Table:
        self.alive()
        found = read_table(self.content.data, self.content.name, self.file.layout(), exports=EXPORTS)
        self.warnings += found.warnings
        self.alive()
        return found

    @property
    def rows(self) -> RecordRows:
        """Return the table's rows by record, as the plan in force makes sessions of them."""
        if self._rows is None or self._rows.plan is not self.plan:
            self._rows = RecordRows(self.table, self.plan)
        return self._rows

    @cached_property
    def _fingerprint(self) -> str:
        known = hashlib.sha256(self.content.data)
        known.update(repr(self.file.layout()).encode())
        known.update(self.content.name.encode())
        return known.hexdigest()

    def fingerprint(self) -> str:
        return self._fingerprint

    def ask_dictionary(self) -> Dictionary:
        return self.table.dictionary

    def record_ids(self, *, since: datetime | None = None) -> Sequence[str]:
        """Return all records, or of a file that is new since then all that it has or had, else none."""
        met_at = self.file.seen_since(self.fingerprint())
        if since is None:
            return self.rows.records()
        if met_at <= since:
            return ()
        records = self.rows.records()
        known = self._known_records()
        if not records and known:
            raise HeldError(NOTHING_THERE)
        return list(dict.fromkeys([*records, *known]))

    def _known_records(self) -> list[str]:
        """Return what may have vanished from the file, or have been mended in it."""
        steps = self.source.steps.exclude(withdrawal=Withdrawal.DONE)
        issues = self.source.issues.filter(closed_at=None)
        return [*steps.values_list("record", flat=True), *issues.values_list("record", flat=True)]

    def read(self, records: Sequence[str], *, with_trace: bool = False) -> Iterator[ReadRecord]:
        if records:
            yield from read_each(self.rows, records, with_trace=with_trace)

    def utc_offset(self) -> timedelta | None:
        return None

    def check(self) -> ConnectionReport:
        KnownDictionary.keep(
            self.source, self.table.dictionary, access=self.fingerprint(), read_at=timezone.now()
        )
        return connection.report(self)
