"""What a report writes on PostgreSQL is planned once, and goes with what is asked next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.worklist.conftest import make_item
from tests.worklist.performed_steps import begun, completed, new_uid, series
from worklist.examinations import performing
from worklist.examinations.performing import Sender
from worklist.models import Device, ItemSearchWord, PerformedStep, WorklistItem, prepared, writing
from worklist.models.prepared import together
from worklist.models.sized_cache import SizedCache
from worklist.models.statements import Statement, write

MR1 = Sender("MR1", "127.0.0.1")
MOST_ROUND_TRIPS = 6  # of a message, without COMMIT

pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no round trips.")


@pytest.fixture
def item() -> WorklistItem:
    Device(ae_title="MR1").save_as("test")
    made: WorklistItem = make_item(1)
    made.save()
    return made


@contextmanager
def round_trips(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """Give what is sent meanwhile past Django's cursor, each time as a list of statements."""
    sent: list[list[str]] = []
    run_all: Any = prepared._run_all

    def counted(current: Any, statements: Any) -> Any:
        sent.append([each.sql for each in statements])
        return run_all(current, statements)

    with monkeypatch.context() as patched:
        patched.setattr(prepared, "_run_all", counted)
        yield sent


def set_modality(of: WorklistItem, modality: str) -> None:
    of.modality = modality
    writing.update(of, ["modality"])


def modalities() -> Statement:
    return write(WorklistItem.objects.order_by("pk").values_list("modality"), is_prepared=True)


@on_postgresql
@pytest.mark.acceptance("WR39")
def test_a_message_takes_few_round_trips(item: WorklistItem, monkeypatch: pytest.MonkeyPatch) -> None:
    uid = new_uid()
    with round_trips(monkeypatch) as beginning:
        performing.begin(uid, begun(item), sender=MR1)
    with round_trips(monkeypatch) as end:
        performing.update(uid, completed(series(1), series(2)), sender=MR1)

    assert len(beginning) <= MOST_ROUND_TRIPS < sum(map(len, beginning))
    assert len(end) <= MOST_ROUND_TRIPS < sum(map(len, end))
    step = PerformedStep.objects.get()
    assert (step.history.count(), step.series.count(), item.history.count()) == (2, 2, 3)


@on_postgresql
@pytest.mark.acceptance("WR39")
def test_what_is_run_again_and_again_is_prepared(item: WorklistItem) -> None:
    asked = modalities()
    for _ in range(connection.settings_dict["OPTIONS"]["prepare_threshold"] + 1):
        assert asked.rows() == [(item.modality,)]

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement = %s", [asked.sql])
        assert cursor.fetchone() == (1,)


@on_postgresql
@pytest.mark.acceptance("WR39")
def test_nothing_is_prepared_or_put_off_where_the_site_says_so(
    item: WorklistItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "prepare_threshold", None)
    with round_trips(monkeypatch) as sent, transaction.atomic(), together():
        set_modality(item, "CT")
        assert modalities().rows() == [("CT",)]

    assert sent == []


@pytest.mark.acceptance("WR40")
def test_what_waits_goes_before_what_is_asked_whoever_asks(item: WorklistItem) -> None:
    asked = modalities()
    with transaction.atomic(), together():
        set_modality(item, "CT")
        assert asked.rows() == [("CT",)]
        set_modality(item, "PT")
        assert WorklistItem.objects.get().modality == "PT"
        set_modality(item, "US")
        set_modality(item, "XA")
        with transaction.atomic():  # a savepoint
            set_modality(item, "NM")
        set_modality(item, "OT")
        assert asked.rows() == [("OT",)]
        set_modality(item, "MR")

    assert asked.rows() == [("MR",)]


@pytest.mark.acceptance("WR40")
def test_one_within_another_is_the_same(item: WorklistItem) -> None:
    with transaction.atomic(), together():
        set_modality(item, "CT")
        with together():
            set_modality(item, "PT")

    assert modalities().rows() == [("PT",)]


@pytest.mark.acceptance("WR40")
@pytest.mark.parametrize("is_asked", [False, True])
def test_an_error_of_what_waits_undoes_the_transaction(item: WorklistItem, is_asked: bool) -> None:
    """Hold that it is raised within the transaction, be it by the next statement or at the end."""
    before, asked = item.modality, modalities()
    twice = PerformedStep(sop_instance_uid="1.2.3")
    with pytest.raises(IntegrityError), transaction.atomic(), together():
        set_modality(item, "CT")
        writing.insert_all([twice])
        writing.insert_all([twice])
        if is_asked:
            asked.rows()

    assert asked.rows() == [(before,)]
    assert not PerformedStep.objects.exists()
    set_modality(item, "PT")  # the connection is as good as before
    assert asked.rows() == [("PT",)]


@pytest.mark.acceptance("WR40")
def test_a_row_that_is_gone_undoes_the_transaction(item: WorklistItem) -> None:
    gone = WorklistItem.objects.get()
    gone.pk += 1
    with pytest.raises(DatabaseError, match="gone"), transaction.atomic(), together():
        set_modality(item, "CT")
        set_modality(gone, "CT")

    assert modalities().rows() != [("CT",)]


@pytest.mark.acceptance("WR40")
def test_what_waits_is_dropped_where_something_else_fails(item: WorklistItem) -> None:
    with pytest.raises(LookupError), transaction.atomic(), together():
        set_modality(item, "CT")
        raise LookupError

    assert modalities().rows() != [("CT",)]


@on_postgresql
def test_whoever_watches_django_sees_all(item: WorklistItem) -> None:
    with CaptureQueriesContext(connection) as queries, transaction.atomic(), together():
        set_modality(item, "CT")
        modalities().rows()

    told = [query["sql"].partition(" ")[0] for query in queries.captured_queries]
    assert told == ["BEGIN", "UPDATE", "SELECT", "COMMIT"]


@pytest.mark.acceptance("WR44")
def test_whatever_their_number_rows_need_few_statements(
    item: WorklistItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, write_insert = list[int](), writing._written_insert

    def noted(target: Any, number: int, **how: bool) -> Any:
        written.append(number)
        return write_insert(target, number, **how)

    monkeypatch.setattr(writing, "_written_insert", noted)
    monkeypatch.setattr(writing, "_statements", SizedCache(most=10**9, size=lambda *_: 1))
    wanted = [(item.pk, f"word{number}") for number in range(1200)]
    item.search_words.all().delete()
    for number in range(0, 300, 7):
        with transaction.atomic():
            writing.insert_values(ItemSearchWord, ("owner_id", "word"), wanted[:number])
            assert list(item.search_words.order_by("word").values_list("owner_id", "word")) == sorted(
                wanted[:number]
            )
            item.search_words.all().delete()

    multiples = {number for number in written if number > writing.FEW}
    assert all(number % writing.FEW == 0 for number in multiples)
    assert len(written) == len({*written}) <= writing.FEW + 300 // writing.FEW


@pytest.mark.acceptance("WR41")
def test_rows_that_are_known_are_left_out(item: WorklistItem) -> None:
    known = list(item.search_words.values_list("owner_id", "word"))
    more = [(item.pk, f"word{number}") for number in range(1200)]  # more than SQLite takes at once
    with transaction.atomic():
        writing.insert_values(ItemSearchWord, ("owner_id", "word"), [*known, *more], ignores_known=True)
        writing.insert_values(ItemSearchWord, ("owner_id", "word"), [], ignores_known=True)

    assert set(item.search_words.values_list("owner_id", "word")) == {*known, *more}
    with pytest.raises(IntegrityError), transaction.atomic():
        writing.insert_values(ItemSearchWord, ("owner_id", "word"), more[:2])
