"""The machine's clock goes through the nights of daylight saving, and is set ahead and back (libfaketime).

Not here: what a clock that was set back does to sources (tests/sources/test_pulls.py).
"""

from __future__ import annotations

import re
import time as clock
from collections.abc import Callable, Iterator
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import not_installed
from tests.scu import Answer, RawUser, keys
from tests.worklist import performed_steps as steps
from tests.worklist.conftest import RunningServer, StartServer, make_item
from tests.worklist.performed_steps import change, create
from worklist.models import Attention, PerformedStep, Status, WorklistItem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.torture]

ZONE = "Europe/Berlin"
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
CROSSED_AFTER = 6.0  # seconds from the server's start, which is two before the hour
AT_ONCE = 1.0  # seconds
TROUBLE = re.compile(r"ERROR|CRITICAL|Traceback")
ECHO_SUCCESS = 0x0000

Perform = Callable[..., list[Answer]]


def library() -> Path:
    """Return libfaketime's file; without it skip the test, or fail it where REQUIRE_TOOLS is set."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    return found[0] if found else not_installed("faketime")


def faked(**more: str) -> dict[str, str]:
    """Return the settings of a process whose wall clock is faked; timers go on as they do in a real one."""
    own = {"LD_PRELOAD": str(library()), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}
    return {**own, "TZ": ZONE, "TIME_ZONE": ZONE, "ATTENTION_INTERVAL": "1", **more}


def offered_on(user: RawUser, day: date) -> int:
    user.find(keys(step={"ScheduledProcedureStepStartDate": f"{day:%Y%m%d}"}))
    return sum(response.status == 0xFF00 for response in user.responses())


@pytest.fixture
def user_of() -> Iterator[Callable[[RunningServer], RawUser]]:
    opened: list[RawUser] = []

    def associated(server: RunningServer) -> RawUser:
        opened.append(server.raw())
        opened[-1].associate()
        return opened[-1]

    yield associated
    for each in opened:
        each.socket.close()


@pytest.mark.acceptance("H181")
@pytest.mark.parametrize("day", [SPRING, AUTUMN], ids=["an hour is missing", "an hour comes twice"])
def test_a_night_of_daylight_saving_changes_nothing_for_a_scanner(
    day: date,
    start_server: StartServer,
    perform: Perform,
    user_of: Callable[[RunningServer], RawUser],
) -> None:
    times = (time(0, 30), time(2, 30), time(3, 30))
    items = [
        make_item(number, scheduled_start_date=day, scheduled_start_time=each)
        for number, each in enumerate(times, start=1)
    ]
    for item in items:
        item.save()
    at = 3 if day == AUTUMN else 2  # o'clock: when the clocks are changed
    server = start_server(**faked(FAKETIME=f"@{day} {at - 1:02}:59:58"))
    assert str(day) in server.log  # so the clock that it looks at is the faked one
    user = user_of(server)
    until = clock.monotonic() + CROSSED_AFTER
    while clock.monotonic() < until:
        assert offered_on(user, day) == len(items)

    uid = steps.new_uid()
    begun = {"PerformedProcedureStepStartDate": f"{day:%Y%m%d}", "PerformedProcedureStepStartTime": "023000"}
    answers = perform(
        create(uid, steps.begun(items[1], **begun)), change(uid, steps.completed()), port=server.port
    )
    assert [answer.status for answer in answers] == [0, 0]
    step = PerformedStep.objects.get(sop_instance_uid=uid)
    assert (step.start_date, step.start_time) == (day, time(2, 30))
    items[1].refresh_from_db()
    assert items[1].performed_procedure_step_status == Status.COMPLETED
    assert WorklistItem.objects.count() == len(items)
    assert not Attention.objects.open().exists()
    server.stop()  # or it would look for what time brings about in other tests
    assert not TROUBLE.search(server.log), server.log


@pytest.mark.acceptance("H182")
def test_a_clock_that_is_set_ahead_and_back_keeps_no_scanner_waiting(
    start_server: StartServer,
    tmp_path: Path,
    user_of: Callable[[RunningServer], RawUser],
    echo: Callable[..., Any],
) -> None:
    day = date(2026, 1, 10)
    make_item(1, scheduled_start_date=day).save()
    offset = tmp_path / "offset"
    offset.write_text("+0")
    server = start_server(**faked(FAKETIME_TIMESTAMP_FILE=str(offset)))
    kept_open = user_of(server)
    assert offered_on(kept_open, day) == 1
    for jump in ("+3d", "-2d", "+0"):
        offset.write_text(jump)
        for user in (kept_open, user_of(server)):
            began = clock.monotonic()
            assert offered_on(user, day) == 1
            assert clock.monotonic() - began < AT_ONCE
        assert echo(port=server.port) == ECHO_SUCCESS
    server.stop()
    assert not TROUBLE.search(server.log), server.log
