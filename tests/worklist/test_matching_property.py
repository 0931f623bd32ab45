"""SQL and the reference matcher answer random queries on random stores alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import tries
from tests.worklist import reference_matcher
from tests.worklist.matching_examples import KEYWORDS, STATION, create, stores_and_identifiers
from worklist.dicom.matching import IdentifierError, read_keys
from worklist.models import WorklistItem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("values_as_they_come"), pytest.mark.timeout(300)]


def _by_schedule(items: Iterable[WorklistItem]) -> list[int]:
    ordered = sorted(items, key=lambda item: (item.scheduled_start_date, item.scheduled_start_time, item.pk))
    return [item.pk for item in ordered]


@pytest.mark.parametrize("keywords", [KEYWORDS, st.just([STATION])], ids=["any keys", "stations"])
@given(st.data())
@settings(max_examples=tries(50, nightly=200), deadline=None, suppress_health_check=list(HealthCheck))
def test_sql_finds_what_the_reference_matcher_finds(
    keywords: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    store, identifiers = data.draw(stores_and_identifiers(keywords))
    with transaction.atomic():
        items = {item.pk: (item, values) for values in store for item in [create(values)]}
        for identifier in identifiers:
            try:
                keys = read_keys(identifier)
            except IdentifierError as error:
                assert error.tag in reference_matcher.malformed(identifier)
                continue
            assert not reference_matcher.malformed(identifier)
            expected = [
                item for item, values in items.values() if reference_matcher.matches(values, identifier)
            ]
            found = list(WorklistItem.objects.matching(keys).values_list("pk", flat=True))
            assert found == _by_schedule(expected), identifier
        transaction.set_rollback(True)
