"""Whole records are read a batch at a time, halved where a batch is too much, and checked to be complete."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from sources.errors import ConfigurationError, TooMuchError, TransientError
from sources.redcap import parsing
from sources.redcap.dictionary import Dictionary
from sources.redcap.rows import ExportRow

_HASHED = re.compile(r"[0-9a-f]{32}")
HASHED_TEXT = "The record IDs are hashed: the token's user needs the export right Full Data Set."


class ListRequest(Protocol):
    """A call posts the fields and returns the answer's list of objects."""

    def __call__(self, asked: str, **fields: str) -> list[dict[str, Any]]: ...


class RecordsExport:
    """It asks for the same fields of one batch of records after another.

    `groups_refused` is True once REDCap did not let Data Access Groups be asked for: it then goes on without.
    """

    def __init__(
        self, ask: ListRequest, dictionary: Dictionary, fields: Sequence[str], *, groups: bool
    ) -> None:
        self.ask, self.groups, self.groups_refused = ask, groups, False
        self.id_field, self.missing_codes = dictionary.record_id_field, dictionary.missing_codes
        names = dict.fromkeys([self.id_field, *fields])
        self.columns = {name: _columns(dictionary, name) for name in names}

    def read(self, ids: Sequence[str]) -> Iterator[tuple[str, tuple[ExportRow, ...]]]:
        """Yield each record and its rows.

        A batch for which the server lacks memory is asked for in halves.
        """
        try:
            rows = self._complete(ids)
        except TooMuchError:
            if len(ids) == 1:
                raise
            middle = len(ids) // 2
            yield from self.read(ids[:middle])
            yield from self.read(ids[middle:])
            return
        for record in ids:
            yield record, tuple(rows.get(record, ()))

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
            **array("fields", list(self.columns)),
            **array("records", ids),
        }
        if not self.groups or self.groups_refused:
            return self.ask("the records", **asked)
        try:
            return self.ask("the records", **asked, exportDataAccessGroups="true")
        except ConfigurationError as error:
            if "Data Access Groups" not in str(error):
                raise
            self.groups_refused = True
            return self.ask("the records", **asked)

    def _refuse_gaps(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Refuse missing columns: export rights take them away unsaid, as if values were gone."""
        absent = [
            name
            for name, columns in self.columns.items()
            if any(column not in entry for entry in entries for column in columns)
        ]
        if absent:
            raise ConfigurationError(
                f"REDCap leaves fields out of its answer: {', '.join(sorted(absent))}. "
                "The token's user may not export them: look at its export rights."
            )


def array(name: str, values: Sequence[str]) -> dict[str, str]:
    """Write a list in PHP's notation: a comma list with an unknown name has made servers return all."""
    return {f"{name}[{position}]": value for position, value in enumerate(values)}


def look_hashed(ids: Sequence[str]) -> bool:
    """Tell whether the IDs look like the hashes that stand for them in a de-identified export."""
    return bool(ids) and all(_HASHED.fullmatch(record) for record in ids)


def _columns(dictionary: Dictionary, name: str) -> tuple[str, ...]:
    field = dictionary.fields.get(name)
    return tuple(field.columns.values()) if field and field.type == "checkbox" else (name,)


def _refuse_strangers(found: Mapping[str, object], ids: Sequence[str]) -> None:
    """Refuse records nobody asked for: REDCap ignores capitals and trailing blanks when it looks for one."""
    alike = {record.strip().casefold() for record in ids}
    strangers = [record for record in found if record.strip().casefold() not in alike]
    if look_hashed(strangers):
        raise ConfigurationError(HASHED_TEXT)
    if strangers:
        raise TransientError("REDCap answers with records that were not asked for.")
