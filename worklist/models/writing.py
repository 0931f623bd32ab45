"""Rows are written by statements that Django writes once: to write one costs more than to run it.

They are those of `save` and `bulk_create`, with what their fields make of the values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import CharField, Field, Model, TextField
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery, UpdateQuery

from worklist.models.sized_cache import SizedCache
from worklist.models.statements import Statement, with_marks_of_sqlite

CHARACTERS = 500_000  # of all statements that are remembered

FEW = 32  # rows
_TEXT = (CharField, TextField)
_Key = tuple[Any, ...]
_Row = Sequence[Any]  # values as the database takes them
_statements: SizedCache[_Key, tuple[Statement, bool]] = SizedCache(
    most=CHARACTERS, size=lambda _, made: len(made[0].sql)
)


def insert(row: Model) -> None:
    """Insert a row whose key the database gives, which it has afterwards. Raises django.db.Error."""
    target = _target(type(row))
    statement, given = _insertion(target, [_prepared_values(target, row, is_new=True)], returning=True)
    row.pk = statement.key(*given)
    _is_stored(row)


def insert_all(rows: Sequence[Model]) -> None:
    """Insert rows of one model by as few statements as the database lets it be; they do not learn their keys.

    Needs a transaction where there may be more than one statement. Raises django.db.Error.
    """
    if rows:
        target = _target(type(rows[0]))
        _insert_values(target, [_prepared_values(target, row, is_new=True) for row in rows])


def insert_with_keys(rows: Sequence[Model]) -> list[dict[str, Any]]:
    """Insert rows, at least one, as `insert_all` does; they have their keys afterwards.

    Returns the values of each by its columns' names in code, as the database took them. The database must
    return rows of many.
    """
    target = _target(type(rows[0]))
    values = [_prepared_values(target, row, is_new=True) for row in rows]
    for start, some in _portions(target, values):
        statement, given = _insertion(target, some, returning=True)
        for row, (key,) in zip(rows[start : start + len(some)], statement.rows(*given), strict=True):
            row.pk = key
            _is_stored(row)
    name = str(rows[0]._meta.pk.attname)
    return [
        {name: row.pk, **dict(zip(target.names, own, strict=True))}
        for row, own in zip(rows, values, strict=True)
    ]


def insert_values(
    model: type[Model], names: Sequence[str], values: Sequence[_Row], *, ignores_known: bool = False
) -> None:
    """Insert rows of these columns, of values that are as the database takes them.

    With `ignores_known` a row that a unique constraint forbids is left out. Needs a transaction where there
    may be more than one statement. Raises django.db.Error.
    """
    _insert_values(_target(model, tuple(names)), values, ignores_known=ignores_known)


def update(row: Model, names: Sequence[str]) -> None:
    """Write these fields of a row that is there. Raises django.db.Error, also where it is gone."""
    model = type(row)
    target = _target(model, tuple(_fields(model)[name].attname for name in names))
    values = _prepared_values(target, row, is_new=False)
    # Django writes NULL into the statement.
    empty = tuple(value is None for value in values)
    key = (connection.vendor, target, empty)
    statement, _ = _statements.get(key, lambda: _written_update(row, target.fields))
    given = (value for value in values if value is not None)
    statement.run_soon(*given, row.pk, rows=1)


@dataclass(frozen=True, eq=False)
class _Target:
    """These columns of a model are written; `is_text` tells of which a text is stored as it is."""

    model: type[Model]
    fields: list[Field[Any, Any]]
    names: tuple[str, ...]  # in code
    is_text: tuple[bool, ...]


@lru_cache
def _target(model: type[Model], names: tuple[str, ...] = ()) -> _Target:
    """Return what is written of a new row: by default all but the key, which the database makes."""
    meta = model._meta
    fields = [field for field in meta.concrete_fields if field is not meta.auto_field]
    if names:
        by_name = {field.attname: field for field in meta.concrete_fields}
        fields = [by_name[name] for name in names]
    attributes = tuple(field.attname for field in fields)
    return _Target(model, fields, attributes, tuple(type(field) in _TEXT for field in fields))


def _insert_values(target: _Target, values: Sequence[_Row], *, ignores_known: bool = False) -> None:
    for _, some in _portions(target, values):
        statement, given = _insertion(target, some, returning=False, ignores_known=ignores_known)
        statement.run_soon(*given)


def _portions(target: _Target, values: Sequence[_Row]) -> Iterator[tuple[int, Sequence[_Row]]]:
    """Yield as many rows as one statement may have, by the parameters that the database allows.

    What is left over is divided so that numbers of rows come again: each has a statement of its own.
    """
    most = max(1, connection.ops.bulk_batch_size(target.fields, values))
    start = 0
    while number := min(most, len(values) - start):
        if FEW < number < most:
            number -= number % FEW
        yield start, values[start : start + number]
        start += number


def _insertion(
    target: _Target, values: Sequence[_Row], *, returning: bool, ignores_known: bool = False
) -> tuple[Statement, Iterable[Any]]:
    """Return the statement, and what it is given."""
    returning = returning and connection.features.can_return_columns_from_insert

    def of(number: int) -> tuple[Statement, bool]:
        key = (connection.vendor, target, number, returning, ignores_known)
        return _statements.get(
            key, lambda: _written_insert(target, number, returning=returning, ignores_known=ignores_known)
        )

    statement, by_column = of(min(len(values), 2))
    if not by_column and len(values) > 2:
        statement, _ = of(len(values))
    given: Iterable[Any] = map(list, zip(*values, strict=True)) if by_column else chain(*values)
    return statement, given


def _prepared_values(target: _Target, row: Model, *, is_new: bool) -> list[Any]:
    database = connections[DEFAULT_DB_ALIAS]
    return [
        # To ask its field takes half of all that many rows cost.
        value
        if is_text and type(value := getattr(row, name)) is str
        else field.get_db_prep_save(field.pre_save(row, is_new), database)
        for field, name, is_text in zip(target.fields, target.names, target.is_text, strict=True)
    ]


@lru_cache
def _fields(model: type[Model]) -> dict[str, Field[Any, Any]]:
    return {field.name: field for field in model._meta.concrete_fields}


def _written_insert(
    target: _Target, number: int, *, returning: bool, ignores_known: bool
) -> tuple[Statement, bool]:
    """Return the statement, and whether it takes a list for each column, as on PostgreSQL for many rows."""
    query = InsertQuery(target.model, on_conflict=OnConflict.IGNORE if ignores_known else None)
    query.insert_values(target.fields, [target.model()] * number, raw=True)  # whatever their values are
    compiler: Any = query.get_compiler(connection=connection)
    compiler.returning_fields = [target.model._meta.pk] if returning else None
    ((sql, parameters),) = compiler.as_sql()
    by_column = len(parameters) == len(target.fields) != len(target.fields) * number
    return _statement(sql, len(parameters)), by_column


def _written_update(row: Model, fields: Sequence[Field[Any, Any]]) -> tuple[Statement, bool]:
    query: Any = type(row)._base_manager.filter(pk=row.pk).query.chain(UpdateQuery)
    query.add_update_fields([(field, None, getattr(row, field.attname)) for field in fields])
    sql, parameters = query.get_compiler(connection=connection).as_sql()
    return _statement(sql, len(parameters)), False


def _statement(sql: str, parameters: int) -> Statement:
    is_sqlite = connection.vendor == "sqlite"
    return Statement(with_marks_of_sqlite(sql, parameters) if is_sqlite else sql, (), is_prepared=True)


def _is_stored(row: Model) -> None:
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
