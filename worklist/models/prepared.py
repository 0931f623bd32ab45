"""PostgreSQL plans a statement once for each connection, and answers several of them at once.

Django's own cursor writes the values into the text, which is parsed and planned anew each time, and waits for
each answer. What watches that cursor (a log of queries, a wrapper) is left its statements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    import psycopg


class _Waiting(NamedTuple):
    """A statement, and how many rows it must write, where that is known."""

    sql: str
    parameters: Sequence[Any]
    rows: int | None = None


class _Together:
    """Statements of which nothing is wanted wait here for the next one of their thread, in their order."""

    def __init__(self, current: BaseDatabaseWrapper) -> None:
        self._current = current
        self._waiting: list[_Waiting] = []

    def __call__(
        self,
        execute: Callable[[str, Any, bool, dict[str, Any]], Any],
        sql: str,
        params: Any,
        many: bool,  # noqa: FBT001  (Django's own form of a wrapper)
        context: dict[str, Any],
    ) -> Any:
        """Let what waits go before a statement of Django's own cursor."""
        self.flush()
        return execute(sql, params, many, context)

    def wait(self, statement: _Waiting) -> None:
        self._waiting.append(statement)

    def flush(self) -> None:
        if self._waiting:
            last = self._waiting.pop()
            self.send(last)

    def send(self, last: _Waiting) -> psycopg.Cursor[Any]:
        """Run what waits and then the last, and return its cursor."""
        statements, self._waiting = [*self._waiting, last], []
        return _run_all(self._current, statements)


@contextmanager
def together() -> Iterator[None]:
    """Let what is written share its round trips with what is asked next. Needs a transaction around it.

    An error of what is written may come with a later statement, or at the end of this; then nothing of the
    transaction may be committed. Raises django.db.Error.
    """
    current = connections[DEFAULT_DB_ALIAS]
    if not is_fit(current) or _together_of(current):
        yield
        return
    waiting = _Together(current)
    with current.execute_wrapper(waiting):
        yield
        waiting.flush()


def is_fit(current: BaseDatabaseWrapper) -> bool:
    """Tell whether the driver may prepare, and nobody watches the statements of Django's own cursor."""
    if current.vendor != "postgresql" or current.queries_logged:
        return False
    if any(not isinstance(each, _Together) for each in current.execute_wrappers):
        return False
    return current.settings_dict["OPTIONS"].get("prepare_threshold") is not None


def run(current: BaseDatabaseWrapper, sql: str, parameters: Sequence[Any]) -> psycopg.Cursor[Any]:
    """Run it after what waits, and return the cursor that has its outcome. Raises django.db.Error."""
    statement = _Waiting(sql, parameters)
    waiting = _together_of(current)
    return waiting.send(statement) if waiting else _run_all(current, [statement])


def run_soon(current: BaseDatabaseWrapper, sql: str, parameters: Sequence[Any], *, rows: int | None) -> None:
    """Run it, within `together` with the next statement. Raises django.db.Error, also for other rows."""
    statement = _Waiting(sql, parameters, rows)
    if waiting := _together_of(current):
        waiting.wait(statement)
    else:
        _run_all(current, [statement])


def _together_of(current: BaseDatabaseWrapper) -> _Together | None:
    return next((each for each in current.execute_wrappers if isinstance(each, _Together)), None)


def _run_all(current: BaseDatabaseWrapper, statements: Sequence[_Waiting]) -> psycopg.Cursor[Any]:
    """Run them in their order by one round trip, and return the last one's cursor.

    The driver takes one of its own to begin a transaction, but in a pipeline.
    """
    from psycopg.pq import TransactionStatus  # SQLite needs no driver

    current.ensure_connection()
    driver: psycopg.Connection[Any] = current.connection
    begins = not driver.autocommit and driver.pgconn.transaction_status == TransactionStatus.IDLE
    with current.wrap_database_errors:
        if len(statements) == 1 and not begins:
            cursors = [_started(driver, statements[0])]
        else:
            with driver.pipeline():
                cursors = [_started(driver, each) for each in statements]
    for each, cursor in zip(statements, cursors, strict=True):
        if each.rows is not None and cursor.rowcount != each.rows:
            raise DatabaseError(f"{cursor.rowcount} rows were written instead of {each.rows}: some are gone.")
    return cursors[-1]


def _started(driver: psycopg.Connection[Any], statement: _Waiting) -> psycopg.Cursor[Any]:
    """Give it to a cursor that binds on the server, which prepares what comes again and again."""
    from psycopg import Cursor

    cursor = Cursor(driver)
    cursor.execute(statement.sql, statement.parameters)
    return cursor
