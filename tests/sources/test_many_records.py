"""A server that has memory for few holds thousands of records, and memory here stays flat."""

from __future__ import annotations

import pytest

from sources.mapping.rules import Rule, SessionKind
from sources.models import RunOutcome
from sources.sync import runs
from tests.effort import tries
from tests.redcap.server import RedcapServer
from tests.redcap.studies import big
from tests.sources.conftest import MakeSource, items, pull
from tests.sources.study import RECORD, today
from tests.statements import counted

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

RULES = (
    Rule("patient_id", "record_id", level=RECORD),
    Rule("patient_name", level=RECORD, transforms="template P^{record_id}"),
    Rule("patient_birth_date", "dob", level=RECORD),
    Rule("patient_sex", "sex", level=RECORD, transforms="codes 1=M, 2=F"),
    Rule("scheduled_start_date", "scan_date"),
    Rule("scheduled_start_time", "scan_time"),
    Rule("modality", default="MR"),
)
OPTIONS = {"project_id": None, "session_kind": SessionKind.EVENT, "session_instrument": "scan"}


@pytest.mark.acceptance("RC54")
@pytest.mark.timeout(120)
def test_thousands_of_records_are_read_whatever_the_servers_memory(make_source: MakeSource) -> None:
    records = tries(1000, nightly=5000)
    project = big(records, today())
    with RedcapServer(project) as redcap:
        redcap.record_limit = 60
        source = make_source(redcap, RULES, horizon_ahead_days=1, **OPTIONS)
        run = pull(source)
        changes = pull(source)

    in_two_days = records // 25
    assert (run.outcome, run.records_done, run.created) == (RunOutcome.OK, records, in_two_days)
    assert run.requests == 9 + 1 + records // 50  # the first hundred is too much, and fifties are not
    assert (changes.records_done, changes.requests) == (0, 1)
    assert len(items(source)) == in_two_days


@pytest.mark.acceptance("WR42")
def test_records_cost_few_statements_and_less_than_one_each_where_nothing_has_changed(
    make_source: MakeSource,
) -> None:
    """Count what two pulls of many records run beyond what they run of few."""
    few, many = (_statements_of_pulls(make_source, records) for records in (50, 150))
    new, unchanged = (large - small for large, small in zip(many, few, strict=True))

    assert new <= 100
    assert unchanged <= 25


def _statements_of_pulls(make_source: MakeSource, records: int) -> tuple[int, int]:
    """Return how many statements a pull runs where all is new, and where nothing has changed."""
    with RedcapServer(big(records, today())) as redcap:
        source = make_source(redcap, RULES, name=f"study{records}", horizon_ahead_days=365, **OPTIONS)
        with counted() as new:
            first = pull(source)
        with counted() as unchanged:
            again = pull(source, full=True)

    assert (first.created, again.records_done, again.created) == (records, records, 0)
    return len(new), len(unchanged)


def test_memory_stays_flat_over_many_pulls(make_source: MakeSource) -> None:
    project = big(tries(100, nightly=200), today())
    held = []
    with RedcapServer(project) as redcap:
        source = make_source(redcap, RULES, **OPTIONS)
        for _ in range(8):
            run = pull(source, full=True)
            redcap.requests.clear()
            held.append(run.memory_after_mb or 0)

    assert all(held)
    assert held[-1] - held[3] < 3
    assert runs.memory_mb() > 10
