"""A fault is what a database cannot do for the time being; here it is told from an exception.

Mistakes of a statement or of its values are none. PostgreSQL tells a fault by SQLSTATE (PostgreSQL's
Appendix A), SQLite by its result code (https://sqlite.org/rescode.html). The texts are never looked at where
a code says enough, nor shown: they may hold a host's name or a value.
"""

from __future__ import annotations

import enum
import sqlite3
from collections.abc import Iterator, Mapping

from django.db import InterfaceError, OperationalError


class DatabaseFault(enum.Enum):
    """What is wrong with the database, as a sentence's end: "the database …"."""

    AWAY = "does not answer"
    LOCKED = "is locked"
    FULL = "has no space left"
    READ_ONLY = "is read-only"
    CROWDED = "takes no more connections"
    DAMAGED = "cannot be read or written: its disk or its files are damaged"
    MISSING = "has no tables, or not those of this version"
    FAILED = "failed"

    def __str__(self) -> str:
        return f"the database {self.value}"

    @property
    def ends_by_itself(self) -> bool:
        """Tell whether it is worth trying again soon, without anybody's help."""
        return self in (DatabaseFault.AWAY, DatabaseFault.LOCKED, DatabaseFault.CROWDED)

    @property
    def retry_after(self) -> int:
        """Return after how many seconds a client had better try again."""
        return 5 if self.ends_by_itself else 60


class CommitUnsure(OperationalError):
    """The connection was lost while a transaction was committed: nobody knows whether it was."""


class DatabaseSlow(OperationalError):
    """So many wait for the database that another one would wait too long."""


_OF_SQLSTATE: Mapping[str, DatabaseFault] = {
    "08": DatabaseFault.AWAY,  # connection exception
    "25006": DatabaseFault.READ_ONLY,  # read_only_sql_transaction
    "28": DatabaseFault.AWAY,  # invalid authorization: who is not let in has no database
    "3D000": DatabaseFault.MISSING,  # invalid_catalog_name
    "40001": DatabaseFault.LOCKED,  # serialization_failure
    "40P01": DatabaseFault.LOCKED,  # deadlock_detected
    "42703": DatabaseFault.MISSING,  # undefined_column
    "42P01": DatabaseFault.MISSING,  # undefined_table
    "53100": DatabaseFault.FULL,  # disk_full
    "53": DatabaseFault.CROWDED,  # too many connections, out of memory
    "55P03": DatabaseFault.LOCKED,  # lock_not_available
    "57014": DatabaseFault.LOCKED,  # query_canceled, as by a statement's time-out
    "57": DatabaseFault.AWAY,  # shut down, crashed, starting up
    "58": DatabaseFault.DAMAGED,  # system error, as of a disk
    "XX001": DatabaseFault.DAMAGED,  # data_corrupted
    "XX002": DatabaseFault.DAMAGED,  # index_corrupted
}
_OF_SQLITE: Mapping[int, DatabaseFault] = {
    sqlite3.SQLITE_BUSY: DatabaseFault.LOCKED,
    sqlite3.SQLITE_CANTOPEN: DatabaseFault.AWAY,
    sqlite3.SQLITE_CORRUPT: DatabaseFault.DAMAGED,
    sqlite3.SQLITE_FULL: DatabaseFault.FULL,
    sqlite3.SQLITE_IOERR: DatabaseFault.DAMAGED,
    sqlite3.SQLITE_LOCKED: DatabaseFault.LOCKED,
    sqlite3.SQLITE_NOTADB: DatabaseFault.DAMAGED,
    sqlite3.SQLITE_PERM: DatabaseFault.READ_ONLY,
    sqlite3.SQLITE_READONLY: DatabaseFault.READ_ONLY,
}
PRIMARY_CODE = 0xFF  # of an extended result code of SQLite
NOT_OF_THIS_VERSION = ("no such table", "no such column")  # SQLite has no code of its own for them


def fault_of(error: BaseException | None) -> DatabaseFault | None:
    """Return what is wrong with the database by an exception, or None where it tells of nothing such."""
    chain = list(_chain(error))
    if any(isinstance(each, CommitUnsure | DatabaseSlow) for each in chain):
        return DatabaseFault.AWAY
    for each in chain:
        if _has_code(each):
            return _fault_by_code(each)
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    # The driver lost, or never had, a connection: the server gave it no SQLSTATE.
    is_of_postgresql = any(type(each).__module__.startswith("psycopg") for each in chain)
    return DatabaseFault.AWAY if is_of_postgresql else DatabaseFault.FAILED


def may_be_back(error: BaseException) -> bool:
    """Tell whether only a connection was lost: what was not being committed may be done again at once."""
    if any(isinstance(each, CommitUnsure | DatabaseSlow | TimeoutError) for each in _chain(error)):
        return False
    return fault_of(error) is DatabaseFault.AWAY


def told(error: BaseException) -> str:
    """Return the fault as a log may tell it; of what is none, the kind of exception."""
    fault = fault_of(error)
    return str(fault) if fault else f"a mistake ({type(error).__name__})"


def in_a_comment(error: BaseException, what_to_do: str) -> str:
    """Return it for DICOM's Error Comment, which has at most 64 characters."""
    fault = fault_of(error) or DatabaseFault.FAILED
    return f"The database {fault.value.partition(':')[0].partition(',')[0]}: {what_to_do}"


def _has_code(error: BaseException) -> bool:
    return bool(getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorcode", None))


def _fault_by_code(error: BaseException) -> DatabaseFault | None:
    if sqlstate := getattr(error, "sqlstate", None):
        return _OF_SQLSTATE.get(sqlstate) or _OF_SQLSTATE.get(sqlstate[:2])
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_ERROR and str(error).startswith(NOT_OF_THIS_VERSION):
        return DatabaseFault.MISSING
    return _OF_SQLITE.get(code & PRIMARY_CODE)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the exception and what caused it: Django wraps those of the drivers."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__
