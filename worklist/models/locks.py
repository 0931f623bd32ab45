"""What has no row of its own is locked by its name, until the transaction ends."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection


def hold(names: Iterable[str]) -> None:
    """Wait until no other transaction holds one of the names, and hold them; needs a transaction.

    SQLite's transactions hold the whole database from their beginning. Whoever holds rows, too, locks these
    first; the names are taken in one order, so that no two wait for each other.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        # The rows of an array come in its order, and so are locked in it.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name",
            [sorted(set(names))],
        )
