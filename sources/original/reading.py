"""A file of the original's is read here from a copy of its own: the file is neither written nor locked.

It may come from anywhere, so it is believed in nothing: no view, trigger or function of its is run.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pylantir_site.environment.originals import USERS_TABLE, WORKLIST_TABLE

MOST_BYTES = 2**30  # of a file: the original's hold some kilobytes for each appointment
MOST_BYTES_OF_A_CELL = 2**20
_MOST_STEPS = 10**8  # of SQLite's machine: what needs more is made to
_BEGINNING = b"SQLite format 3\0"
_HEADER, _WRITE_VERSION, _WITH_A_LOG = 100, 18, 2  # bytes; where it stands; sqlite.org/fileformat
_BESIDE = ("-wal", "-journal")  # what is committed, or to be taken back, but not in the file itself yet
_COLUMNS = {
    WORKLIST_TABLE: (
        *("id", "study_instance_uid", "patient_name", "patient_id", "patient_birth_date", "patient_sex"),
        *("patient_weight_lb", "accession_number", "referring_physician_name", "modality"),
        *("study_description", "scheduled_station_aetitle", "scheduled_start_date", "scheduled_start_time"),
        *("performing_physician", "procedure_description", "protocol_name", "station_name"),
        *("hisris_coding_designator", "performed_procedure_step_status", "data_source"),
    ),
    USERS_TABLE: (
        *("id", "username", "email", "full_name", "hashed_password", "role", "is_active"),
        *("created_at", "last_login"),
    ),
}
_LATER = frozenset({"hisris_coding_designator", "data_source"})  # versions of the original added them

Cells = dict[str, str]  # column -> text; what is NULL is empty
Stamp = tuple[int, int, int]


class OriginalRefused(Exception):
    """The file cannot be imported; the text says why, for people."""


@dataclass(frozen=True)
class OriginalFile:
    """These are the rows of one table of a file, by `id`. `lacks` names columns that its version had not."""

    name: str
    table: str
    rows: tuple[Cells, ...]
    lacks: frozenset[str] = frozenset()


def read(path: Path, *, name: str = "") -> list[OriginalFile]:
    """Return what the file has of the original's tables. Raises OriginalRefused."""
    shown = name or path.name
    try:
        with tempfile.TemporaryDirectory(prefix="pylantir-original-") as folder:
            return _read_copy(_copied(path, Path(folder)), shown)
    except OSError as error:
        raise OriginalRefused(f"{shown}: {error.strerror or 'It cannot be read'}.") from error
    except OriginalRefused as refusal:
        raise OriginalRefused(f"{shown}: {refusal}") from refusal


def may_have_a_log(path: Path) -> bool:
    """Tell whether SQLite writes first into a file beside this one, as its header says."""
    with path.open("rb") as opened:
        return opened.read(_HEADER)[_WRITE_VERSION] == _WITH_A_LOG


def _copied(path: Path, folder: Path) -> Path:
    """Copy the file, and what SQLite keeps beside it, as they all stand at one time."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OriginalRefused("This is not a file.")
    if found.st_size > MOST_BYTES:
        raise OriginalRefused(f"It is larger than {MOST_BYTES // 2**20} MB, which no worklist is.")
    with path.open("rb") as opened:
        if opened.read(len(_BEGINNING)) != _BEGINNING:
            raise OriginalRefused("This is not a database of SQLite, as the original's worklist.db is.")
    copy = folder / "copy.db"
    for _ in range(3):
        before = _stamps(path)
        for suffix in ("", *_BESIDE):
            _copy(Path(f"{path}{suffix}"), Path(f"{copy}{suffix}"))
        if _stamps(path) == before:
            return copy
    raise OriginalRefused(
        "It is being written all the time: stop the original's server, then import it again."
    )


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        shutil.copyfile(source, target)


def _stamps(path: Path) -> list[Stamp | None]:
    return [_stamp(Path(f"{path}{suffix}")) for suffix in ("", *_BESIDE)]


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _read_copy(copy: Path, name: str) -> list[OriginalFile]:
    try:
        with _opened(copy) as database:
            if database.execute("PRAGMA quick_check(1)").fetchone() != (b"ok",):
                raise OriginalRefused("It is damaged or cut off: copy it again, or mend it with SQLite.")
            schema = _schema(database)
            tables = [table for table in _COLUMNS if table in schema]
            found = [_table(database, table, name) for table in tables if _is_the_originals(database, table)]
    except sqlite3.Error as error:
        raise OriginalRefused(
            "SQLite cannot read it: it is damaged, cut off, or no database of the original."
        ) from error
    if not found:
        raise OriginalRefused(
            f"It has no table of the original's: neither {WORKLIST_TABLE} nor {USERS_TABLE} with passwords."
        )
    return found


@contextlib.contextmanager
def _opened(copy: Path) -> Iterator[sqlite3.Connection]:
    """Open the copy, which alone is written where something beside it has to be brought into it first."""
    is_whole = not any(Path(f"{copy}{suffix}").exists() for suffix in _BESIDE)
    how = "mode=ro&immutable=1" if is_whole else "mode=rw"
    with contextlib.closing(sqlite3.connect(f"{copy.as_uri()}?{how}", uri=True)) as database:
        database.text_factory = bytes  # decoded here, where what is no text can be told
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES_OF_A_CELL)
        database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA cell_size_check = ON")
        database.set_progress_handler(lambda: 1, _MOST_STEPS)
        yield database


def _schema(database: sqlite3.Connection) -> frozenset[str]:
    """Return the names of the tables. A file with anything else that acts is refused."""
    rows = database.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
    for kind, _, sql in rows:
        if kind in (b"view", b"trigger") or sql.upper().startswith(b"CREATE VIRTUAL"):
            raise OriginalRefused("It holds views, triggers or virtual tables: the original makes none.")
    return frozenset(str(name, "utf-8", "replace") for kind, name, _ in rows if kind == b"table")


def _is_the_originals(database: sqlite3.Connection, table: str) -> bool:
    """Tell a table of the original's from another of its name, as `users` may be."""
    wanted = "hashed_password" if table == USERS_TABLE else "patient_id"
    return wanted in _columns(database, table)


def _columns(database: sqlite3.Connection, table: str) -> frozenset[str]:
    """Return the stored columns; those that SQLite computes are none of the original's."""
    found = database.execute(f"PRAGMA table_xinfo({table})").fetchall()  # `table` is a constant of ours
    return frozenset(str(name, "utf-8", "replace") for _, name, _, _, _, _, hidden in found if not hidden)


def _table(database: sqlite3.Connection, table: str, name: str) -> OriginalFile:
    there = _columns(database, table)
    missing = [column for column in _COLUMNS[table] if column not in there]
    if lost := [column for column in missing if column not in _LATER]:
        raise OriginalRefused(
            f"Its table {table} lacks {', '.join(lost)}: no version of the original's does."
        )
    columns = [column for column in _COLUMNS[table] if column in there]
    rows = database.execute(f"SELECT {', '.join(columns)} FROM {table} NOT INDEXED")  # noqa: S608  (our own names)
    cells = [dict.fromkeys(missing, "") | dict(zip(columns, map(_text, row), strict=True)) for row in rows]
    if not all(_is_number(each["id"]) for each in cells):
        raise OriginalRefused(f"A row of its table {table} has no number.")
    return OriginalFile(name, table, tuple(sorted(cells, key=_number)), frozenset(missing))


def _is_number(text: str) -> bool:
    """Tell whether it is one that SQLite gives a row."""
    return text.lstrip("-").isdecimal() and abs(int(text)) < 2**63


def _number(cells: Cells) -> int:
    return int(cells["id"])


def _text(cell: Any) -> str:
    """Write what SQLite kept as text. What is none in UTF-8 holds a replacement character, and is refused."""
    if cell is None:
        return ""
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
