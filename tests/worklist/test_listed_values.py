"""Lists are narrowed by the values that items have, and finding these costs no more for more items."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import tries
from tests.statements import counted
from tests.worklist.test_queries import item, rows_of, steps_of
from worklist.models import WorklistItem, listed_values
from worklist.models.listed_values import SOURCE, STATION

pytestmark = pytest.mark.django_db

made_of = st.fixed_dictionaries(
    {
        "modality": st.sampled_from(["MR", "CT", "M", "MR ", "mr", "%", "É"]),
        STATION: st.sampled_from(["", "MR1", "MR1\\MR2", "MR", "mr1", "Z_", "é", "?"]),
        SOURCE: st.sampled_from(["", "study", "Study", "other", "a'b"]),
    }
)


def fill(rows: Iterable[dict[str, str]], *, start: int = 0) -> None:
    made = [item(f"S{number}", **row) for number, row in enumerate(rows, start=start)]
    WorklistItem.objects.bulk_create(made, batch_size=500)


@pytest.mark.acceptance("WR38")
@given(rows=st.lists(made_of, max_size=12))
@settings(
    max_examples=tries(30, nightly=300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_values_are_those_that_the_database_has_without_an_index(rows: list[dict[str, str]]) -> None:
    WorklistItem.objects.all().delete()
    fill(rows)

    for find, name in FOUND.items():
        found = find(WorklistItem.objects.order_by())
        assert sorted(found) == sorted({row[name] for row in rows}), name


FOUND = {
    listed_values.modalities: "modality",
    listed_values.stations: STATION,
    listed_values.sources: SOURCE,
}


@pytest.mark.acceptance("WR38")
def test_more_items_of_the_same_values_cost_no_more() -> None:
    rows = [{"modality": "MR", STATION: f"MR{number % 4}", SOURCE: ""} for number in range(3000)]
    fill(rows[:200])
    before = _costs()
    fill(rows[200:], start=200)
    after = _costs()

    assert all(cost <= 2 * least + 40 for cost, least in zip(after, before, strict=True)), (before, after)


def _costs() -> list[int]:
    """Return what the statements cost: steps of SQLite's machine, or rows that PostgreSQL looked at."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE worklist_worklistitem")
    return [_cost(partial(find, WorklistItem.objects.order_by())) for find in FOUND]


def _cost(ask: Callable[[], object]) -> int:
    with counted() as asked:
        ask()
    return steps_of(ask) if connection.vendor == "sqlite" else sum(map(_looked_at, asked))


def _looked_at(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        ((plan,),) = cursor.fetchone()
    return rows_of(plan["Plan"])
