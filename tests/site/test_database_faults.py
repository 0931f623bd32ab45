"""What is wrong with a database is told by its own codes, and said once."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import psycopg
import pytest
from django.db import DatabaseError, Error, IntegrityError, InterfaceError, OperationalError, ProgrammingError
from psycopg import errors

from pylantir_site.database import fault_log, persistence
from pylantir_site.database.fault_log import FaultLog
from pylantir_site.database.faults import (
    CommitUnsure,
    DatabaseFault,
    DatabaseSlow,
    fault_of,
    in_a_comment,
    told,
)
from tests.conftest import wait_until

LONGEST_COMMENT = 64  # characters of DICOM's LO
SECRET = "Doe^John"
OF_POSTGRESQL = {
    "its restart ends a statement": (errors.AdminShutdown, DatabaseFault.AWAY),
    "it crashed": (errors.CrashShutdown, DatabaseFault.AWAY),
    "it starts": (errors.CannotConnectNow, DatabaseFault.AWAY),
    "the connection was lost": (errors.ConnectionFailure, DatabaseFault.AWAY),
    "it lets nobody in": (errors.InvalidPassword, DatabaseFault.AWAY),
    "no code, for there is no connection": (psycopg.OperationalError, DatabaseFault.AWAY),
    "too many connections": (errors.TooManyConnections, DatabaseFault.CROWDED),
    "its memory is full": (errors.OutOfMemory, DatabaseFault.CROWDED),
    "its disk is full": (errors.DiskFull, DatabaseFault.FULL),
    "a row is locked": (errors.LockNotAvailable, DatabaseFault.LOCKED),
    "a deadlock": (errors.DeadlockDetected, DatabaseFault.LOCKED),
    "a time-out of a statement": (errors.QueryCanceled, DatabaseFault.LOCKED),
    "a standby": (errors.ReadOnlySqlTransaction, DatabaseFault.READ_ONLY),
    "its disk fails": (errors.IoError, DatabaseFault.DAMAGED),
    "a page is damaged": (errors.DataCorrupted, DatabaseFault.DAMAGED),
    "it has no such table": (errors.UndefinedTable, DatabaseFault.MISSING),
    "a value twice is no fault": (errors.UniqueViolation, None),
    "a mistake in a statement is none": (errors.SyntaxError, None),
    "a value that does not fit is none": (errors.NumericValueOutOfRange, None),
}
OF_SQLITE = {
    "locked": (sqlite3.SQLITE_BUSY, DatabaseFault.LOCKED),
    "locked by a snapshot": (sqlite3.SQLITE_BUSY_SNAPSHOT, DatabaseFault.LOCKED),
    "full": (sqlite3.SQLITE_FULL, DatabaseFault.FULL),
    "read-only": (sqlite3.SQLITE_READONLY, DatabaseFault.READ_ONLY),
    "in a folder that is read-only": (sqlite3.SQLITE_READONLY_DIRECTORY, DatabaseFault.READ_ONLY),
    "not to be opened": (sqlite3.SQLITE_CANTOPEN, DatabaseFault.AWAY),
    "a disk that fails": (sqlite3.SQLITE_IOERR_FSYNC, DatabaseFault.DAMAGED),
    "no database": (sqlite3.SQLITE_NOTADB, DatabaseFault.DAMAGED),
    "damaged": (sqlite3.SQLITE_CORRUPT_INDEX, DatabaseFault.DAMAGED),
    "a value twice is no fault": (sqlite3.SQLITE_CONSTRAINT_UNIQUE, None),
    "a mistake in a statement is none": (sqlite3.SQLITE_ERROR, None),
}


def wrapped(cause: Exception, kind: type[Error] = OperationalError) -> Error:
    """Return an exception as Django raises it for one of a driver's."""
    try:
        raise kind(*cause.args) from cause
    except Error as error:
        return error


def of_sqlite(code: int, text: str = SECRET) -> Error:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return wrapped(error)


@pytest.mark.acceptance("H4")
@pytest.mark.parametrize(("kind", "fault"), OF_POSTGRESQL.values(), ids=OF_POSTGRESQL)
def test_postgresql_tells_a_fault_by_sqlstate(kind: type[Exception], fault: DatabaseFault | None) -> None:
    django = OperationalError if issubclass(kind, psycopg.OperationalError) else ProgrammingError
    error = wrapped(kind(SECRET), django)

    assert fault_of(error) is fault
    assert SECRET not in told(error)


@pytest.mark.acceptance("H4")
@pytest.mark.parametrize(("code", "fault"), OF_SQLITE.values(), ids=OF_SQLITE)
def test_sqlite_tells_a_fault_by_its_result_code(code: int, fault: DatabaseFault | None) -> None:
    assert fault_of(of_sqlite(code)) is fault
    assert SECRET not in told(of_sqlite(code))


def test_sqlite_tells_a_fault_really(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    with sqlite3.connect(path, isolation_level=None) as holder:
        holder.execute("CREATE TABLE held (x)")
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as locked:
            sqlite3.connect(path, timeout=0, isolation_level=None).execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as missing:
            holder.execute("SELECT * FROM nowhere")
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(sqlite3.DatabaseError) as damaged:
        sqlite3.connect(path).execute("SELECT * FROM held")

    found = [fault_of(wrapped(each.value, DatabaseError)) for each in (locked, missing, damaged)]
    assert found == [DatabaseFault.LOCKED, DatabaseFault.MISSING, DatabaseFault.DAMAGED]


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (CommitUnsure("lost"), DatabaseFault.AWAY),
        (DatabaseSlow("slow"), DatabaseFault.AWAY),
        (OperationalError(SECRET), DatabaseFault.FAILED),
        (InterfaceError(SECRET), DatabaseFault.FAILED),
        (IntegrityError(SECRET), None),
        (ValueError(SECRET), None),
        (None, None),
    ],
)
def test_what_has_no_code_is_told_by_its_kind(error: Exception | None, fault: DatabaseFault | None) -> None:
    assert fault_of(error) is fault


@pytest.mark.parametrize("fault", DatabaseFault)
def test_each_fault_fits_into_an_error_comment(fault: DatabaseFault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pylantir_site.database.faults.fault_of", lambda error: fault)

    for what_to_do in ("ask again later", "send it again"):
        assert len(in_a_comment(OperationalError(), what_to_do)) <= LONGEST_COMMENT


@pytest.mark.acceptance("H2")
def test_a_fault_is_said_once_and_then_counted(caplog: pytest.LogCaptureFixture) -> None:
    log, logger = FaultLog(window=0.3), logging.getLogger("some")
    for _ in range(5):
        log.tell(logger, "It cannot be read", of_sqlite(sqlite3.SQLITE_BUSY))
    log.tell(logger, "It cannot be read", of_sqlite(sqlite3.SQLITE_FULL))

    first = [
        "It cannot be read: the database is locked.",
        "It cannot be read: the database has no space left.",
    ]
    assert caplog.messages == first

    def is_over() -> bool:
        log.sweep()
        return not log._told

    wait_until(is_over)
    assert caplog.messages[2:] == ["It cannot be read: the database is locked; 4 more times within 0 s."]


@pytest.mark.acceptance("H2")
def test_what_a_library_says_of_a_fault_names_neither_hosts_nor_values(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fault_log, "log", FaultLog())
    logger = logging.getLogger("some.package")
    logger.addFilter(fault_log.FaultsInWords())
    lost = wrapped(psycopg.OperationalError(f"connection to server at {SECRET} failed"))
    for _ in range(2):
        try:
            raise lost
        except Error as error:
            logger.exception("Failed to pull a task")
            logger.error(error)
    logger.error("Something else")

    assert caplog.messages == [
        "Failed to pull a task: the database does not answer.",
        "It failed: the database does not answer.",
        "Something else",
    ]
    assert SECRET not in caplog.text


def test_what_is_no_fault_is_told_by_its_place_each_time(caplog: pytest.LogCaptureFixture) -> None:
    log, logger = FaultLog(), logging.getLogger("some")
    for _ in range(2):
        log.tell_failure(logger, "It failed", ValueError(SECRET))

    assert caplog.messages == ["It failed: ValueError"] * 2


def test_what_must_be_written_is_tried_until_the_database_is_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(persistence, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(persistence, "drop_connections", lambda: True)
    monkeypatch.setattr(fault_log, "log", FaultLog())
    logger, failures = logging.getLogger("some"), [of_sqlite(sqlite3.SQLITE_FULL) for _ in range(3)]

    def act() -> str:
        if failures:
            raise failures.pop()
        return "done"

    done = persistence.until_back(act, seconds=5, logger=logger, what="It cannot be kept")
    assert done == "done"
    assert caplog.messages == ["It cannot be kept: the database has no space left."]


def test_what_is_no_fault_of_the_database_is_raised_at_once() -> None:
    tries = []

    def act() -> None:
        tries.append(1)
        raise IntegrityError

    with pytest.raises(IntegrityError):
        persistence.until_back(act, seconds=5, logger=logging.getLogger("some"), what="It cannot be kept")
    assert len(tries) == 1


def test_a_fault_that_lasts_is_raised_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "drop_connections", lambda: True)

    def act() -> None:
        raise of_sqlite(sqlite3.SQLITE_BUSY)

    with pytest.raises(OperationalError):
        persistence.until_back(act, seconds=0.2, logger=logging.getLogger("some"), what="It cannot be kept")
