"""Whole records are read a batch at a time, smaller where one is too much, and checked to be complete."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

from sources.dictionary import Dictionary
from sources.errors import ConfigurationError, OverloadError, TooMuchError, TransientError
from sources.redcap import parsing
from sources.rows import GROUP, ExportRow

_HASHED = re.compile(r"[0-9a-f]{32}")
HASHED_TEXT = "The record IDs are hashed: the token's user needs the export right Full Data Set."


class ColumnsMissing(ConfigurationError):
    """The answer lacks columns; `refused` tells that REDCap itself says why: a right is missing."""

    def __init__(self, text: str, names: Sequence[str], *, refused: bool = False) -> None:
        super().__init__(text)
        self.names, self.refused = tuple(names), refused


class ListRequest(Protocol):
    """A call posts the fields and returns the answer's list of objects."""

    def __call__(
        self, asked: str, fields: Mapping[str, str], *, is_divisible: bool = False
    ) -> list[dict[str, Any]]: ...


class RecordsExport:
    """It asks for the same fields of one batch of records after another.

    `columns` are the redcap_* columns that each row must have. `size` is how many records are asked for at
    once: fewer, and for good, once the server did not cope with so many.
    """

    def __init__(
        self,
        ask: ListRequest,
        dictionary: Dictionary,
        fields: Sequence[str],
        *,
        columns: Collection[str] = (),
        size: int,
    ) -> None:
        self.ask, self.size = ask, size
        self.id_field, self.missing_codes = dictionary.record_id_field, dictionary.missing_codes
        self.fields = list(dict.fromkeys([self.id_field, *fields]))
        self.columns = {name: _columns(dictionary, name) for name in self.fields}
        self.columns |= {name: (name,) for name in columns}

    def read(self, ids: Sequence[str]) -> Iterator[tuple[str, tuple[ExportRow, ...]]]:
        """Yield each record and its rows; memory holds one batch."""
        start = 0
        while start < len(ids):
            found = self._found(ids[start : start + self.size])
            yield from found
            start += len(found)

    def _found(self, batch: Sequence[str]) -> list[tuple[str, tuple[ExportRow, ...]]]:
        """Return the rows of the batch, or of as many of its first records as the server copes with.

        A batch that was too much is halved until it is not. Where the server only failed, one record is asked
        for with patience: if that fails as well, it is the server, which is then left alone.
        """
        while True:
            try:
                rows = self._complete(batch)
                return [(record, tuple(rows.get(record, ()))) for record in batch]
            except OverloadError as error:
                if len(batch) == 1:
                    raise
                self.size = len(batch) // 2
                batch = batch[: self.size if isinstance(error, TooMuchError) else 1]

    def _complete(self, ids: Sequence[str]) -> dict[str, list[ExportRow]]:
        """Ask once more for records that an answer lacks: then they are there, or gone.

        Where they were there after all, the answer may lack rows of the others too: it was too much.
        """
        rows = self._rows(ids)
        missing = [record for record in ids if record not in rows]
        again = self._rows(missing) if missing else {}
        dropped = [record for record in missing if record in again]
        if dropped and len(ids) > 1:
            raise TooMuchError(f"REDCap left {len(dropped)} of {len(ids)} records out of its answer.")
        return rows | again

    def _rows(self, ids: Sequence[str]) -> dict[str, list[ExportRow]]:
        found: dict[str, list[ExportRow]] = {}
        entries = self._asked(ids)
        self._refuse_gaps(entries)
        with parsing.reading("the records"):
            for entry in entries:
                row = parsing.row_of(entry, self.id_field, self.missing_codes)
                found.setdefault(row.record, []).append(row)
        _refuse_strangers(found, ids)
        return found

    def _asked(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        asked = {
            **{"content": "record", "type": "flat", "rawOrLabel": "raw", "decimalCharacter": "."},
            "exportBlankForGrayFormStatus": "true",
            **({"exportDataAccessGroups": "true"} if GROUP in self.columns else {}),
            **array("fields", self.fields),
            **array("records", ids),
        }
        try:
            return self.ask("the records", asked, is_divisible=len(ids) > 1)
        except ConfigurationError as error:
            if GROUP not in self.columns or "Data Access Groups" not in str(error):
                raise
            raise ColumnsMissing(str(error), [GROUP], refused=True) from None

    def _refuse_gaps(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Refuse missing columns: rights take them away unsaid, as if values were gone."""
        absent = [
            name
            for name, columns in self.columns.items()
            if any(column not in entry for entry in entries for column in columns)
        ]
        if absent:
            raise ColumnsMissing(
                f"REDCap leaves columns out of its answer: {', '.join(sorted(absent))}. "
                "The token's user may not export them: look at its rights.",
                sorted(absent),
            )


def array(name: str, values: Sequence[str]) -> dict[str, str]:
    """Write a list in PHP's notation: a comma list with an unknown name has made servers return all."""
    return {f"{name}[{position}]": value for position, value in enumerate(values)}


def look_hashed(ids: Sequence[str]) -> bool:
    """Tell whether the IDs look like the hashes that stand for them in a de-identified export."""
    return bool(ids) and all(_HASHED.fullmatch(record) for record in ids)


def _columns(dictionary: Dictionary, name: str) -> tuple[str, ...]:
    """Return what an answer must have for the field; a checkbox whose columns are unknown is missed, too."""
    field = dictionary.fields.get(name)
    return tuple(field.columns.values()) if field and field.columns else (name,)


def _refuse_strangers(found: Mapping[str, object], ids: Sequence[str]) -> None:
    """Refuse records nobody asked for: REDCap ignores capitals and trailing blanks when it looks for one."""
    alike = {record.strip().casefold() for record in ids}
    strangers = [record for record in found if record.strip().casefold() not in alike]
    if look_hashed(strangers):
        raise ConfigurationError(HASHED_TEXT)
    if strangers:
        raise TransientError("REDCap answers with records that were not asked for.")
