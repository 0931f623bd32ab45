"""System checks that read rows speak where the tables are those of this version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register
from django.db import DEFAULT_DB_ALIAS, DatabaseError

from pylantir_site.database.faults import DatabaseFault, fault_of


def row_check(check: Callable[[], list[CheckMessage]]) -> Callable[..., list[CheckMessage]]:
    """Have a check made wherever a database is named: at `check --database default`, and at every start.

    It says nothing of a database without tables, or with those of an earlier version. `migrate` and `start`
    check before they make any, and another host may be about it at the same moment: so no look at the tables
    beforehand could tell.
    """

    @register(Tags.database)
    def judged(
        app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
    ) -> list[CheckMessage]:
        if DEFAULT_DB_ALIAS not in (databases or ()):
            return []
        try:
            return check()
        except DatabaseError as error:
            if fault_of(error) is not DatabaseFault.MISSING:
                raise
            return []

    return judged
