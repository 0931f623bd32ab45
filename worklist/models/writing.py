"""Rows are written by statements that Django writes once: to write one costs more than to run it.

They are those of `save` and `bulk_create`, with what their fields make of the values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection
from django.db.models import CharField, Field, Model, TextField
from django.db.models.sql import InsertQuery, UpdateQuery

from worklist.models.sized_cache import SizedCache
from worklist.models.statements import Statement, with_marks_of_sqlite

CHARACTERS = 500_000  # of all statements that are remembered

_TEXT = (CharField, TextField)
_Key = tuple[Any, ...]
_statements: SizedCache[_Key, tuple[Statement, bool]] = SizedCache(
    most=CHARACTERS, size=lambda _, made: len(made[0].sql)
)


def insert(row: Model) -> None:
    """Insert a row whose key the database gives, which it has afterwards. Raises django.db.Error."""
    statement, given = _insertion([row], returning=True)
    row.pk = statement.key(*given)
    _is_stored(row)


def insert_all(rows: Sequence[Model], *, returning: bool = False) -> None:
    """Insert rows of one model by as few statements as the database lets it be.

    They learn their keys where these are wanted, for which the database must return rows of many. Needs a
    transaction where there may be more than one statement. Raises django.db.Error.
    """
    size = _most_at_once(rows)
    for some in (rows[start : start + size] for start in range(0, len(rows), size)):
        statement, given = _insertion(some, returning=returning)
        if not returning:
            statement.count(*given)
            continue
        for row, (key,) in zip(some, statement.rows(*given), strict=True):
            row.pk = key
            _is_stored(row)


def update(row: Model, names: Sequence[str]) -> None:
    """Write these fields of a row that is there. Raises django.db.Error, also where it is gone."""
    fields: list[Field[Any, Any]] = [_fields(type(row))[name] for name in names]
    values = [_prepared(field, row, is_new=False) for field in fields]
    # Django writes NULL into the statement.
    empty = tuple(value is None for value in values)
    key = (connection.vendor, type(row), tuple(names), empty)
    statement, _ = _statements.get(key, lambda: _written_update(row, fields))
    given = (value for value in values if value is not None)
    if statement.count(*given, row.pk) != 1:
        raise DatabaseError("The row to be updated is gone.")


def _most_at_once(rows: Sequence[Model]) -> int:
    """Return how many rows a statement may have, by the parameters that the database allows."""
    if not rows:
        return 1
    return max(1, connection.ops.bulk_batch_size(_inserted(type(rows[0])), rows))


def _insertion(rows: Sequence[Model], *, returning: bool) -> tuple[Statement, Iterable[Any]]:
    """Return the statement, and what it is given."""
    model = type(rows[0])
    fields = _inserted(model)
    columns = _columns(model)
    values = [
        # A text is as it is: to ask its field takes half of all that many rows cost.
        [
            value
            if is_text and type(value := getattr(row, name)) is str
            else _prepared(field, row, is_new=True)
            for field, name, is_text in columns
        ]
        for row in rows
    ]
    returning = returning and connection.features.can_return_columns_from_insert
    key = (connection.vendor, model, len(rows), returning)
    statement, by_column = _statements.get(key, lambda: _written_insert(rows, fields, returning=returning))
    given: Iterable[Any] = map(list, zip(*values, strict=True)) if by_column else chain(*values)
    return statement, given


@lru_cache
def _fields(model: type[Model]) -> dict[str, Field[Any, Any]]:
    return {field.name: field for field in model._meta.concrete_fields}


@lru_cache
def _inserted(model: type[Model]) -> list[Field[Any, Any]]:
    """Return the fields of a new row: all but the key, which the database makes."""
    return [field for field in model._meta.concrete_fields if field is not model._meta.auto_field]


@lru_cache
def _columns(model: type[Model]) -> list[tuple[Field[Any, Any], str, bool]]:
    """Return of each field of a new row its attribute, and whether a text in it is stored as it is."""
    return [(field, field.attname, type(field) in _TEXT) for field in _inserted(model)]


def _prepared(field: Field[Any, Any], row: Model, *, is_new: bool) -> Any:
    return field.get_db_prep_save(field.pre_save(row, is_new), connection)


def _written_insert(
    rows: Sequence[Model], fields: Sequence[Field[Any, Any]], *, returning: bool
) -> tuple[Statement, bool]:
    """Return the statement, and whether it takes a list for each column, as on PostgreSQL for many rows."""
    query = InsertQuery(type(rows[0]))
    query.insert_values(fields, list(rows), raw=True)
    compiler: Any = query.get_compiler(connection=connection)
    compiler.returning_fields = [rows[0]._meta.pk] if returning else None
    ((sql, parameters),) = compiler.as_sql()
    by_column = len(parameters) == len(fields) != len(fields) * len(rows)
    return _statement(sql, len(parameters)), by_column


def _written_update(row: Model, fields: Sequence[Field[Any, Any]]) -> tuple[Statement, bool]:
    query: Any = type(row)._base_manager.filter(pk=row.pk).query.chain(UpdateQuery)
    query.add_update_fields([(field, None, getattr(row, field.attname)) for field in fields])
    sql, parameters = query.get_compiler(connection=connection).as_sql()
    return _statement(sql, len(parameters)), False


def _statement(sql: str, parameters: int) -> Statement:
    is_sqlite = connection.vendor == "sqlite"
    return Statement(with_marks_of_sqlite(sql, parameters) if is_sqlite else sql, ())


def _is_stored(row: Model) -> None:
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
