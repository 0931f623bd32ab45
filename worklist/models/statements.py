"""Django writes a statement once, and it is run as often as wanted: to write it costs more than to run it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet
from django.db.models.expressions import Col

from worklist.models.sized_cache import SizedCache

RawRow = tuple[Any, ...]
Converter = Callable[[Any, Col, Any], Any]


class Statement(NamedTuple):
    """A statement has its first parameters; those after them are given each time that it is run.

    Where there is no `sql`, nothing can match.
    """

    sql: str
    parameters: tuple[Any, ...]

    def rows(self, *more: Any) -> list[RawRow]:
        """Return the rows as they are now and as the database gives them. Raises django.db.Error."""
        if not self.sql:
            return []
        parameters = (*self.parameters, *more)
        current = connections[DEFAULT_DB_ALIAS]
        if current.vendor == "sqlite":
            return _rows_of_sqlite(current, self.sql, parameters)
        with current.cursor() as cursor:
            cursor.execute(self.sql, parameters)
            rows: list[RawRow] = cursor.fetchall()
        return rows


def _rows_of_sqlite(current: BaseDatabaseWrapper, sql: str, parameters: RawRow) -> list[RawRow]:
    """Run it on the driver's own connection: Django's cursor rewrites each statement that it is given."""
    current.ensure_connection()
    with current.wrap_database_errors:
        rows: list[RawRow] = current.connection.execute(sql, parameters).fetchall()
    return rows


def write(queryset: QuerySet[Any, Any], *, given: Iterable[Any] = ()) -> Statement:
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
        sql %= ("?",) * len(parameters)  # the driver's own mark
    return Statement(sql, tuple(parameters[:kept]))


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

    def __init__(self, model: type[Model], names: Iterable[str]) -> None:
        self._model = model
        self._names = tuple(names)

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
        return [each for each in found if each[2]]

    def _columns(self) -> Iterator[Col]:
        meta = self._model._meta
        fields = {"pk": meta.pk, **{field.name: field for field in meta.concrete_fields}}
        return (fields[name].get_col(meta.db_table) for name in self._names)


def _converters(column: Col) -> list[Converter]:
    return [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
