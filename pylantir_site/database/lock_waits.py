"""The web server waits for a row that another has locked as long as for SQLite's lock, not for ever."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from pylantir_site.environment.databases import wait_seconds


def bound() -> None:
    """Let each connection that this process opens to PostgreSQL give up; migrations must not."""
    connection_created.connect(_bound_one, dispatch_uid="pylantir_site.database.lock_waits")


def _bound_one(connection: BaseDatabaseWrapper, **about: object) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{wait_seconds():d}s'")  # a parameter of SET cannot be bound
