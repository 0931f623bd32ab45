"""A table as Parquet, by a written schema: what stands in a column never follows from its first rows.

The file's metadata says what each column means, which version of the columns it is, and how they are told.
"""

from __future__ import annotations

import json
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pylantir_site import __version__
from worklist.exporting.columns import Column, ColumnType
from worklist.exporting.reading import Batch
from worklist.exporting.tables import VERSION, ExportTable
from worklist.exporting.telling import Telling

ROWS_IN_A_GROUP = 32_000  # which readers take at once, and which is held until it is written
# Not every reader has a type for times of day, nor for moments of nanoseconds.
TYPES = {
    ColumnType.TEXT: pa.string(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.TEXTS: pa.list_(pa.string()),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.WEIGHT: pa.decimal128(5, 2),
    ColumnType.DATE: pa.date32(),
    ColumnType.TIME: pa.string(),
    ColumnType.MOMENT: pa.timestamp("us", tz="UTC"),
    ColumnType.JSON: pa.string(),
}


class ParquetTable:
    def __init__(self, file: BinaryIO, table: ExportTable, telling: Telling) -> None:
        self._schema = schema(table, telling)
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
        self._held: list[pa.RecordBatch] = []

    def write(self, batch: Batch) -> None:
        arrays = [
            pa.array(values, type=field.type)
            for values, field in zip(batch.values, self._schema, strict=True)
        ]
        self._held.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        if sum(map(len, self._held)) >= ROWS_IN_A_GROUP:
            self._write_group()

    def close(self) -> None:
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        if self._held:
            self._writer.write_table(pa.Table.from_batches(self._held))
        self._held.clear()


def schema(table: ExportTable, telling: Telling) -> pa.Schema:
    columns = telling.columns(table)
    return pa.schema([_field(column) for column in columns], metadata=_about(table, telling, columns))


def _field(column: Column) -> pa.Field:
    return pa.field(column.name, TYPES[column.type], metadata={"description": column.description})


def _about(table: ExportTable, telling: Telling, columns: tuple[Column, ...]) -> dict[str, str]:
    """Return what the file says of itself; not every reader shows what stands with a field."""
    return {
        "pylantir.table": table.name,
        "pylantir.schema_version": str(VERSION),
        "pylantir.version": __version__,
        "pylantir.pseudonymous": str(telling.pseudonyms is not None).lower(),
        "pylantir.dates": "shifted" if telling.shifts_dates else "as they are",
        "pylantir.columns": json.dumps({column.name: column.description for column in columns}),
    }
