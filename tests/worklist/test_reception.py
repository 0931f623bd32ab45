"""Threads, places and what is told of refusals are bounded, and nothing is lost of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from queue import Queue
from typing import Any

import pytest

from tests.conftest import wait_until
from worklist.scp import records, refusals, workers
from worklist.scp.places import Places
from worklist.scp.refusals import MOST_OF_AN_ADDRESS, TOLD_EACH, Refusals, Refused
from worklist.scp.workers import Workers


class TestWorkers:
    def test_a_free_thread_is_used_again_and_several_at_once_when_none_is(self) -> None:
        pool, names, both = Workers(), Queue[Any](), threading.Barrier(3)

        def job() -> None:
            names.put(threading.get_ident())

        def meet() -> None:
            both.wait(10)
            job()

        pool.do(job)
        first = names.get(timeout=10)
        wait_until(lambda: pool._free)
        pool.do(job)
        assert names.get(timeout=10) == first
        for _ in range(2):
            pool.do(meet)
        both.wait(10)
        assert names.get(timeout=10) != names.get(timeout=10)

    def test_a_job_that_fails_costs_nobody_else_and_its_text_is_not_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        done, name = threading.Event(), "SECRET" + "NAME"

        def fail() -> None:
            raise ValueError(name)

        pool = Workers()
        pool.do(fail)
        pool.do(done.set)
        assert done.wait(10)
        wait_until(lambda: "ValueError" in caplog.text)
        assert "SECRETNAME" not in caplog.text

    def test_a_thread_without_work_ends_and_no_job_is_lost_on_the_way(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workers, "KEPT", 0.0)
        pool, done = Workers(), Queue[int]()
        for number in range(300):
            pool.do(lambda number=number: done.put(number))  # type: ignore[misc]
        assert {done.get(timeout=10) for _ in range(300)} == set(range(300))
        wait_until(lambda: not pool._free)


@dataclass(frozen=True)
class Caller:
    number: int
    address: str


class TestPlaces:
    def test_there_are_so_many_counted_by_address_and_left_once(self) -> None:
        places: Places[Caller] = Places(3)
        callers = [Caller(number, f"10.0.0.{number % 2}") for number in range(4)]
        assert [places.take(caller) for caller in callers] == [True, True, True, False]
        assert (places.taken, places.taken_from("10.0.0.0"), places.taken_from("10.0.0.9")) == (3, 2, 0)
        places.leave(callers[0])
        places.leave(callers[0])
        places.leave(callers[3])
        assert (places.taken, places.taken_from("10.0.0.0")) == (2, 1)
        assert places.take(callers[3])

    def test_who_has_not_left_in_time_is_named(self) -> None:
        places: Places[Caller] = Places(3)
        assert places.wait_until_empty(10) == []
        places.take(Caller(1, ""))
        assert places.wait_until_empty(0.01) == [Caller(1, "")]


class TestRefusals:
    @pytest.fixture
    def rows(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        told: list[str] = []
        monkeypatch.setattr(records, "put", lambda kind, **row: told.append(row["comment"]))
        return told

    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        now = [0.0]
        monkeypatch.setattr("worklist.scp.refusals.monotonic", lambda: now[0])
        return now

    @pytest.mark.acceptance("D158")
    def test_the_same_is_told_a_few_times_then_by_number_and_then_again(
        self, rows: list[str], clock: list[float], caplog: pytest.LogCaptureFixture
    ) -> None:
        told, stranger = Refusals(), Refused("10.0.0.9", "MR9", "MWL", "no device")
        for _ in range(1000):
            told.tell(stranger, "refused MR9")
        told.sweep()
        assert rows == ["no device"] * TOLD_EACH == ["no device"] * caplog.messages.count("refused MR9")
        clock[0] = refusals.WINDOW + 1
        told.sweep()
        assert rows[TOLD_EACH:] == [f"{1000 - TOLD_EACH} more times: no device"]
        assert caplog.messages[TOLD_EACH:] == [f"Refused 10.0.0.9: {rows[-1]}."]
        told.tell(stranger, "refused MR9")
        assert rows[-1] == "no device"

    def test_an_address_is_told_of_in_so_many_ways_and_hides_no_other(self, rows: list[str]) -> None:
        told = Refusals()
        for number in range(500):
            told.tell(Refused("10.0.0.9", f"MR{number}", "MWL", f"no device {number}"), "refused")
        told.tell(Refused("10.0.0.8", "MR1", "MWL", "disabled"), "refused")
        assert len(rows) == MOST_OF_AN_ADDRESS + TOLD_EACH + 1
        assert rows[-1] == "disabled"
        told.sweep(all_of_them=True)
        left = 500 - MOST_OF_AN_ADDRESS - TOLD_EACH
        assert rows[-1] == f"{left} more times: {refusals.OTHERS}"

    def test_many_addresses_are_told_of_together(
        self, rows: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(refusals, "MOST", 10)
        told = Refusals()
        for number in range(100):
            told.tell(Refused(f"10.0.0.{number}", "MR1", "MWL", "no device"), "refused")
        assert len(rows) == 10 + TOLD_EACH
        told.sweep(all_of_them=True)
        told.tell(Refused("10.0.0.1", "MR1", "MWL", "no device"), "refused")
        assert rows[-1] == "no device"
