"""Each column is told as it is, or in a pseudonymous export so that nobody can be known by it."""

from __future__ import annotations

import json
import random
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from worklist.exporting.columns import Column, ColumnType, Disguise, Value, Values
from worklist.exporting.pseudonyms import KeyedPseudonyms
from worklist.exporting.tables import LINKED_PATIENT_ID, LINKED_PEOPLE, ExportTable
from worklist.privacy.traces import Traces

OLDEST = 90  # years; whoever is older is told to be so old (45 CFR 164.514(b)(2)(i)(C))
AGE = Column(
    "age_years",
    ColumnType.INTEGER,
    f"Age in whole years on the day of the appointment or examination; {OLDEST}: {OLDEST} or older.",
    Disguise.AGE,
)
IN_PLACE = {
    Disguise.PARTICIPANT: "Pseudonym of the patient ID.",
    Disguise.KEY: "Pseudonym.",
    Disguise.UID: "Not the one of images, but the same for the same one.",
    Disguise.UNLESS_NAMED: "Empty where a name or ID of the patient stands in it.",
}
SHIFTED = "Shifted with all dates of its participant."
REMEMBERED = 5000  # patients of whom is known what names them: more than a batch has
Raw = Mapping[str, list[Any]]  # what was read, a list for each field


class BookedPerson(NamedTuple):
    """This is whom a row, or an item of a row's step, names."""

    patient_id: str
    patient_name: str
    birth_date: date | None


@dataclass(frozen=True)
class ToldColumn:
    """`of` makes its values from those of the fields that it needs."""

    column: Column
    needs: tuple[str, ...]
    of: Callable[[Raw], Values]


@dataclass(frozen=True)
class Telling:
    """Without pseudonyms all is told as it is; dates are shifted only in a pseudonymous export."""

    pseudonyms: KeyedPseudonyms | None = None
    shifts_dates: bool = False

    @property
    def in_words(self) -> str:
        """Return how it is told, for the audit trail."""
        if self.pseudonyms is None:
            return "with names"
        return "pseudonymous, dates shifted" if self.shifts_dates else "pseudonymous"

    def columns(self, table: ExportTable) -> tuple[Column, ...]:
        return tuple(told.column for told in self.told(table))

    def told(self, table: ExportTable) -> list[ToldColumn]:
        if self.pseudonyms is None:
            return [_whole(column) for column in table.columns]
        disguises = _Disguises(table, self.pseudonyms, shifts_dates=self.shifts_dates)
        return [disguises.of(column) for column in table.columns if column.disguise is not Disguise.LEFT_OUT]

    def order(self, keys: array[int]) -> None:
        """Put the keys into an order that tells nothing where somebody could be known by theirs."""
        if self.pseudonyms is not None:
            random.Random(self.pseudonyms.order).shuffle(keys)  # noqa: S311  (it is seeded from the key)


def _whole(column: Column) -> ToldColumn:
    write = _written_keys if column.disguise is Disguise.KEY else _WRITTEN.get(column.type, list)
    return ToldColumn(column, (column.field,), lambda raw: write(raw[column.field]))


def _written_keys(keys: list[Any]) -> Values:
    return [[str(key) for key in each] or None if isinstance(each, list) else str(each) for each in keys]


def _written_texts(texts: list[str]) -> Values:
    return [text or None for text in texts]


def _written_lists(lists: list[list[Any]]) -> Values:
    return [[_unicode(str(each)) for each in values] or None for values in lists]


def _written_times(times: list[time | None]) -> Values:
    return [None if each is None else each.isoformat() for each in times]


def _written_json(values: list[Any]) -> Values:
    return [_unicode(json.dumps(value, ensure_ascii=False)) if value else None for value in values]


# What stands for values that were read, by the column's type; an empty one is None.
_WRITTEN: dict[ColumnType, Callable[[list[Any]], Values]] = {
    ColumnType.TEXT: _written_texts,
    ColumnType.TEXTS: _written_lists,
    ColumnType.TIME: _written_times,
    ColumnType.JSON: _written_json,
}


def _unicode(text: str) -> str:
    """Return the text, with escapes for half a pair of surrogates: JSON may hold one, and UTF-8 may not."""
    return text.encode("utf-8", "backslashreplace").decode()


class _Disguises:
    def __init__(self, table: ExportTable, pseudonyms: KeyedPseudonyms, *, shifts_dates: bool) -> None:
        self._table, self._pseudonyms, self._shifts_dates = table, pseudonyms, shifts_dates
        self._namesakes = _Namesakes()

    def of(self, column: Column) -> ToldColumn:
        if column.disguise is Disguise.AGE:
            return self._age()
        if column.disguise is Disguise.KEY:
            return self._told(column, (column.field,), self._key_of(column.keys_of))
        if column.disguise is Disguise.PARTICIPANT:
            return self._told(column, (column.field,), self._pseudonyms.participant)
        if column.disguise is Disguise.UID:
            return self._told(column, (column.field,), self._pseudonyms.uid)
        if column.disguise is Disguise.UNLESS_NAMED:
            who = (self._table.patient_id, self._table.patient_name, self._table.patient_birth_date)
            linked = (LINKED_PEOPLE,) if self._table.step else ()
            return self._told(column, (column.field, *who, *linked), self._namesakes.unless_named)
        if column.disguise is Disguise.SHIFTED and self._shifts_dates:
            return self._shifted(column)
        return _whole(column)

    def _told(self, column: Column, needs: tuple[str, ...], make: Callable[..., Value]) -> ToldColumn:
        """Return the column with what `make` makes of the needed fields of each row."""
        words = " ".join(filter(None, (column.description, IN_PLACE.get(column.disguise))))
        told = replace(column, description=words)
        return ToldColumn(told, needs, lambda raw: list(map(make, *(raw[field] for field in needs))))

    def _age(self) -> ToldColumn:
        return self._told(AGE, (self._table.patient_birth_date, self._table.day), _age)

    def _key_of(self, table: str) -> Callable[[Any], Value]:
        def pseudonym(value: Any) -> Value:
            if isinstance(value, list):
                return [self._pseudonyms.key(table, key) for key in value] or None
            return self._pseudonyms.key(table, value)

        return pseudonym

    def _shifted(self, column: Column) -> ToldColumn:
        whose = (self._table.patient_id, self._table.study)
        linked = (LINKED_PATIENT_ID,) if self._table.step else ()
        told = replace(column, description=f"{column.description} {SHIFTED}")
        return self._told(told, (column.field, *linked, *whose), self._shift)

    def _shift(self, value: Any, *whose: str | None) -> Value:
        """Shift it by the days of the first that is known: who was booked, who was reported, which study."""
        known = next(filter(None, whose), "")
        return _later(value, self._pseudonyms.days(known))


def _later(value: Any, days: int) -> Value:
    """Return the day or moment so many days later; None where the calendar has no such day."""
    try:
        later: date | None = value and value + timedelta(days=days)
    except OverflowError:
        return None
    return later


def _age(born: date | None, on: date | None) -> int | None:
    if born is None or on is None or born > on:
        return None
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return min(years, OLDEST)


class _Namesakes:
    """It leaves out texts that name the patient of their row, as reported or as booked.

    What it remembers goes with the export.
    """

    def __init__(self) -> None:
        self._traces = lru_cache(REMEMBERED)(_traces)

    def unless_named(
        self, text: str, patient_id: str, name: str, born: date | None, linked: tuple[BookedPerson, ...] = ()
    ) -> str | None:
        if not text or self._traces(BookedPerson(patient_id, name, born), *linked).may_be_in(text):
            return None
        return text


def _traces(*people: BookedPerson) -> Traces:
    traces = Traces()
    for person in people:
        traces.note(ids=[person.patient_id], names=[person.patient_name], birth_dates=[person.birth_date])
    return traces
