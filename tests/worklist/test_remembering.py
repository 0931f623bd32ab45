"""What is remembered outlives nothing that it was made of: a change counts at the next query."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from threading import BoundedSemaphore
from typing import Any

import pytest
from django.db import OperationalError, connection

from tests.worklist.conftest import make_item
from worklist.answering import compiled, requests, rows, selecting
from worklist.answering.compiled import FindRequest
from worklist.answering.remembered import RowCache
from worklist.answering.search import search
from worklist.answering.statuses import TooManyMatches
from worklist.devices import access, offers, stored
from worklist.devices.access import AssociationRequest
from worklist.devices.offers import DeviceUnusable, Selection
from worklist.dicom import datasets
from worklist.dicom.conditions import Text
from worklist.dicom.output_rules import OutputRules
from worklist.models import Device, WorklistItem

pytestmark = pytest.mark.django_db

MATCHING = requests.query_of_keys({"Modality": "MR"})
CountQueries = Callable[[int], Any]


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the rows and answers of other tests: their items have the same keys."""
    monkeypatch.setattr(rows, "_rows", RowCache(most=100))
    monkeypatch.setattr(compiled, "_answers", RowCache(most=100))


@contextmanager
def counted(number: int, by_django: CountQueries) -> Iterator[None]:
    """Hold that so many statements read; SQLite's own count has those that go past Django's cursor."""
    if connection.vendor != "sqlite":
        with by_django(number):
            yield
        return
    seen: list[str] = []
    connection.ensure_connection()
    connection.connection.set_trace_callback(seen.append)
    try:
        yield
    finally:
        connection.connection.set_trace_callback(None)
    assert len([each for each in seen if each.startswith("SELECT")]) == number, seen


def device(**rules: Any) -> Device:
    made = Device(**{"ae_title": "MR1", **rules})
    made.save_as("test")
    return made


def saved(number: int = 1, **values: Any) -> WorklistItem:
    made: WorklistItem = make_item(number, **values)
    made.save_as("test")
    return made


def answered(ae_title: str = "MR1") -> list[int]:
    return [answer.pk for answer in search(MATCHING, ae_title).answers()]


def identifiers(ae_title: str = "MR1") -> list[bytes]:
    return [answer.identifier for answer in search(MATCHING, ae_title).answers()]


def is_refused(ae_title: str = "MR1", address: str = "127.0.0.1") -> bool:
    request = AssociationRequest(ae_title, "MWL_SERVER", address, established=0)
    return access.refusal(request, own_ae_title="MWL_SERVER") is not None


class TestItems:
    def test_a_value_that_changed_is_in_the_next_answer(self) -> None:
        item = saved(patient_id="BEFORE", patient_weight_kg=Decimal(70))
        assert b"BEFORE" in identifiers()[0]
        WorklistItem.objects.filter(pk=item.pk).update(patient_id="AFTER")
        assert b"AFTER" in identifiers()[0]
        WorklistItem.objects.filter(pk=item.pk).update(patient_id="BEFORE")
        assert b"BEFORE" in identifiers()[0]

    def test_one_that_comes_matches_no_longer_or_goes_is_noticed(self) -> None:
        first, second = saved(1), saved(2)
        assert answered() == [first.pk, second.pk]
        third = saved(3)
        WorklistItem.objects.filter(pk=first.pk).update(modality="CT")
        assert answered() == [second.pk, third.pk]
        second.delete()
        assert answered() == [third.pk]

    def test_they_are_read_once_each_time_and_what_was_read_is_what_is_sent(
        self, django_assert_num_queries: CountQueries
    ) -> None:
        device()
        saved(1)
        for _ in range(2):
            with counted(2, django_assert_num_queries):  # the device, the items
                assert len(answered()) == 1

    @pytest.mark.parametrize("ae_title", ["MR1", "MR2"])
    def test_each_device_has_its_own_answers_of_one_row(self, ae_title: str) -> None:
        saved(scheduled_station_aetitle="")
        assert ae_title.encode() in identifiers(ae_title)[0]
        assert answered("MR1") == answered("MR2")


def test_who_gets_no_turn_to_read_is_told_that_the_database_is_not_available(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved()
    monkeypatch.setattr(rows, "LONGEST_WAIT", 0.01)
    monkeypatch.setattr(rows, "_reading", BoundedSemaphore(1))
    with rows._turn(), pytest.raises(OperationalError):
        answered()
    assert len(answered()) == 1


class TestUnreadableRows:
    @pytest.fixture
    def three(self) -> list[WorklistItem]:
        made = [saved(number) for number in (1, 2, 3)]
        self.write(made[0], "extra_attributes", '["x"]')
        return made

    def write(self, item: WorklistItem, column: str, value: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE worklist_worklistitem SET {column} = %s WHERE id = %s", [value, item.pk])

    def test_one_is_told_of_each_time_and_answered_once_it_is_mended(
        self, three: list[WorklistItem], caplog: pytest.LogCaptureFixture
    ) -> None:
        assert answered() == answered() == [three[1].pk, three[2].pk]
        assert [f"Item {three[0].pk} is left out" in message for message in caplog.messages] == [True, True]
        self.write(three[0], "extra_attributes", "{}")
        assert answered() == [item.pk for item in three]

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL lets no such value in.")
    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("scheduled_start_date", "2026-99-99"),
            ("scheduled_start_date", "soon"),
            ("scheduled_start_time", "teatime"),
            ("patient_birth_date", "1990-13-01"),
        ],
    )
    def test_one_loses_no_other_is_counted_and_takes_no_ones_place(
        self,
        three: list[WorklistItem],
        column: str,
        value: str,
        caplog: pytest.LogCaptureFixture,
        django_assert_num_queries: CountQueries,
    ) -> None:
        device(maximum_answers=2)
        self.write(three[0], "extra_attributes", "{}")
        self.write(three[0], column, value)
        with counted(2, django_assert_num_queries):
            found = search(MATCHING, "MR1")
            assert {answer.pk for answer in found.answers()} == {three[1].pk, three[2].pk}
        assert found.left_out == found.found.skipped == 1
        assert f"Item {three[0].pk} is left out" in caplog.text
        assert value not in caplog.text


class TestDevices:
    def test_one_that_is_disabled_between_two_requests_is_refused(self) -> None:
        device()
        assert not is_refused()
        Device.objects.filter(ae_title="MR1").update(enabled=False)
        assert is_refused()
        Device.objects.filter(ae_title="MR1").update(enabled=True)
        assert not is_refused()

    def test_with_the_first_device_a_computer_of_its_own_is_no_longer_let_in(self) -> None:
        assert not is_refused()
        made = device(ae_title="CT1")
        assert is_refused()
        made.delete()
        assert not is_refused()

    def test_its_own_row_goes_before_that_of_all_as_soon_as_there_is_one(self) -> None:
        device(ae_title="*", addresses="10.0.0.5")
        assert is_refused()
        own = device()
        assert not is_refused()
        own.delete()
        assert is_refused()

    def test_one_that_takes_anothers_key_is_itself(self) -> None:
        first = device()
        assert not is_refused()
        pk = first.pk
        first.delete()
        device(pk=pk, enabled=False)
        assert is_refused()

    def test_a_rule_that_changed_counts_at_the_next_query(self) -> None:
        item = saved(scheduled_station_aetitle="MR2", station_name="")
        device()
        assert answered() == [item.pk]
        Device.objects.update(station_filter="OWN")
        assert answered() == []
        Device.objects.update(station_ae_titles="MR2", station_name="ROOM 1")
        assert b"ROOM 1" in identifiers()[0]

    def test_a_row_that_nobody_can_use_is_told_each_time_until_it_is_mended(self) -> None:
        device()
        Device.objects.update(time_zone="Nowhere")
        for _ in range(2):
            with pytest.raises(DeviceUnusable):
                answered()
        Device.objects.update(time_zone="")
        assert answered() == []

    def test_the_day_is_todays_each_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        device(days_back=0, days_ahead=0)
        item = saved(scheduled_start_date=date(2026, 1, 10))
        for day, expected in ((9, []), (10, [item.pk]), (11, [])):
            monkeypatch.setattr(offers, "today_at", lambda device, day=day: date(2026, 1, day))
            assert answered() == expected

    def test_settings_count_at_the_next_query(self, settings: Any) -> None:
        first, second = saved(1), saved(2)
        device()
        assert answered() == [first.pk, second.pk]
        settings.MWL_MAXIMUM_ANSWERS = 1
        assert answered() == [first.pk]
        settings.MWL_OVER_MAXIMUM = "refuse"
        with pytest.raises(TooManyMatches):
            answered()

    def test_it_is_as_django_reads_it(self) -> None:
        device(offered_statuses=["SCHEDULED"], days_back=3, addresses="10.0.0.5", enabled=False)
        row = stored.row_of("MR1")
        assert row is not None
        found, expected = stored.device_from(row), Device.objects.of("MR1")
        for name in stored.COLUMNS:
            assert getattr(found, name) == getattr(expected, name), name
        assert stored.device_from(tuple(row)) is found


class TestSelections:
    def test_one_is_written_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        item = saved()
        assert answered() == [item.pk]
        monkeypatch.setattr(selecting, "write", None)
        assert answered() == [item.pk]

    def test_one_that_cannot_be_hashed_finds_all_the_same(self) -> None:
        items = [saved(number, patient_id=f"P{number}") for number in (1, 2, 3)]
        values: Any = ["P1", "P3"]
        selection = Selection((Text("patient_id", values),), ("SCHEDULED",))
        with pytest.raises(TypeError):
            hash(selection)
        for _ in range(2):
            assert [row.pk for row in rows.find(selection).rows()] == [items[0].pk, items[2].pk]

    @pytest.mark.parametrize("selection", [Selection((), ()), Selection((offers.NOTHING,), ("SCHEDULED",))])
    def test_one_that_nothing_can_meet_finds_nothing(self, selection: Selection) -> None:
        item = saved()
        assert list(rows.find(selection).rows()) == []
        assert selecting.keys(selection) == []
        assert selecting.rows_of(selection, [item.pk]) == []

    def test_items_read_by_key_are_those_that_still_match(self) -> None:
        items = [saved(number) for number in (1, 2, 3)]
        selection = Selection((Text("modality", ("MR",)),), ("SCHEDULED",))
        WorklistItem.objects.filter(pk=items[1].pk).update(modality="CT")
        pks = [item.pk for item in items]
        for some in (pks, pks[2:], pks[:1]):
            found = [raw[rows.PK] for raw in selecting.rows_of(selection, some)]
            assert found == [pk for pk in some if pk != items[1].pk]

    def test_a_row_by_its_key_is_the_item_or_nothing(self) -> None:
        item = saved(patient_weight_kg=Decimal("70.25"), extra_attributes={"PatientSize": 1.8})
        row = rows.read_one(item.pk)
        assert row is not None
        expected = WorklistItem.objects.values(*selecting.COLUMNS).get(pk=item.pk)
        assert row.record == expected
        item.delete()
        assert rows.read_one(row.pk) is None


class TestQueries:
    @pytest.mark.parametrize("deflated", [False, True])
    def test_one_is_compiled_once_and_its_size_is_that_of_its_plain_identifier(self, deflated: bool) -> None:
        plain = MATCHING.identifier
        identifier = datasets.deflate(plain) if deflated else plain
        request = FindRequest(identifier, MATCHING.implicit_vr, deflated)
        query = compiled.compile_query(request, OutputRules())
        assert query.length == len(plain)
        assert (
            compiled.compile_query(FindRequest(identifier, MATCHING.implicit_vr, deflated), OutputRules())
            is query
        )
        assert compiled.compile_query(request, OutputRules(station_name="ROOM 1")) is not query

    def test_its_answers_do_not_keep_it(self) -> None:
        row = rows.read_one(saved().pk)
        assert row is not None
        query = compiled._compile(MATCHING, OutputRules())
        assert query.answer(row) is query.answer(row)
        gone = weakref.ref(query)
        del query
        gc.collect()
        assert gone() is None

    def test_one_longer_than_any_scanners_is_compiled_each_time(self) -> None:
        long = requests.query_of_keys({"PatientID": "\\".join(f"P{number:015}" for number in range(1100))})
        assert len(long.identifier) > compiled.LONGEST_REMEMBERED
        for request in (
            long,
            FindRequest(datasets.deflate(long.identifier), long.implicit_vr, deflated=True),
        ):
            found = [compiled.compile_query(request, OutputRules()) for _ in range(2)]
            assert found[0] is not found[1]


def test_answers_are_remembered_up_to_their_size() -> None:
    remembered: RowCache[str, bytes] = RowCache(most=10, size=len)
    made: list[str] = []

    def make(row: str) -> bytes:
        made.append(row)
        return row.encode()

    for row in ("aaaa", "bbbb", "cccc", "bbbb", "cccc", "aaaa", "too long for it", "cccc"):
        assert remembered.get(row[0], row, make) == row.encode()
    assert made == ["aaaa", "bbbb", "cccc", "aaaa", "too long for it", "cccc"]
