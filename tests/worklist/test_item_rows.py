"""A list of items says of each what the serializer says of one."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import worklist.api.items
from pylantir_site.outside import spreadsheets
from tests.effort import tries
from tests.worklist.encoding_examples import DRAWN
from worklist.api import item_rows
from worklist.api.renderers import CSVRenderer
from worklist.items.fields import FIELDS
from worklist.models import PerformedBy, WorklistItem

MOMENTS = st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.just(UTC))
TEXTS = st.text(st.sampled_from("A1=+-@;'\t\n\r\"é＝ "), max_size=6)
CELLS = TEXTS | st.none() | st.integers()
drawn_items = st.fixed_dictionaries(
    {
        **DRAWN,
        "id": st.integers(1, 2**40),
        "data_source": st.sampled_from(["", "study"]),
        "performed_by_evidence": st.sampled_from(["", *PerformedBy.values]),
        "arrived_at": st.none() | MOMENTS,
        "created_at": MOMENTS,
        "updated_at": MOMENTS,
    }
)


@pytest.mark.acceptance("WR31")
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/St_Johns"])
@settings(max_examples=tries(15, nightly=200), deadline=None, suppress_health_check=list(HealthCheck))
@given(values=st.lists(drawn_items, max_size=3))
def test_a_list_of_items_is_what_the_serializer_makes(zone: str, values: list[dict[str, Any]]) -> None:
    items = [WorklistItem(**each) for each in values]
    serializer = worklist.api.items.Item.serializer_class

    with timezone.override(zone):
        rows = item_rows.as_json(map(item_rows.of_item, items))

        assert json.dumps(rows) == json.dumps(serializer(items, many=True).data)


@pytest.mark.acceptance("WR54")
@settings(max_examples=tries(20, nightly=200), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(*[CELLS] * 4, st.dictionaries(TEXTS, TEXTS, max_size=2)), max_size=4))
def test_each_cell_of_a_csv_is_guarded_whatever_else_its_column_holds(
    given_rows: list[tuple[Any, ...]],
) -> None:
    names = ("patient_name", "patient_id", "scheduled_start_date", "patient_weight_kg", "extra_attributes")
    rows = [dict.fromkeys(FIELDS) | dict(zip(names, each, strict=True)) for each in given_rows]

    lines = list(csv.reader(StringIO(CSVRenderer().render(rows), newline="")))

    assert lines == [list(FIELDS), *([cell(row[name]) for name in FIELDS] for row in rows)]


def cell(value: Any) -> str:
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False) if value else ""
    return spreadsheets.guarded(value) if isinstance(value, str) else "" if value is None else str(value)
