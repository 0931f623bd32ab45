"""A soak's notes are judged by rules; a site that works with faults for long is `make soak`, not a test."""

from __future__ import annotations

import os
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from benchmarks.soak import drawing, faults, verdicts
from benchmarks.soak.actors import API, QUERY, REPORT
from benchmarks.soak.samples import Failed, Held, Log, Wait, held

SECONDS = 1800.0
MIB = 1024


def steady() -> Log:
    """Return the notes of half an hour in which nothing grew, with a fault at its middle."""
    log = Log()
    for at in range(0, int(SECONDS), 5):
        log.held.append(Held(float(at), 5, 180 * MIB, 100))
        for kind in (QUERY, REPORT, API):
            log.waits.append(Wait(kind, float(at), 10.0 + at % 7))
    log.faults.append((900.0, faults.WEB_KILLED))
    return log


def late(log: Log) -> range:
    return range(int(len(log.held) * 0.75), len(log.held))


def grown(log: Log) -> None:
    for place in late(log):
        log.held[place] = Held(log.held[place].at, 5, 240 * MIB, 100)


def opened(log: Log) -> None:
    for place in late(log):
        log.held[place] = Held(log.held[place].at, 5, 180 * MIB, 130)


def slower(log: Log) -> None:
    log.waits[:] = [
        Wait(each.kind, each.at, 500.0) if each.kind == REPORT and each.at > 1300 else each
        for each in log.waits
    ]


def failing(kind: str, at: float) -> Callable[[Log], None]:
    return lambda log: log.failed.append(Failed(kind, at, "OSError: no answer"))


@pytest.mark.acceptance("H180")
@pytest.mark.parametrize(
    ("happens", "said"),
    [
        pytest.param(lambda log: None, [], id="nothing"),
        pytest.param(grown, ["Memory grew from 180 to 240 MiB."], id="memory"),
        pytest.param(opened, ["Descriptors grew from 100 to 130."], id="descriptors"),
        pytest.param(slower, ["report: 95 % waited 16 ms at first and 500 ms at the end."], id="waits"),
        pytest.param(failing(API, 905.0), [], id="the web while it comes back"),
        pytest.param(failing(API, 950.0), ["1 × API: OSError: no answer"], id="the web later"),
        pytest.param(failing(QUERY, 905.0), ["1 × query: OSError: no answer"], id="a scanner, ever"),
        pytest.param(
            lambda log: log.held.clear(), ["The processes were not looked at often enough."], id="no looks"
        ),
    ],
)
def test_what_grew_or_was_failed_is_said(happens: Callable[[Log], None], said: list[str]) -> None:
    log = steady()
    happens(log)
    assert verdicts.complaints(log, SECONDS) == said


def test_a_short_soak_may_still_warm_up() -> None:
    log = Log()
    for at in range(0, 120, 2):
        log.held.append(Held(float(at), 5, (150 + at // 2) * MIB, 100 + at // 6))
        log.waits += [Wait(kind, float(at), 10.0) for kind in (QUERY, REPORT)]
    assert verdicts.complaints(log, 120.0) == []


def test_the_picture_has_a_line_for_each_thing_and_a_mark_for_each_fault() -> None:
    picture = ElementTree.fromstring(drawing.svg(steady(), SECONDS))
    lines = [each for each in picture.iter() if each.tag.endswith("polyline")]
    assert len(lines) == 2 + 3  # memory, descriptors, and three kinds of waits
    marks = [each for each in picture.iter() if each.get("stroke") == drawing.FAULT]
    assert len(marks) == 3  # in each panel
    assert not [each for each in lines if "nan" in str(each.get("points"))]


def test_what_a_family_of_processes_holds_is_read() -> None:
    now = held(os.getpid(), 1.0)
    assert now.processes >= 1
    assert now.kib > 1024
    assert now.descriptors > 3


def test_a_role_that_nobody_has_is_said() -> None:
    with pytest.raises(ProcessLookupError):
        faults.process_of(os.getpid(), "worker")
