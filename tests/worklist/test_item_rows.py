"""A list of items says of each what the serializer says of one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import worklist.api.items
from tests.effort import tries
from tests.worklist.encoding_examples import DRAWN
from worklist.api import item_rows
from worklist.models import PerformedBy, WorklistItem

MOMENTS = st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.just(UTC))
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
