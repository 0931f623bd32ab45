"""Accounts live in the database that USERS_DB_PATH names, where it names one."""

from __future__ import annotations

from typing import Any

USERS = "users"
# The admin log and permissions point at users and at content types, so they move together.
USERS_APPS = frozenset({"accounts", "admin", "auth", "contenttypes", "sessions"})


class UsersRouter:
    """Accounts, sessions and the admin log are in the database `users`, all else in `default`."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return USERS if model._meta.app_label in USERS_APPS else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == USERS) == (app_label in USERS_APPS)
