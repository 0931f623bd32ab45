"""The databases themselves report the options that they were opened with."""

from __future__ import annotations

from pathlib import Path

import pytest

from pylantir_site.environment.databases import PREPARED_AFTER, WAITS, postgresql
from tests.site.fresh import script

ASK = """
from django.db import connection
with connection.cursor() as cursor:
    for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys"):
        cursor.execute(f"PRAGMA {name}")
        print(name, *cursor.fetchone())
print(connection.transaction_mode)
"""


@pytest.mark.slow
def test_sqlite_waits_for_locks_takes_them_at_once_and_survives_a_power_cut(tmp_path: Path) -> None:
    asked = script(tmp_path, ASK)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.splitlines() == [
        "journal_mode wal",
        "synchronous 2",
        "busy_timeout 5000",
        "foreign_keys 1",
        "IMMEDIATE",
    ]


def test_postgresql_keeps_its_connections_and_looks_whether_they_live() -> None:
    database = postgresql("postgres://ann:secret@db.example:5433/worklist")
    assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (60, True)
    assert database["OPTIONS"] == {
        "application_name": "pylantir",
        **WAITS,
        "prepare_threshold": PREPARED_AFTER,
    }
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example", 5433, "worklist")


def test_what_the_url_says_of_waits_goes_first() -> None:
    database = postgresql("postgres://ann@db.example/worklist?connect_timeout=9")
    assert database["OPTIONS"]["connect_timeout"] == 9
