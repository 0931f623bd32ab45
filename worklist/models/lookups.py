"""These field lookups and transforms are what Django lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Transform
from django.db.models.lookups import Lookup
from django.db.models.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    TextLookup = Lookup[str]
else:
    TextLookup = Lookup

Sql = tuple[str, tuple[str | int, ...]]

_TO_LIKE = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_", "*": "%", "?": "_"})
_TO_GLOB = str.maketrans({"[": "[[]"})


class WildCard(TextLookup):
    """This lookup matches DICOM's wild cards `*` and `?` to whole values, with case (PS3.4 C.2.2.2.4).

    GLOB and LIKE are the operators whose fixed beginning SQLite and PostgreSQL look up in an index.
    """

    lookup_name = "wild_card"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Sql:
        return self._operate("LIKE", self.rhs.translate(_TO_LIKE), compiler, connection)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_context: Any) -> Sql:
        return self._operate("GLOB", self.rhs.translate(_TO_GLOB), compiler, connection)

    def _operate(
        self, operator: str, pattern: str, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> Sql:
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} {operator} %s", (*parameters, pattern)


class AsStored(Transform):
    """This transform gives a column's value as the database has it.

    SQLite's driver converts what is declared a date while it fetches, and one value that is none would lose
    all rows; it leaves alone what is no longer the column itself. PostgreSQL lets no such value in.
    """

    template = "%(expressions)s"

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_context: Any) -> Sql:
        return self.as_sql(compiler, connection, template="+%(expressions)s")


class Unindexed(AsStored):
    """This transform keeps the field from SQLite's choice of an index.

    SQLite thinks a field equal to one of a few values more selective than the beginning of a text
    (https://www.sqlite.org/optoverview.html, 4).
    """

    lookup_name = "unindexed"
