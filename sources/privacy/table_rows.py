"""Of an uploaded table, the rows of a participant are found, told, and taken out of what is kept.

A file in a watched folder is its keeper's: nothing is changed there, and pulls leave the record out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePath
from typing import Any

from django.utils.translation import gettext_lazy as _

from sources.errors import ConfigurationError
from sources.models import DataSource, UploadedTable
from sources.models.tables import FilePlace, TableFile
from sources.privacy.records import Record
from sources.tables import grids
from sources.tables.bounds import USUAL
from sources.tables.content import TableContent
from sources.tables.errors import Malformed
from sources.tables.reading import Table, read_table
from worklist.privacy.erasing import EraseRefused
from worklist.privacy.traces import Traces

UNREADABLE = _(
    "The file that was uploaded to %(source)s cannot be decrypted, so nobody can tell whose rows are in it: "
    "give FIELD_ENCRYPTION_KEYS its key back, or upload the file again."
)
NAMELESS = "table"


def rows_of(own: Collection[Record], patient_ids: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield the participant's rows in uploaded files, each with the source, the file and its number there."""
    for uploaded in _uploaded():
        try:
            given = _content(uploaded)
        except EraseRefused as error:
            yield {"source": uploaded.source.name, "file": uploaded.name, "unreadable": str(error)}
            continue
        table = _read(uploaded.source, given)
        for number in sorted(_numbers(uploaded.source, table, own, patient_ids)):
            values = [dict(row.values) for row in table.rows if row.number == number] if table else []
            yield {
                "source": uploaded.source.name,
                "file": uploaded.name,
                "row": number,
                "values": values[0] if values else {},
            }


def erase(own: Collection[Record], patient_ids: Collection[str], traces: Traces) -> int:
    """Take the participant's rows out of every uploaded file, and return how many there were.

    A file that could not be kept whole without them is forgotten; its source then asks for it again, and
    what is booked stays. Raises EraseRefused where a file cannot be decrypted. Needs a transaction.
    """
    count = 0
    for uploaded in _uploaded().select_for_update(of=("self",)):
        given = _content(uploaded)
        table = _read(uploaded.source, given)
        numbers = _numbers(uploaded.source, table, own, patient_ids)
        count += len(numbers)
        if numbers and table is not None:
            _replace(uploaded, given, table, numbers)
        elif table is None and _may_name(uploaded.source, given, traces):
            uploaded.delete()  # nothing was pulled from it: it is not laid out, or wrongly
            count += 1
        if uploaded.pk and traces.are_in(uploaded.name):
            uploaded.name = NAMELESS + PurePath(uploaded.name).suffix
            uploaded.save(update_fields=["name"])
    return count


def watched(own: Collection[Record]) -> int:
    """Return how many watched files have the participant's rows until their keeper takes them out."""
    sources = {record.source_pk for record in own}
    return TableFile.objects.filter(place=FilePlace.FOLDER, source__in=sources).count()


def _uploaded() -> Any:
    return UploadedTable.objects.select_related("source__table_file").order_by("pk")


def _content(uploaded: UploadedTable) -> TableContent:
    try:
        return uploaded.content()
    except ConfigurationError:
        raise EraseRefused(UNREADABLE % {"source": uploaded.source.name}) from None


def _read(source: DataSource, given: TableContent) -> Table | None:
    """Return the table, or None of one that is laid out wrongly or not yet: nothing came of it."""
    try:
        return read_table(given.data, given.name, source.table_file.layout())
    except ConfigurationError:
        return None


def _may_name(source: DataSource, given: TableContent, traces: Traces) -> bool:
    """Tell whether any cell of a file names the participant, or whether nobody can tell."""
    try:
        rows = grids.opened(given.data, given.name, source.table_file.layout(), USUAL).rows
        return any(traces.are_in(cell) for _, cells in rows for cell in cells if isinstance(cell, str))
    except Malformed:
        return True


def _numbers(
    source: DataSource, table: Table | None, own: Collection[Record], patient_ids: Collection[str]
) -> set[int]:
    """Return the rows of the participant's records, and those that the mapping gives one of their IDs."""
    if table is None:
        return set()
    records = {record.name for record in own if record.source_pk == source.pk} | set(patient_ids)
    columns = _columns_of_ids(source)
    found = {
        row.number
        for row in table.rows
        if row.record in records or any(row.values.get(column) in patient_ids for column in columns)
    }
    kept_out = (row for each in table.left_out if each.record in records for row in each.rows)
    return found | set(kept_out)


def _columns_of_ids(source: DataSource) -> list[str]:
    """Return the columns that are taken as patient IDs just as they are."""
    return [rule.field for rule in source.rules.all() if rule.target == "patient_id" and not rule.transforms]


def _replace(uploaded: UploadedTable, given: TableContent, table: Table, numbers: set[int]) -> None:
    """Keep the file without the rows, or not at all where that would change another row."""
    layout = uploaded.source.table_file.layout()
    try:
        from sources.tables import emptying  # as its library takes 7 MB, which an erasure alone needs

        data = emptying.without_rows(given.data, given.name, layout, numbers)
        after = read_table(data, given.name, layout)
    except ConfigurationError:
        uploaded.delete()
        return
    if _others(after, numbers) == _others(table, numbers):
        uploaded.replace_content(data)
    else:
        uploaded.delete()


def _others(table: Table, numbers: Iterable[int]) -> list[Any]:
    """Return what a pull would read of the other rows."""
    without = set(numbers)
    rows = [row for row in table.rows if row.number not in without]
    left_out = [each for each in table.left_out if not set(each.rows) & without]
    return [table.columns, rows, left_out]
