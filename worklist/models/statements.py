"""Django writes a statement once, and it is run as often as wanted: to write it costs more than to run it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property, lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet
from django.db.models.expressions import Col

from worklist.models import prepared
from worklist.models.sized_cache import SizedCache

RawRow = tuple[Any, ...]
Kept = TypeVar("Kept", bound=Model)
Converter = Callable[[Any, Col, Any], Any]


class Statement(NamedTuple):
    """A statement has its first parameters; those after them are given each time that it is run.

    Where there is no `sql`, nothing can match. `is_prepared` says that PostgreSQL may plan it once for all
    values: right for what is written or found by keys, wrong where the best plan depends on a value.
    """

    sql: str
    parameters: tuple[Any, ...]
    is_prepared: bool = False

    def rows(self, *more: Any) -> list[RawRow]:
        """Return the rows as they are now and as the database gives them. Raises django.db.Error."""
        return self._run(more).rows if self.sql else []

    def count(self, *more: Any) -> int:
        """Return how many rows it has written. Raises django.db.Error."""
        return self._run(more).written

    def run_soon(self, *more: Any, rows: int | None = None) -> None:
        """Run it, within `prepared.together` perhaps with the next statement.

        Raises django.db.Error, also where it writes other than so many rows.
        """
        current = connections[DEFAULT_DB_ALIAS]
        if self.is_prepared and prepared.is_fit(current):
            prepared.run_soon(current, self.sql, (*self.parameters, *more), rows=rows)
            return
        written = self.count(*more)
        if rows is not None and written != rows:
            raise DatabaseError(f"{written} rows were written instead of {rows}: some are gone.")

    def key(self, *more: Any) -> Any:
        """Return the key of the row that it has inserted: SQLite before 3.35 returns none by itself."""
        outcome = self._run(more)
        return outcome.rows[0][0] if outcome.rows else outcome.last_key

    def _run(self, more: RawRow) -> StatementOutcome:
        parameters = (*self.parameters, *more)
        current = connections[DEFAULT_DB_ALIAS]
        if current.vendor == "sqlite":
            return _run_on_sqlite(current, self.sql, parameters)
        if self.is_prepared and prepared.is_fit(current):
            return _outcome_on_postgresql(prepared.run(current, self.sql, parameters))
        with current.cursor() as cursor:
            cursor.execute(self.sql, parameters)
            return _outcome_on_postgresql(cursor)


class StatementOutcome(NamedTuple):
    rows: list[RawRow]
    written: int  # rows
    last_key: Any = None  # of a row that was inserted, where the driver tells it


def _outcome_on_postgresql(cursor: Any) -> StatementOutcome:
    """Return what a cursor has; its `description` would describe each column to say that there are any."""
    result = cursor.pgresult
    return StatementOutcome(cursor.fetchall() if result and result.nfields else [], cursor.rowcount)


def _run_on_sqlite(current: BaseDatabaseWrapper, sql: str, parameters: RawRow) -> StatementOutcome:
    """Run it on the driver's own connection: Django's cursor rewrites each statement that it is given."""
    current.ensure_connection()
    with current.wrap_database_errors:
        cursor = current.connection.execute(sql, parameters)
        return StatementOutcome(cursor.fetchall(), cursor.rowcount, cursor.lastrowid)


def write(queryset: QuerySet[Any, Any], *, given: Iterable[Any] = (), is_prepared: bool = False) -> Statement:
    """Return the statement of a query, for the database that the thread is connected to.

    `given` are values in the query that only stand for those which `rows` is called with: its last ones.
    """
    try:
        sql, parameters = queryset.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return Statement("", ())
    given = tuple(given)
    kept = len(parameters) - len(given)
    if tuple(parameters[kept:]) != given:
        raise LookupError("the values that are given later must be the last parameters of the statement")
    if connection.vendor == "sqlite":
        sql = with_marks_of_sqlite(sql, len(parameters))
    return Statement(sql, tuple(parameters[:kept]), is_prepared)


def with_marks_of_sqlite(sql: str, parameters: int) -> str:
    """Return the statement with the driver's own mark for each parameter."""
    return sql % (("?",) * parameters)


class RowReader(Generic[Kept]):
    """Rows of a model are read whole, by keys and a statement that is written once for each database.

    `asked` makes the query; `given` are values in it that stand for those which it is asked with. `as_stored`
    names columns that are given as the database has them.
    """

    def __init__(
        self,
        model: type[Kept],
        asked: Callable[[], QuerySet[Kept]],
        *,
        given: Iterable[Any],
        as_stored: Iterable[str] = (),
    ) -> None:
        self.columns = ModelColumns(model, as_stored=as_stored)
        self._asked = asked
        self._given = tuple(given)

    def rows(self, *given: Any) -> list[Kept]:
        """Return the rows as they are now. Raises django.db.Error."""
        return [self.columns.row(raw) for raw in self._statement(connection.vendor).rows(*given)]

    @lru_cache  # noqa: B019  (one of each lives as long as the process)
    def _statement(self, vendor: str) -> Statement:
        asked = self._asked().values_list(*self.columns.names)
        return write(asked, given=self._given, is_prepared=True)


class ModelColumns(Generic[Kept]):
    """All columns of a model, of which a row is made again."""

    def __init__(self, model: type[Kept], *, as_stored: Iterable[str] = ()) -> None:
        self.names = tuple(field.attname for field in model._meta.concrete_fields)
        self._model = model
        self._as_stored = frozenset(as_stored)

    def row(self, raw: RawRow) -> Kept:
        """Return the row as Django would have read it."""
        return self._model.from_db(
            DEFAULT_DB_ALIAS, self.names, self._conversion(connection.vendor).values(raw)
        )

    @lru_cache  # noqa: B019
    def _conversion(self, vendor: str) -> Conversion:
        return Conversion(self._model, self.names, as_stored=self._as_stored)


class StatementCache:
    """The last statements are remembered, each for the database it was written for.

    `most` is about how many characters all may have.
    """

    def __init__(self, *, most: int) -> None:
        self._written: SizedCache[tuple[str, Any], Statement] = SizedCache(most=most, size=_size)

    def get(self, asked: Any, write: Callable[[], Statement]) -> Statement:
        """Return the statement of what is asked."""
        return self._written.get((connection.vendor, asked), write)


def _size(key: tuple[str, Any], statement: Statement) -> int:
    return len(statement.sql) + 500  # for the key


class Conversion:
    """Values of a model's columns are converted by Django's own converters for the thread's database."""

    def __init__(self, model: type[Model], names: Iterable[str], *, as_stored: Collection[str] = ()) -> None:
        """`as_stored` are left as the database gives them."""
        self._model = model
        self._names = tuple(names)
        self._as_stored = as_stored

    def values(self, row: RawRow) -> list[Any]:
        """Return the values of a row. Raises what converters raise at a value that its field cannot have."""
        values = list(row)
        for position, column, converters in self._converted:
            for convert in converters:
                values[position] = convert(values[position], column, connection)
        return values

    @cached_property
    def _converted(self) -> list[tuple[int, Col, list[Converter]]]:
        columns = enumerate(self._columns())
        found = ((position, column, _converters(column)) for position, column in columns)
        return [each for each in found if each[2] and self._names[each[0]] not in self._as_stored]

    def _columns(self) -> Iterator[Col]:
        meta = self._model._meta
        fields = {"pk": meta.pk}
        for field in meta.concrete_fields:
            fields.update({field.name: field, field.attname: field})
        return (fields[name].get_col(meta.db_table) for name in self._names)


def _converters(column: Col) -> list[Converter]:
    return [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
