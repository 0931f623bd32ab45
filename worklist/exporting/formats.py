"""A table becomes a file in one of these formats, a batch after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from worklist.exporting.reading import Batch
from worklist.exporting.tables import ExportTable
from worklist.exporting.telling import Telling


class TableWriter(Protocol):
    """It writes a table; until it is closed the file is not whole."""

    def write(self, batch: Batch) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class FileFormat:
    """`label` is what people choose it by, `suffix` how its files are named."""

    name: str
    label: Promise
    suffix: str
    content_type: str

    def writer(self, file: BinaryIO, table: ExportTable, telling: Telling) -> TableWriter:
        # What writes Parquet takes 60 MiB, which a server that exports nothing does not have to hold.
        from worklist.exporting import csv_files, parquet_files

        if self.name == PARQUET.name:
            return parquet_files.ParquetTable(file, table, telling)
        return csv_files.CsvTable(file, table, telling, is_guarded=self.name == GUARDED_CSV.name)


PARQUET = FileFormat("parquet", _("Parquet, for analysis"), ".parquet", "application/vnd.apache.parquet")
CSV = FileFormat("csv", _("CSV, for programs: each value as it is"), ".csv", "text/csv; charset=utf-8")
GUARDED_CSV = FileFormat(
    "guarded-csv",
    _("CSV, for spreadsheets: an apostrophe stands before what a spreadsheet would run as a formula"),
    ".csv",
    "text/csv; charset=utf-8",
)
FORMATS = {each.name: each for each in (PARQUET, CSV, GUARDED_CSV)}


def streamed(
    form: FileFormat, batches: Iterable[Batch], table: ExportTable, telling: Telling
) -> Iterator[bytes]:
    """Yield the file's bytes as they come to be."""
    sink = _Sink()
    with closing(form.writer(sink, table, telling)) as writer:  # type: ignore[arg-type] # all that is used
        for batch in batches:
            writer.write(batch)
            yield from sink.taken()
    yield from sink.taken()


class _Sink:
    """What is written into it is held until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._length = 0

    def write(self, data: bytes) -> int:
        self._held.append(bytes(data))
        self._length += len(data)
        return len(data)

    def tell(self) -> int:
        return self._length

    def flush(self) -> None:
        """Nothing is between the writer and what is held."""

    def taken(self) -> list[bytes]:
        held, self._held = self._held, []
        return held
