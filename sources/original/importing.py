"""One run imports files of the original's: it is rehearsed by doing it, or done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import router, transaction

from accounts.models import User
from pylantir_site.environment.originals import USERS_TABLE
from sources.models import OriginalDatabase
from sources.original import people, remembered, rows
from sources.original.options import Options
from sources.original.people import PeopleImport, PreparedPerson
from sources.original.reading import OriginalFile
from sources.original.remembered import RowKey
from sources.original.reports import FileReport, OriginalReport, RowReport
from sources.original.rows import RowPlan
from sources.original.worklist import WorklistImport

Prepared = Sequence[RowPlan] | Sequence[PreparedPerson]


class ChangedSince(Exception):
    """It would do something else now than what was shown."""

    def __init__(self) -> None:
        super().__init__("It would do something else now than what was shown: look at it again.")


@dataclass(frozen=True)
class OriginalImport:
    """This is one run over several files, by one actor."""

    actor: str
    options: Options = field(default_factory=Options)

    def rehearse(self, files: Sequence[OriginalFile]) -> OriginalReport:
        """Return what the import would do, and write nothing."""
        prepared = self._prepared(files)  # before the transaction, which keeps others from writing
        with _one_transaction() as roll_back:
            report = self._done(files, prepared)
            roll_back()
        return report

    def take(self, files: Sequence[OriginalFile]) -> OriginalReport:
        """Import row by row: what is cut off leaves whole rows, and the next run goes on."""
        return self._done(files, self._prepared(files))

    def take_as_shown(self, files: Sequence[OriginalFile], expected: str) -> OriginalReport:
        """Import all, if that still does what a person was shown. Raises ChangedSince, and does nothing."""
        prepared = self._prepared(files)
        with _one_transaction():
            report = self._done(files, prepared)
            if report.digest() != expected:
                raise ChangedSince
        return report

    def _prepared(self, files: Sequence[OriginalFile]) -> list[Prepared]:
        return [
            [people.prepare(row) for row in file.rows]
            if file.table == USERS_TABLE
            else rows.plan(file, self.options)
            for file in files
        ]

    def _done(self, files: Sequence[OriginalFile], prepared: Sequence[Prepared]) -> OriginalReport:
        return OriginalReport(tuple(map(self._of_file, files, prepared)))

    def _of_file(self, file: OriginalFile, prepared: Prepared) -> FileReport:
        database = self._database(file, prepared)
        done = [take(each) for take, each in self._deeds(file, database, prepared)]
        OriginalDatabase.objects.filter(pk=database.pk, rows__isnull=True).delete()  # nothing came of it
        remarks = () if file.table == USERS_TABLE else rows.remarks(file, self.options)
        return FileReport(file.name, file.table, tuple(done), remarks)

    def _database(self, file: OriginalFile, prepared: Prepared) -> OriginalDatabase:
        known = remembered.database(file.table, [RowKey(each.row, each.fingerprint) for each in prepared])
        return known or OriginalDatabase.objects.create(name=file.name[:255], imported_by=self.actor)

    def _deeds(
        self, file: OriginalFile, database: OriginalDatabase, prepared: Prepared
    ) -> Iterator[tuple[Callable[[Any], RowReport], RowPlan | PreparedPerson]]:
        take: Callable[[Any], RowReport]
        if file.table == USERS_TABLE:
            take = PeopleImport(database).take
        else:
            settled = remembered.settled(database, file.table)
            take = WorklistImport(database, file.name, self.actor, settled).take
        return ((take, each) for each in prepared)


@contextmanager
def _one_transaction() -> Iterator[Callable[[], None]]:
    """Give what takes everything back; accounts may be in a database of their own."""
    accounts = router.db_for_write(User)
    with transaction.atomic(using=accounts), transaction.atomic():

        def roll_back() -> None:
            transaction.set_rollback(True, using=accounts)
            transaction.set_rollback(True)

        yield roll_back
