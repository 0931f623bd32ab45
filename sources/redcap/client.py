"""The client asks a REDCap project for each export, and sends imports, as REDCap's API takes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from sources.dictionary import Dictionary
from sources.errors import AuthorisationError, ConfigurationError, SourceError, TransientError, WriteRefused
from sources.redcap import batches, clock, imports, parsing
from sources.redcap.transport import Access, Transport
from sources.rows import ExportRow

__all__ = ["Access", "Client"]


class Client:
    """It is a context manager. `requests` counts what was sent; `skew` is the server's clock minus ours.

    `batch_size` becomes less once the server does not cope with as many records. Every method raises
    sources.errors.SourceError, and nothing else that an answer may cause.
    """

    def __init__(self, access: Access, *, wait: Callable[[float], None] = time.sleep) -> None:
        self.access = access
        self.transport = Transport(access, wait)
        self.batch_size = access.batch_size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.transport.close()

    @property
    def requests(self) -> int:
        return self.transport.requests

    @property
    def skew(self) -> timedelta | None:
        return self.transport.skew

    def version(self) -> str:
        return self.transport.ask_text("the version", {"content": "version"})

    def project(self) -> dict[str, Any]:
        answer = self.transport.ask("the project", {"content": "project"})
        if not isinstance(answer, dict) or "project_id" not in answer:
            raise TransientError("REDCap's answer about the project cannot be read.")
        return answer

    def dictionary(self) -> Dictionary:
        project, version = self.project(), self.version()
        metadata = self._list("the data dictionary", content="metadata")
        if not metadata:
            raise ConfigurationError("The project has no fields, or the token's user may see none.")
        names = self._list("the column names", content="exportFieldNames")
        forms = self._list("the instruments", content="instrument")
        events, pairs = self._events(project)
        repeating = self._repeating(project)
        with parsing.reading("the data dictionary"):
            columns = parsing.checkbox_columns(names)
            fields = list(parsing.fields_of(metadata, columns))
            return Dictionary(
                project_id=int(project["project_id"]),
                title=parsing.text_of(project.get("project_title")),
                version=version,
                is_longitudinal=bool(events),
                has_repeats=repeating != frozenset(),
                fields={field.name: field for field in fields},
                forms=parsing.form_labels(forms),
                events=tuple(parsing.event_of(event) for event in events),
                event_forms=parsing.event_forms(pairs),
                repeating=repeating,
                missing_codes=parsing.missing_codes_of(parsing.text_of(project.get("missing_data_codes"))),
            )

    def record_ids(
        self, *, id_field: str, since: datetime | None = None, server_timezone: ZoneInfo
    ) -> tuple[str, ...]:
        """Return every record, or those that changed after the aware moment, each once, in REDCap's order."""
        asked = {"content": "record", "type": "flat", "rawOrLabel": "raw", "fields[0]": id_field}
        if since is not None:
            asked["dateRangeBegin"] = clock.wall_time(since, server_timezone)
        rows = self._list("the record IDs", **asked)
        if any(id_field not in row for row in rows):
            raise ConfigurationError(
                f"REDCap leaves the record ID field {id_field} out: look at the export rights."
            )
        with parsing.reading("the record IDs"):
            texts = [parsing.text_of(row[id_field]) for row in rows]
        ids = tuple(dict.fromkeys(text for text in texts if text))
        if batches.look_hashed(ids):
            self._refuse_hashed(ids[0], id_field)
        return ids

    def records(
        self,
        ids: Sequence[str],
        *,
        dictionary: Dictionary,
        fields: Sequence[str],
        columns: Collection[str] = (),
    ) -> Iterator[tuple[str, tuple[ExportRow, ...]]]:
        """Yield all rows of each record asked for, batch by batch; none where REDCap has no such record.

        Raises ColumnsMissing where the answer lacks a field, or one of the redcap_* `columns`.
        """
        wanted = [record for record in dict.fromkeys(ids) if record]  # asked for "", REDCap gives them all
        export = batches.RecordsExport(self._rows, dictionary, fields, columns=columns, size=self.batch_size)
        for found in export.read(wanted):
            self.batch_size = export.size
            yield found

    def import_rows(self, rows: Sequence[Mapping[str, str | int]]) -> int:
        """Write rows by `content=record`, and return how many records REDCap has taken.

        Raises WriteRefused where REDCap refuses these rows alone.
        """
        return self.transport.import_rows(rows)

    def may_import(self) -> bool:
        """Tell whether the token may import, by an import of nothing."""
        try:
            self.transport.import_rows([])
        except AuthorisationError as error:
            _refuse_if_banned(error)
            return False
        except WriteRefused as refused:
            return all(why != imports.REFUSED for _field, why in refused.reasons)
        return True

    def utc_offset(self) -> timedelta | None:
        """Return the server's UTC offset by its log of our calls, or None without the Logging right."""
        now = datetime.now(UTC)
        for kind in ("manage", "manage", "export"):  # neither holds what people typed; the second, the first
            try:
                entries = self._list(
                    "the log", content="log", logtype=kind, beginTime=clock.before_any_clock(now)
                )
            except (ConfigurationError, AuthorisationError) as error:
                _refuse_if_banned(error)
                return None
            offset = clock.offset_seen(entries, datetime.now(UTC) + (self.skew or timedelta()))
            if offset is not None:
                return offset
        return None

    def _list(self, asked: str, **fields: str) -> list[dict[str, Any]]:
        return self._rows(asked, fields)

    def _rows(
        self, asked: str, fields: Mapping[str, str], *, is_divisible: bool = False
    ) -> list[dict[str, Any]]:
        return parsing.objects(self.transport.ask(asked, fields, is_divisible=is_divisible), asked)

    def _events(self, project: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the events, and which instruments they have; none of either in a classic project."""
        if str(project.get("is_longitudinal")) == "0":
            return [], []
        try:
            events = self._list("the events", content="event")
            return events, self._list("the events' instruments", content="formEventMapping")
        except ConfigurationError as error:
            if "classic projects" not in str(error):
                raise
            return [], []

    def _repeating(self, project: dict[str, Any]) -> frozenset[tuple[str, str]] | None:
        """Return what repeats, or None without the Project Design right, which nobody must have."""
        if str(project.get("has_repeating_instruments_or_events")) == "0":
            return frozenset()
        try:
            entries = self._list("what repeats", content="repeatingFormsEvents")
        except (ConfigurationError, AuthorisationError) as error:
            if "does not contain any repeating" in str(error):
                return frozenset()
            _refuse_if_banned(error)
            return None
        with parsing.reading("what repeats"):
            return parsing.repeating(entries)

    def _refuse_hashed(self, record: str, id_field: str) -> None:
        """Refuse hashed IDs: a record can be asked for by its own ID, but not by its hash."""
        if not self._list("a record", content="record", **{"fields[0]": id_field, "records[0]": record}):
            raise ConfigurationError(batches.HASHED_TEXT)


def _refuse_if_banned(error: SourceError) -> None:
    """Raise the error of a ban: a right that is missing leaves one export open, a ban leaves all."""
    if error.retry_after is not None:
        raise error
