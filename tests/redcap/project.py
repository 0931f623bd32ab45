"""A REDCap project in memory has a dictionary, users and data; whatever people do to them is logged."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import RLock
from zoneinfo import ZoneInfo

from tests.redcap.dictionary import Column, Event, Field, columns_of, status_of
from tests.redcap.log import Clock, Entry, Kind, Log, RowKey

__all__ = ["Clock", "Entry", "Event", "Kind", "Project", "RowKey", "User"]

FULL, DEIDENTIFIED, WITHOUT_IDENTIFIERS, NO_ACCESS = 1, 2, 3, 0
COORDINATOR = "anna"


@dataclass
class User:
    """A token's owner has rights.

    `data_export` is by form: a form that is not named has the full data set.
    """

    name: str
    api_export: bool = True
    api_import: bool = False
    data_export: int | dict[str, int] = FULL
    logging: bool = True
    design: bool = True
    user_rights: bool = True
    dags: bool = True
    dag: str = ""
    expired: bool = False

    def export_right(self, form: str) -> int:
        return self.data_export if isinstance(self.data_export, int) else self.data_export.get(form, FULL)


class Project:
    """Every method may be called from any thread. A project with events is longitudinal.

    `form_event` has the forms of each event; `repeating` holds (event, form), where form "" is the whole
    event and event "" a classic project; `dags` has unique names and labels.
    """

    def __init__(
        self,
        id: int,
        title: str,
        fields: Sequence[Field],
        *,
        events: Sequence[Event] = (),
        arms: Mapping[int, str] | None = None,
        form_event: Mapping[str, Sequence[str]] | None = None,
        repeating: Collection[tuple[str, str]] = (),
        dags: Mapping[str, str] | None = None,
        missing_codes: str = "",
        form_labels: Mapping[str, str] | None = None,
        surveys: Collection[str] = (),
        tz: str = "America/Edmonton",
        version: str = "14.5.5",
    ) -> None:
        self.id = id
        self.title = title
        self.fields = list(fields)
        self.events = list(events)
        self.arms = dict(arms or {1: "Arm 1"})
        self.form_event = {event: list(forms) for event, forms in (form_event or {}).items()}
        self.repeating = set(repeating)
        self.dags = dict(dags or {})
        self.missing_codes = missing_codes
        self.form_labels = dict(form_labels or {})
        self.surveys = set(surveys)
        self.version = version
        self.users: dict[str, User] = {}
        self.clock = Clock()
        self.log = Log(ZoneInfo(tz))
        self.base_url = "https://redcap.example.org/redcap/"
        self.lock = RLock()
        self._data: dict[str, dict[RowKey, dict[str, str]]] = {}
        self.locked: set[tuple[str, RowKey, str]] = set()  # record, row and form
        self.overwritten: list[tuple[str, RowKey, str, str]] = []  # by imports: record, row, column, value
        self._dag_of: dict[str, str] = {}
        self._hidden: dict[str, dict[RowKey, dict[str, str]]] = {}  # instances of what no longer repeats
        self._columns_of: list[str] = []
        self._columns: list[Column] = []

    @property
    def tz(self) -> str:
        """Return the server's zone; what is in the log already keeps its wall time."""
        return self.log.zone.key

    @tz.setter
    def tz(self, name: str) -> None:
        self.log.zone = ZoneInfo(name)

    # The dictionary

    @property
    def longitudinal(self) -> bool:
        return bool(self.events)

    @property
    def id_field(self) -> str:
        return self.fields[0]["field_name"]

    @property
    def forms(self) -> dict[str, str]:
        """Return instrument to label, in order."""
        names = dict.fromkeys(field["form_name"] for field in self.fields)
        return {name: self.form_labels.get(name, name.replace("_", " ").capitalize()) for name in names}

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field["field_name"] == name)

    def columns(self) -> list[Column]:
        """Return every column of an export, in order: a form's status follows its fields."""
        names = [field["field_name"] for field in self.fields]
        if self._columns_of != names:
            self._columns_of, self._columns = names, list(self._all_columns())
        return self._columns

    def forms_on(self, key: RowKey) -> set[str]:
        """Return the forms whose fields are on such a row; elsewhere they are blank."""
        if key.instrument:
            return {key.instrument}
        here = set(self.form_event[key.event]) if self.longitudinal else set(self.forms)
        return here - {form for event, form in self.repeating if event == key.event}

    def rename_field(self, old: str, new: str) -> None:
        with self.lock:
            self.field(old).update(field_name=new)
            for rows in self._data.values():
                for values in rows.values():
                    for name in [name for name in values if name == old or name.startswith(f"{old}___")]:
                        values[new + name.removeprefix(old)] = values.pop(name)
            self._manage("Edit project field", new)

    def remove_field(self, name: str) -> None:
        with self.lock:
            self.fields.remove(self.field(name))
            self._manage("Delete project field", name)

    # The data

    def records(self) -> list[str]:
        return sorted(self._data, key=_natural)

    def rows(self, record: str) -> Iterator[tuple[RowKey, Mapping[str, str]]]:
        """Yield a record's rows by event, instrument and instance; plain rows come before repeating ones."""
        yield from sorted(self._data.get(record, {}).items(), key=lambda row: self._position(row[0]))

    def row(self, record: str, key: RowKey) -> Mapping[str, str]:
        return self._data.get(record, {}).get(key, {})

    def dag(self, record: str) -> str:
        return self._dag_of.get(record, "")

    def save(
        self, record: str, *, event: str = "", instrument: str = "", instance: int = 0, **values: object
    ) -> None:
        """Save a form as a person does: "" or None clears a field, and an opened form has a status.

        Checkboxes are given by column (`race___1="1"`). `instrument` and `instance` are those of what
        repeats: instrument "" with an instance is a repeating event. A longitudinal project's event is by
        default its first. Raises ValueError for a field that such a row does not have.
        """
        with self.lock:
            key = self._key(event, instrument, instance)
            changed = self._changed(record, key, values)
            is_new = record not in self._data
            row = self._data.setdefault(record, {}).setdefault(key, {})
            row.update(changed)
            for name in [name for name, value in row.items() if not value]:
                del row[name]
            if changed or is_new:
                kind, verb = (Kind.INSERT, "Create") if is_new else (Kind.UPDATE, "Update")
                self._write(kind, f"{verb} record {record}", _details(key, changed), record, key)

    def import_values(self, user: User, record: str, key: RowKey, values: Mapping[str, str]) -> None:
        """Store what an import has brought: blanks change nothing, and no trigger is sent.

        `overwritten` keeps what was there before and is another now.
        """
        with self.lock:
            changed = self._changed(record, key, {name: value for name, value in values.items() if value})
            stored = self.row(record, key)
            self.overwritten += [(record, key, name, stored[name]) for name in changed if stored.get(name)]
            kind, verb = (Kind.UPDATE, "Update") if record in self._data else (Kind.INSERT, "Create")
            self._data.setdefault(record, {}).setdefault(key, {}).update(changed)
            if changed:
                action = f"{verb} record (API) {record}"
                now, details = self.clock.now(), _details(key, changed)
                self.log.write(
                    now, kind, user=user.name, action=action, details=details, record=record, row=key
                )

    def lock_form(
        self, record: str, form: str, *, event: str = "", instrument: str = "", instance: int = 0
    ) -> None:
        """Lock a form of a row for editing, until `unlock_forms`."""
        with self.lock:
            self.locked.add((record, self._key(event, instrument, instance), form))

    def unlock_forms(self) -> None:
        with self.lock:
            self.locked.clear()

    def delete_record(self, record: str, *, log: bool = True) -> None:
        """Delete a record. Without `log` its log goes too, as an administrator's setting makes REDCap do."""
        with self.lock:
            del self._data[record]
            self._dag_of.pop(record, None)
            self._hidden.pop(record, None)
            if log:
                details = f"{self.id_field} = '{record}'"
                self._write(Kind.DELETE, f"Delete record {record}", details, record)
            else:
                self.log.forget(record)

    def delete_instance(
        self, record: str, *, event: str = "", instrument: str = "", instance: int = 0
    ) -> None:
        """Delete all data of an instance; without one, of an event."""
        with self.lock:
            key = self._key(event, instrument, instance)
            del self._data[record][key]
            self._write(Kind.QUIET, f"Update record {record}", f"[instance = {key.instance}]", record, key)

    def erase(self) -> None:
        """Erase all data, as people do before a study goes live: the log of the records goes too.

        Record numbers may be used again; users, groups and the dictionary stay.
        """
        with self.lock:
            for record in self.records():
                self.log.forget(record)
            self._data.clear()
            self._dag_of.clear()
            self._hidden.clear()
            self._manage("Erase all data", self.title)

    def rename_record(self, old: str, new: str) -> None:
        """Move all rows to the new name. Raises ValueError where another record has it."""
        if new in self._data:
            raise ValueError(f"{self.title} has a record {new}")
        with self.lock:
            self._data[new] = self._data.pop(old)
            if old in self._dag_of:
                self._dag_of[new] = self._dag_of.pop(old)
            if old in self._hidden:
                self._hidden[new] = self._hidden.pop(old)
            self._write(Kind.QUIET, f"Update record {new}", f"{self.id_field} = '{new}'", new)

    def set_dag(self, record: str, dag: str) -> None:
        """Move a record into a Data Access Group, by unique name; "" takes it out."""
        if dag and dag not in self.dags:
            raise ValueError(f"{dag} is no Data Access Group of {self.title}")
        with self.lock:
            self._dag_of[record] = dag
            details = f"redcap_data_access_group = '{dag}'"
            self._write(Kind.QUIET, f"Update record {record}", details, record)

    # What an administrator changes

    def put_user_into_dag(self, token: str, dag: str) -> None:
        """Let the token's owner see one Data Access Group alone, by unique name; "" takes the owner out."""
        if dag and dag not in self.dags:
            raise ValueError(f"{dag} is no Data Access Group of {self.title}")
        with self.lock:
            self.users[token].dag = dag

    def stop_repeating(self, instrument: str, *, event: str = "") -> None:
        """Let an instrument (instrument "": the whole event) be filled in once.

        Its first instance becomes the plain row. The others are hidden, and come back with `start_repeating`.
        """
        with self.lock:
            self.repeating.remove((event, instrument))
            for record, rows in self._data.items():
                for key in [key for key in rows if key[:2] == (event, instrument) and key.instance]:
                    values = rows.pop(key)
                    if key.instance == 1:
                        rows.setdefault(RowKey(event), {}).update(values)
                    else:
                        self._hidden.setdefault(record, {})[key] = values
            self._manage("Set up repeating instruments", instrument or event)

    def start_repeating(self, instrument: str, *, event: str = "") -> None:
        """Let an instrument repeat: what stands in the plain row becomes the first instance."""
        with self.lock:
            self.repeating.add((event, instrument))
            first = RowKey(event, instrument, 1)
            names = {column.name for column in self.columns() if column.form in self.forms_on(first)}
            for record, rows in self._data.items():
                plain = rows.get(RowKey(event), {})
                if moved := {name: plain.pop(name) for name in names & plain.keys()}:
                    rows[first] = moved
                hidden = self._hidden.get(record, {})
                for key in [key for key in hidden if key[:2] == (event, instrument)]:
                    rows[key] = hidden.pop(key)
            self._manage("Set up repeating instruments", instrument or event)

    def _all_columns(self) -> Iterator[Column]:
        for form in self.forms:
            for field in self.fields:
                if field["form_name"] == form:
                    yield from columns_of(field)
            yield Column(status_of(form), form)

    def _key(self, event: str, instrument: str, instance: int) -> RowKey:
        event = event or (self.events[0].name if self.longitudinal else "")
        if self.longitudinal and event not in self.form_event:
            raise ValueError(f"{event} is no event of {self.title}")
        if instrument and (event, instrument) not in self.repeating:
            raise ValueError(f"{instrument} does not repeat in event {event!r} of {self.title}")
        if not instrument and bool(instance) != ((event, "") in self.repeating):
            raise ValueError(f"event {event!r} of {self.title} and instance {instance} do not fit")
        return RowKey(event, instrument, instance or (1 if instrument else 0))

    def _changed(self, record: str, key: RowKey, values: Mapping[str, object]) -> dict[str, str]:
        """Return what differs from what is stored, the statuses of newly opened forms with it."""
        here = self.forms_on(key)
        form_of = {column.name: column.form for column in self.columns() if column.form in here}
        if unknown := values.keys() - form_of.keys():
            raise ValueError(f"{key} of {self.title} has no {', '.join(sorted(unknown))}")
        stored = self.row(record, key)
        given = {name: "" if value is None else str(value) for name, value in values.items()}
        opened = {status_of(form_of[name]): "0" for name in given}
        new = {name: value for name, value in opened.items() if name not in stored} | given
        return {name: value for name, value in new.items() if stored.get(name, "") != value}

    def _position(self, key: RowKey) -> tuple[int, int, int]:
        event = next((at for at, event in enumerate(self.events) if event.name == key.event), 0)
        form = list(self.forms).index(key.instrument) + 1 if key.instrument else 0
        return event, form, key.instance

    def _write(self, kind: Kind, action: str, details: str, record: str, row: RowKey | None = None) -> None:
        self.log.write(
            self.clock.now(),
            kind,
            user=COORDINATOR,
            action=action,
            details=details,
            record=record,
            row=row,
        )

    def _manage(self, action: str, field: str) -> None:
        self._write(Kind.MANAGE, "Manage/Design", f"{action} ({field})", "")


def _details(key: RowKey, changed: Mapping[str, str]) -> str:
    instance = [f"[instance = {key.instance}]"] if key.instance else []
    return ", ".join([*instance, *(f"{name} = '{value}'" for name, value in changed.items())])


def _natural(record: str) -> list[tuple[int, str]]:
    """Sort so that record 10 follows record 9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", record)]
