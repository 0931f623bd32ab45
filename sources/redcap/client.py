"""What is asked of a REDCap project, each question as REDCap's API takes it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from sources.errors import AuthorisationError, ConfigurationError, TooMuchError, TransientError
from sources.redcap import parsing
from sources.redcap.dictionary import Dictionary
from sources.redcap.rows import Row
from sources.redcap.transport import Access, Transport

__all__ = ["Access", "Client"]

_HASHED = re.compile(r"[0-9a-f]{32}")
_WALL_TIME = "%Y-%m-%d %H:%M:%S"


class Client:
    """A context manager. `requests` were sent; `skew` is the server's clock minus ours, once it answered."""

    def __init__(self, access: Access, *, wait: Callable[[float], None] = time.sleep) -> None:
        self.access = access
        self.transport = Transport(access, wait)
        self.groups_refused = False

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
        project = self.project()
        metadata = self._list("the data dictionary", content="metadata")
        if not metadata:
            raise ConfigurationError("The project has no fields, or the token's user may see none.")
        columns = parsing.checkbox_columns(self._list("the column names", content="exportFieldNames"))
        fields = [parsing.field_of(entry, columns) for entry in metadata]
        forms = self._list("the instruments", content="instrument")
        is_longitudinal = str(project.get("is_longitudinal", "0")) == "1"
        has_repeats = str(project.get("has_repeating_instruments_or_events", "0")) == "1"
        events = self._list("the events", content="event") if is_longitudinal else []
        return Dictionary(
            project_id=int(project["project_id"]),
            title=str(project.get("project_title", "")),
            version=self.version(),
            is_longitudinal=is_longitudinal,
            has_repeats=has_repeats,
            fields={field.name: field for field in fields},
            forms={str(form["instrument_name"]): str(form.get("instrument_label", "")) for form in forms},
            events=tuple(parsing.event_of(event) for event in events),
            event_forms=self._event_forms() if is_longitudinal else {},
            repeating=self._repeating() if has_repeats else frozenset(),
            missing_codes=parsing.missing_codes_of(str(project.get("missing_data_codes") or "")),
        )

    def record_ids(
        self, *, id_field: str, since: datetime | None = None, server_timezone: ZoneInfo
    ) -> tuple[str, ...]:
        """Every record, or those that changed after the moment, each once."""
        asked = {"content": "record", "type": "flat", "rawOrLabel": "raw", "fields[0]": id_field}
        if since is not None:
            asked["dateRangeBegin"] = wall_time(since, server_timezone)
        rows = self._list("the record IDs", **asked)
        if any(id_field not in row for row in rows):
            raise ConfigurationError(
                f"REDCap leaves the record ID field {id_field} out: look at the export rights."
            )
        ids = tuple(dict.fromkeys(str(row[id_field]) for row in rows))
        _refuse_hashed(ids)
        return ids

    def records(
        self, ids: Sequence[str], *, dictionary: Dictionary, fields: Sequence[str], groups: bool = False
    ) -> Iterator[tuple[str, tuple[Row, ...]]]:
        """All rows of each record asked for; none where REDCap has no such record. A batch at a time."""
        question = _Question(self, dictionary, fields, groups=groups)
        for start in range(0, len(ids), self.access.batch_size):
            yield from question.answered(ids[start : start + self.access.batch_size])

    def utc_offset(self) -> timedelta | None:
        """Of the server's own clock, from its log of our calls; None without the Logging right."""
        try:
            for _ in range(2):  # the second answer holds the first question, asked just now
                entries = self._list("the log", content="log", beginTime=_before_any_clock())
        except (ConfigurationError, AuthorisationError):
            return None
        if not entries or self.skew is None:
            return None
        try:
            newest = max(str(entry["timestamp"])[:16] for entry in entries)
            wall = datetime.strptime(newest, "%Y-%m-%d %H:%M")
        except (KeyError, ValueError):
            return None
        theirs = datetime.now(ZoneInfo("UTC")).replace(tzinfo=None) + self.skew
        quarters = round((wall - theirs) / timedelta(minutes=15))
        return timedelta(minutes=15) * quarters

    def _list(self, asked: str, **fields: str) -> list[dict[str, Any]]:
        return parsing.objects(self.transport.ask(asked, fields), asked)

    def _event_forms(self) -> dict[str, frozenset[str]]:
        pairs = self._list("the events' instruments", content="formEventMapping")
        found: dict[str, set[str]] = {}
        for pair in pairs:
            found.setdefault(str(pair["unique_event_name"]), set()).add(str(pair["form"]))
        return {event: frozenset(forms) for event, forms in found.items()}

    def _repeating(self) -> frozenset[tuple[str, str]] | None:
        """It needs the Project Design right, which nobody must have."""
        try:
            entries = self._list("what repeats", content="repeatingFormsEvents")
        except (ConfigurationError, AuthorisationError):
            return None
        return frozenset(
            (str(entry.get("event_name") or ""), str(entry.get("form_name") or "")) for entry in entries
        )


class _Question:
    """The same fields of one batch of records after another."""

    def __init__(
        self, client: Client, dictionary: Dictionary, fields: Sequence[str], *, groups: bool
    ) -> None:
        self.client, self.dictionary, self.groups = client, dictionary, groups
        self.id_field = dictionary.record_id_field
        self.fields = list(dict.fromkeys([self.id_field, *fields]))
        self.columns = [column for name in self.fields for column in _columns(dictionary, name)]

    def answered(self, ids: Sequence[str]) -> Iterator[tuple[str, tuple[Row, ...]]]:
        """A batch over which the server runs out of memory is asked in halves."""
        try:
            rows = self._rows(ids)
            missing = [record for record in ids if record not in rows]
            if missing:  # servers have left some out of a large answer: asked again, they are there or gone
                rows |= self._rows(missing)
        except TooMuchError:
            if len(ids) == 1:
                raise
            middle = len(ids) // 2
            yield from self.answered(ids[:middle])
            yield from self.answered(ids[middle:])
            return
        for record in ids:
            yield record, tuple(rows.get(record, ()))

    def _rows(self, ids: Sequence[str]) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for entry in self._entries(ids):
            row = parsing.row_of(entry, self.id_field, self.dictionary.missing_codes)
            found.setdefault(row.record, []).append(row)
        _refuse_strangers(found, ids)
        return found

    def _entries(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        entries = self._asked(ids)
        absent = {column for column in self.columns if any(column not in entry for entry in entries)}
        if absent:
            names = ", ".join(
                sorted(name for name in self.fields if absent & set(_columns(self.dictionary, name)))
            )
            raise ConfigurationError(
                f"REDCap leaves fields out of its answer: {names}. The token's user may not export them."
            )
        return entries

    def _asked(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        asked = {
            **{"content": "record", "type": "flat", "rawOrLabel": "raw", "decimalCharacter": "."},
            "exportBlankForGrayFormStatus": "true",
            **_array("fields", self.fields),
            **_array("records", ids),
        }
        if not self.groups or self.client.groups_refused:
            return self.client._list("the records", **asked)
        try:
            return self.client._list("the records", **asked, exportDataAccessGroups="true")
        except ConfigurationError as error:
            if "Data Access Groups" not in str(error):
                raise
            self.client.groups_refused = True
            return self.client._list("the records", **asked)


def wall_time(moment: datetime, zone: ZoneInfo) -> str:
    """In the server's own time, so that nothing later has an earlier one.

    Where clocks go back an hour comes twice: what is saved in its second pass must not look older.
    """
    soon = (moment + timedelta(hours=hours) for hours in range(4))
    offset = min(at.astimezone(zone).utcoffset() or timedelta() for at in soon)
    return (moment.astimezone(UTC) + offset).strftime(_WALL_TIME)


def _before_any_clock() -> str:
    """A little before now on every clock of the world: the log is long."""
    return (datetime.now(UTC) - timedelta(hours=13)).strftime("%Y-%m-%d %H:%M")


def _array(name: str, values: Sequence[str]) -> Mapping[str, str]:
    """PHP's notation: with a comma list an unknown name has made servers return everything."""
    return {f"{name}[{position}]": value for position, value in enumerate(values)}


def _columns(dictionary: Dictionary, name: str) -> list[str]:
    field = dictionary.fields.get(name)
    return list(field.columns.values()) if field and field.type == "checkbox" else [name]


def _refuse_strangers(found: Mapping[str, object], ids: Sequence[str]) -> None:
    """REDCap does not tell capitals or trailing blanks apart when it looks for a record."""
    alike = {record.strip().casefold() for record in ids}
    if any(record.strip().casefold() not in alike for record in found):
        _refuse_hashed(tuple(found))
        raise TransientError("REDCap answers with records that were not asked for.")


def _refuse_hashed(ids: Sequence[str]) -> None:
    if ids and all(_HASHED.fullmatch(record) for record in ids):
        raise ConfigurationError(
            "The record IDs are hashed: the token's user needs the export right Full Data Set."
        )
