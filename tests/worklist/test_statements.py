"""A statement that Django wrote once finds what the query would, on the database it was written for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper as PostgreSQL
from django.db.backends.sqlite3.base import DatabaseWrapper as SQLite

from tests.worklist.conftest import make_item
from worklist.models import Device, WorklistItem, statements
from worklist.models.connections import close_connections, gives_back_connection
from worklist.models.lookups import AsStored
from worklist.models.sized_cache import SizedCache
from worklist.models.statements import Conversion, Statement, StatementCache, write

NAMES = WorklistItem.objects.filter(patient_name__wild_card="DOE*")


def other_database() -> Any:
    """Return a connection, which is never opened, to the database that the tests do not run on."""
    other = PostgreSQL if connection.vendor == "sqlite" else SQLite
    return other({**connections.settings["default"], "ENGINE": "", "OPTIONS": {}}, "default")


@pytest.mark.django_db
class TestWriting:
    def test_its_last_parameters_are_given_when_it_is_run(self) -> None:
        items = [make_item(number, modality="MR" if number < 3 else "CT") for number in (1, 2, 3)]
        WorklistItem.objects.bulk_create(items)
        query = WorklistItem.objects.filter(modality="MR").filter(patient_id__in=["", "-"])
        found = write(query.order_by("pk").values_list("patient_id"), given=["", "-"])
        assert found.rows("P1", "P2") == [("P1",), ("P2",)]
        assert found.rows("P2", "P3") == [("P2",)]

    def test_one_whose_last_parameters_are_others_is_refused(self) -> None:
        query = WorklistItem.objects.filter(patient_id__in=["P1"]).filter(modality="MR")
        with pytest.raises(LookupError, match="last parameters"):
            write(query.values_list("pk"), given=["P1"])

    def test_where_nothing_can_match_the_database_is_not_asked(
        self, django_assert_num_queries: Callable[[int], Any]
    ) -> None:
        with django_assert_num_queries(0):
            assert write(WorklistItem.objects.filter(pk__in=[]).values_list("pk")).rows() == []

    def test_values_are_converted_as_django_does(self) -> None:
        Device(ae_title="MR1", offered_statuses=["SCHEDULED"], days_back=3).save_as("test")
        names = [field.name for field in Device._meta.concrete_fields]
        (raw,) = write(Device.objects.values_list(*names)).rows()
        assert Conversion(Device, names).values(raw) == list(Device.objects.values_list(*names).get())

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL lets no such value in.")
    def test_a_column_as_stored_is_not_converted_while_it_is_fetched(self) -> None:
        WorklistItem.objects.bulk_create([make_item()])
        with connection.cursor() as cursor:
            cursor.execute("UPDATE worklist_worklistitem SET scheduled_start_date = '2026-99-99'")
        query = WorklistItem.objects.values_list(AsStored("scheduled_start_date"))
        (raw,) = write(query).rows()
        assert raw == ("2026-99-99",)
        with pytest.raises(ValueError):
            Conversion(WorklistItem, ["scheduled_start_date"]).values(raw)


class TestRemembering:
    def test_each_database_has_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        remembered = StatementCache(most=100_000)
        first = remembered.get("names", lambda: write(NAMES))
        with monkeypatch.context() as patch:
            patch.setattr(statements, "connection", other_database())
            second = remembered.get("names", lambda: write(NAMES))
        by_operator = {"sqlite": " GLOB ", "postgresql": " LIKE "}
        assert by_operator[connection.vendor] in first.sql
        assert by_operator[connection.vendor] not in second.sql
        assert remembered.get("names", lambda: write(NAMES)) is first

    def test_what_cannot_be_hashed_is_written_each_time(self) -> None:
        remembered = StatementCache(most=100_000)
        found = [remembered.get(["a"], lambda: Statement("a", ())) for _ in range(2)]
        assert found[0] is not found[1]

    def test_one_that_finds_nothing_takes_its_place_too(self) -> None:
        remembered = StatementCache(most=5000)
        first = remembered.get(0, lambda: Statement("", ()))
        for number in range(1, 100):
            remembered.get(number, lambda: Statement("", ()))
        assert remembered.get(0, lambda: Statement("", (1,))) is not first


def test_a_cache_keeps_what_was_used_last_up_to_its_size() -> None:
    remembered: SizedCache[str, str] = SizedCache(most=24, size=lambda key, made: len(made))
    made: list[str] = []

    def make(text: str) -> str:
        made.append(text)
        return text * 3

    for text in ("a", "b", "c", "d", "e", "f", "g", "h", "a", "i", "a", "b", "long", "long", "a"):
        assert remembered.get(text, partial(make, text)) == text * 3
    assert "".join(made) == "abcdefghiblonglong"


class TestConnections:
    def test_a_thread_keeps_that_of_sqlite_and_gives_back_that_of_postgresql(
        self, transactional_db: None
    ) -> None:
        ask = gives_back_connection(lambda: write(WorklistItem.objects.values_list("pk")).rows())
        seen: list[object] = []

        def serve() -> None:
            for _ in range(2):
                ask()
                seen.append(connection.connection)
            close_connections()
            seen.append(connection.connection)

        thread = threading.Thread(target=serve)
        thread.start()
        thread.join()
        first, second, closed = seen
        assert closed is None
        assert first is second
        assert (first is not None) == (connection.vendor == "sqlite")

    @pytest.mark.django_db
    def test_a_transaction_keeps_its_connection(self) -> None:
        ask = gives_back_connection(lambda: write(WorklistItem.objects.values_list("pk")).rows())
        ask()
        close_connections()
        assert connection.connection is not None
