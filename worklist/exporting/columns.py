"""A column of an export has a name, a type, what it says, and how it is told where nobody is to be known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

# An empty text is None, and so is an empty list: what is not known has one form in every file.
Value = str | int | bool | Decimal | date | datetime | list[str] | None
Values = list[Value]


class ColumnType(Enum):
    """A value has one of these types; each reader knows all of them."""

    TEXT = "text"
    TEXTS = "texts"  # a list of them
    INTEGER = "integer"
    BOOLEAN = "boolean"  # in CSV true or false
    WEIGHT = "weight"  # kilograms, exact, two decimals
    DATE = "date"
    TIME = "time"  # of a day, as text in ISO 8601: not every reader has a type for it
    MOMENT = "moment"  # in UTC, to the microsecond
    JSON = "json"  # as text


class Disguise(Enum):
    """A pseudonymous export tells a column in one of these ways; one that says nothing is left out."""

    LEFT_OUT = "left out"
    AS_IT_IS = "as it is"
    UNLESS_NAMED = "as it is, unless a name or an ID of the row's patient stands in it"
    PARTICIPANT = "a pseudonym of the patient ID"
    KEY = "a pseudonym of the row's key"
    UID = "another UID, the same one each time"
    AGE = "the age in its place"
    SHIFTED = "the date, shifted where that is asked for"


@dataclass(frozen=True)
class Column:
    """`path` is the field as queries name it; without one it is named as the column.

    One that is disguised as a KEY has keys of rows of the table `keys_of`.
    """

    name: str
    type: ColumnType
    description: str
    disguise: Disguise = Disguise.LEFT_OUT
    path: str = ""
    keys_of: str = ""

    @property
    def field(self) -> str:
        return self.path or self.name
