"""An interval is what it says: reckoned on its own, and with a worker that looks every half minute."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from sources.models import DataSource, SourceState
from sources.sync.punctual import LATEST, next_due
from tests.sources.conftest import pull

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
pytestmark = pytest.mark.acceptance("RC187")


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("due", "began", "ended", "expected"),
    [
        pytest.param(0, 0, 2, 60, id="at once"),
        pytest.param(0, 29, 40, 60, id="at the look after it was due"),
        pytest.param(0, 60, 62, 60, id="as late as is on time: again at the next look"),
        pytest.param(0, 1, 61, 120, id="as long as the interval: what fell due meanwhile is skipped"),
        pytest.param(0, 1, 60, 60, id="a little shorter: again at the next look"),
        pytest.param(0, 61, 65, 121, id="too late: counted from its beginning"),
        pytest.param(-86_400, 5, 7, 65, id="after a night outside the window"),
        pytest.param(40, 5, 7, 65, id="asked for before it was due"),
        pytest.param(None, 5, 7, 65, id="never due before"),
        pytest.param(0, 5, 3, 60, id="the clock was set back"),
    ],
)
def test_the_next_pull_is_due_an_interval_after_the_last_was(
    due: float | None, began: float, ended: float, expected: float
) -> None:
    known = None if due is None else after(due)
    interval = timedelta(seconds=60)

    found = next_due(due=known, began=after(began), now=after(ended), interval=interval)

    assert found == after(expected)


@given(
    interval=st.integers(30, 86_400),
    late=st.floats(-1e6, 1e6),
    took=st.floats(0, 1e6),
)
def test_it_is_an_interval_away_at_most_and_ahead_after_a_long_pull(
    interval: int, late: float, took: float
) -> None:
    began = after(late)
    ended = began + timedelta(seconds=took)

    found = next_due(due=NOON, began=began, now=ended, interval=timedelta(seconds=interval))

    assert abs(found - ended) <= timedelta(seconds=interval)
    assert found > began - LATEST
    assert found > ended or took < interval


@pytest.mark.parametrize("interval", [30, 60, 90, 120, 300])
@pytest.mark.parametrize("took", [0.5, 12, 25])
@pytest.mark.parametrize("between_looks", [30.0, 30.2])
def test_a_day_holds_as_many_pulls_as_the_interval_says(
    interval: int, took: float, between_looks: float
) -> None:
    day, queued = 86_400, 1.5
    pulls, due, look = 0, NOON, 7.0
    while look < day:
        if due <= after(look):
            began = after(look + queued)
            ended = began + timedelta(seconds=took)
            due = next_due(due=due, began=began, now=ended, interval=timedelta(seconds=interval))
            pulls += 1
        look += between_looks

    assert pulls == pytest.approx(day / max(interval, between_looks), rel=0.04)


def test_late_by_a_look_and_the_queue_is_on_time() -> None:
    assert timedelta(seconds=2 * 30) >= LATEST > timedelta(seconds=30.2 + 1.5)


@pytest.mark.django_db
def test_the_engine_reckons_so(source: DataSource) -> None:
    due = timezone.now() - timedelta(seconds=20)
    SourceState.objects.filter(source=source).update(next_pull_at=due)

    pull(source)

    assert SourceState.objects.get(source=source).next_pull_at == due + timedelta(seconds=60)


@pytest.mark.django_db
@pytest.mark.acceptance("RC188")
def test_the_log_line_of_a_pull_tells_the_memory_before_and_after(
    source: DataSource, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="sources")

    run = pull(source)

    assert run.memory_before_mb and run.memory_after_mb
    told = f"Memory before: {run.memory_before_mb:.1f} MB, after: {run.memory_after_mb:.1f} MB."
    assert [line.endswith(told) for line in caplog.messages if line.startswith("Pull from ")] == [True]
