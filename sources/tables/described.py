"""A table's columns are described by what stands in them, so that a mapping can be suggested.

A table's own dictionary knows texts alone: a mapping must not become wrong because of one odd cell. This
description is made anew for each suggestion and kept nowhere, for the values of a column are participants'.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from sources.dictionary import Dictionary, Field
from sources.mapping import targets
from sources.mapping.codes import codes_by_label
from sources.tables.reading import Table

MOST_CHOICES = 12  # different values of a column that may be a list of codes
_KINDS = (
    ("date_ymd", re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)),
    ("datetime_ymd", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?", re.ASCII)),
    ("time", re.compile(r"\d{1,2}:\d\d(:\d\d)?", re.ASCII)),
    ("number", re.compile(r"\d+([.]\d+)?", re.ASCII)),
)
_LETTERS, _WORDS = ("M", "F", "O"), ("male", "female", "other")


def described(table: Table) -> Dictionary:
    """Return the table's dictionary with what its values show: dates, times, numbers, and codes."""
    fields = {
        name: _described(field, _values(table, name)) for name, field in table.dictionary.fields.items()
    }
    return replace(table.dictionary, fields=fields)


def _values(table: Table, name: str) -> set[str]:
    return {value for row in table.rows if name not in row.unusable and (value := row.values.get(name, ""))}


def _described(field: Field, values: set[str]) -> Field:
    for validation, pattern in _KINDS:
        if values and all(map(pattern.fullmatch, values)):
            return replace(field, validation=validation)
    choices = _sexes(values) or _statuses(values)
    return replace(field, type="radio", choices=choices) if choices else field


def _sexes(values: set[str]) -> Mapping[str, str]:
    """Return the values and those that may come yet, where each is a sex; else nothing."""
    if not values or len(values) > MOST_CHOICES:
        return {}
    if {value.upper() for value in values} <= set(_LETTERS):
        return _same([*_LETTERS, *sorted(values)])
    if {value.lower() for value in values} <= set(_WORDS):
        written = str.lower if all(map(str.islower, values)) else str.capitalize
        return _same([*map(written, _WORDS), *sorted(values)])
    table, _ = codes_by_label(targets.SEX, _same(values))
    return _same(sorted(values)) if table.keys() == values else {}


def _statuses(values: set[str]) -> Mapping[str, str]:
    """Return the values where each says whether an appointment is wanted, else nothing."""
    if not values or len(values) > MOST_CHOICES:
        return {}
    table, _ = codes_by_label(targets.STATUS, _same(values))
    return _same(sorted(values)) if table.keys() == values else {}


def _same(values: Iterable[str]) -> dict[str, str]:
    return {value: value for value in values}
