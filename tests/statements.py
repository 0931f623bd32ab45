"""Statements are counted where the driver runs them: some go past Django's cursor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext


@contextmanager
def counted() -> Iterator[list[str]]:
    """Give the statements that are run meanwhile, BEGIN and savepoints included, COMMIT not."""
    found: list[str] = []
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        connection.connection.set_trace_callback(found.append)
        try:
            yield found
        finally:
            connection.connection.set_trace_callback(None)
    else:
        with CaptureQueriesContext(connection) as queries:
            yield found
        found += [query["sql"] for query in queries.captured_queries]
    found[:] = [sql for sql in found if not sql.startswith("COMMIT")]
