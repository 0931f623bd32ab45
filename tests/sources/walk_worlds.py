"""What the walk of `test_sync_stateful` walks in: a REDCap project behind its server, or a table in a folder.

Both hold the same people and appointments; how they fail is their own.
"""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path
from typing import Any, Protocol

from sources.mapping.rules import Level, Rule
from sources.models import DataSource, RunOutcome
from tests.redcap.server import RedcapServer
from tests.sources import walk_truth
from tests.sources.conftest import new_source
from tests.sources.table_study import HEADERS, Cells, as_csv, as_workbook, put, table_source
from tests.sources.walk_truth import Appointment, IdKind, Person


class World(Protocol):
    """People book in it, and a source pulls from it."""

    source: DataSource

    def enrol(self, record: str, person: Person) -> None: ...

    def book(self, record: str, instance: int, appointment: Appointment) -> None: ...

    def delete_instance(self, record: str, instance: int) -> None: ...

    def delete_record(self, record: str) -> None: ...

    def rename_record(self, old: str, new: str) -> None: ...

    def erase(self) -> None: ...

    def recover(self) -> None: ...

    def close(self) -> None: ...


class RedcapWorld:
    def __init__(self, switches: Any, id_kind: IdKind, name: str) -> None:
        self.project = walk_truth.walked_study()
        self.server = RedcapServer(self.project, switches=switches)
        self.source = new_source(self.server, id_kind.rules, name=name, overlap_minutes=60)

    def enrol(self, record: str, person: Person) -> None:
        walk_truth.enrol(self.project, record, person)

    def book(self, record: str, instance: int, appointment: Appointment) -> None:
        walk_truth.book(self.project, record, instance, appointment)

    def delete_instance(self, record: str, instance: int) -> None:
        self.project.delete_instance(record, instrument="mri", instance=instance)

    def delete_record(self, record: str) -> None:
        self.project.delete_record(record)

    def rename_record(self, old: str, new: str) -> None:
        self.project.rename_record(old, new)

    def erase(self) -> None:
        self.project.erase()

    def recover(self) -> None:
        self.server.recover()

    def close(self) -> None:
        self.server.close()


class TableWorld:
    """A file has a row for each appointment, and is written anew after each change."""

    def __init__(self, path: Path, id_kind: IdKind, name: str) -> None:
        self.path = path
        self.people: dict[str, Person] = {}
        self.rows: dict[tuple[str, int], Appointment] = {}
        self.saved = 0  # so that each file is another one, and is read
        self.write()
        self.source = table_source(rules_of(id_kind), name=name, file_name=path.name)

    def enrol(self, record: str, person: Person) -> None:
        self.people[record] = person
        self.write()

    def book(self, record: str, instance: int, appointment: Appointment) -> None:
        self.rows[record, instance] = appointment
        self.write()

    def delete_instance(self, record: str, instance: int) -> None:
        del self.rows[record, instance]
        self.write()

    def delete_record(self, record: str) -> None:
        del self.people[record]
        self.rows = {key: row for key, row in self.rows.items() if key[0] != record}
        self.write()

    def rename_record(self, old: str, new: str) -> None:
        self.people[new] = self.people.pop(old)
        self.rows = {
            (new if record == old else record, instance): row for (record, instance), row in self.rows.items()
        }
        self.write()

    def erase(self) -> None:
        self.people.clear()
        self.rows.clear()
        self.write()

    def recover(self) -> None:
        self.write()

    def close(self) -> None:
        self.path.unlink(missing_ok=True)

    def write(self, headers: tuple[str, ...] = HEADERS) -> None:
        self.saved += 1
        rows = [self._cells(*key) for key in sorted(self.rows)]
        made = as_workbook if self.path.suffix == ".xlsx" else as_csv
        put(self.path, made(*rows, headers=(*headers, f"Saved {self.saved} times")))

    def _cells(self, record: str, instance: int) -> Cells:
        person, appointment = self.people[record], self.rows[record, instance]
        return (
            *(record, instance, person.study_id, person.group or None),
            *(person.name, person.first_name, person.born, "1" if person.sex == "M" else "2"),
            None if appointment.days is None else appointment.day,
            f"{appointment.hour:02}:00",
            *(appointment.weight, "2" if appointment.is_cancelled else "1", None),
        )


class FileFailure(Enum):
    """How the file of a table is found to be no good, and how a pull ends then."""

    HALF_WRITTEN = auto()
    EMPTY = auto()
    GONE = auto()
    GARBAGE = auto()
    LACKS_A_COLUMN = auto()
    LACKS_ITS_KEY = auto()

    @property
    def outcome(self) -> RunOutcome:
        passing = {FileFailure.HALF_WRITTEN, FileFailure.EMPTY, FileFailure.GONE}
        return RunOutcome.TRANSIENT if self in passing else RunOutcome.CONFIGURATION

    def spoil(self, world: TableWorld) -> None:
        path, content = world.path, world.path.read_bytes()
        match self:
            case FileFailure.HALF_WRITTEN:
                put(path, content[: len(content) // 2], age=1)
            case FileFailure.EMPTY:
                put(path, b"")
            case FileFailure.GONE:
                path.unlink()
            case FileFailure.GARBAGE:
                put(path, bytes(range(256)) * 9)
            case FileFailure.LACKS_A_COLUMN:
                world.write(_renamed("MRI date"))
            case FileFailure.LACKS_ITS_KEY:
                world.write(_renamed("Record ID"))


def _renamed(header: str) -> tuple[str, ...]:
    return tuple("Another" if each == header else each for each in HEADERS)


def rules_of(kind: IdKind) -> tuple[Rule, ...]:
    """Return the rules of the walk; a group is a column like any other here."""
    if kind is not IdKind.GROUP:
        return kind.rules
    rule = Rule("patient_id", level=Level.RECORD, transforms="template [{group}_]{study_id}")
    return (rule, *kind.rules[1:])
