"""run_mwl's processes share a pool on PostgreSQL."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import connection

from tests.site.fresh import script

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

THREADS = """
import threading
from django.db import connection, connections
from pylantir_site.environment.databases import prepare_for_threads
with connection.cursor() as cursor:
    cursor.execute("SELECT 1")  # a connection from before, which prepare_for_threads closes
prepare_for_threads(most=3)
seen, failed = set(), []
def ask():
    try:
        with connection.cursor() as cursor:
            cursor.execute(SQL)
            seen.add(cursor.fetchone()[0])
    except Exception as error:
        failed.append(error)
    finally:
        connections.close_all()
threads = [threading.Thread(target=ask) for _ in range(30)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(failed), len(seen) <= 3, bool(getattr(connection, "pool", None)))
if getattr(connection, "pool", None): connection.close_pool()
"""


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the pool is PostgreSQL's")
def test_threads_share_a_few_connections_on_postgresql(tmp_path: Path) -> None:
    result = script(
        tmp_path, f"SQL = 'SELECT pg_backend_pid()'\n{THREADS}", DATABASE_URL=os.environ["DATABASE_URL"]
    )

    assert result.stdout == "0 True True\n", result.stderr


def test_on_sqlite_nothing_changes(tmp_path: Path) -> None:
    result = script(tmp_path, f"SQL = 'SELECT 1'\n{THREADS}")

    assert result.stdout == "0 True False\n", result.stderr
