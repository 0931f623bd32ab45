"""Items that come in together are what they would have been one after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import tries
from worklist.items import batches, intake, lifecycle
from worklist.items.batches import NewItem
from worklist.items.whose import Answer
from worklist.models import Attention, ConfirmedPerson, ItemSearchWord, Status, WorklistItem

pytestmark = pytest.mark.django_db

VALUES = {
    "patient_name": "Doe^Jane",
    "patient_id": "P-001",
    "modality": "MR",
    "scheduled_start_date": "2026-03-02",
}
MADE_HERE = {"id", "created_at", "updated_at", "history_id", "history_date"}
names = st.sampled_from(["Doe^Jane", "Doé^Jane", "Roe^Max", ""])
ids = st.sampled_from(["P-001", "P001", "p-001", "P-002", "", "\t"])
births = st.sampled_from(["", "1990-01-31", "1980-05-05", "no date"])
uids = st.sampled_from(["1.2.3", "1.2.4", "not a UID", "1.2.5", "1.2.6", "1.2.7"])
wanted_items = st.fixed_dictionaries(
    {
        "patient_name": names,
        "patient_id": ids,
        "patient_birth_date": births,
        "patient_sex": st.sampled_from(["", "F", "M"]),
        "study_instance_uid": uids,
        "scheduled_procedure_step_id": st.sampled_from(["S1", "S2", "S3"]),
        "accession_number": st.just("A1"),
        "requested_procedure_id": st.just("R1"),
        "modality": st.sampled_from(["MR", "MR", "MR", "MRI"]),
        "scheduled_start_date": st.just("2026-03-02"),
    }
)


def what_is_stored() -> dict[str, list[Any]]:
    """Return all that items leave in the database, less what differs from one run to another."""
    items = {
        pk: place for place, pk in enumerate(WorklistItem.objects.order_by("pk").values_list("pk", flat=True))
    }
    return {
        "items": [_of(row) for row in WorklistItem.objects.order_by("pk").values()],
        "history": [_of(row) for row in WorklistItem.history.order_by("history_id").values()],
        "words": sorted(
            (items[owner], word) for owner, word in ItemSearchWord.objects.values_list("owner", "word")
        ),
        "points": sorted(
            (kind, items[item]) for kind, item in Attention.objects.open().values_list("kind", "item")
        ),
    }


def _of(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in MADE_HERE}


def one_after_another(wanted: list[NewItem]) -> list[Any]:
    found: list[Any] = []
    for new in wanted:
        try:
            found.append(intake.create(new.values, actor="anna", answer=new.answer))
        except ValidationError as error:
            found.append(error)
    return found


def said(result: WorklistItem | ValidationError) -> Any:
    """Return what became of an item; a refused one may be told more, for what is plain came in before it."""
    return "refused" if isinstance(result, ValidationError) else result.study_instance_uid


class Undone(Exception):
    pass


@pytest.mark.acceptance("RC233")
@given(
    stored=st.lists(wanted_items, max_size=2), wanted=st.lists(wanted_items, max_size=4), at=st.integers(0, 1)
)
@settings(
    max_examples=tries(20, nightly=400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_many_items_come_in_as_they_would_one_after_another(
    stored: list[dict[str, Any]], wanted: list[dict[str, Any]], at: int
) -> None:
    outcomes = []
    for create in (one_after_another, lambda new: batches.create_all(new, actor="anna")):
        try:
            with transaction.atomic():
                for item in one_after_another([NewItem(values) for values in stored]):
                    if at and isinstance(item, WorklistItem):
                        lifecycle.move(item, to=Status.CANCELLED, actor="anna")
                results = create([NewItem(values) for values in wanted])
                outcomes.append((sorted(map(str, map(said, results))), what_is_stored()))
                raise Undone
        except Undone:
            pass
    (expected, there), (found, here) = outcomes
    assert found == expected
    assert _sorted(here) == _sorted(there)


def _sorted(stored: dict[str, list[Any]]) -> dict[str, list[str]]:
    """Leave out the order: what is plain comes in before what is doubtful."""
    return {table: sorted(str(row) for row in rows) for table, rows in stored.items() if table != "words"} | {
        "words": sorted(word for _, word in stored["words"])
    }


@pytest.mark.acceptance("RC233")
def test_a_hundred_items_take_few_statements() -> None:
    new = [
        NewItem({**VALUES, "patient_id": f"P-{number:04}", "patient_name": f"N{number}"})
        for number in range(100)
    ]

    with CaptureQueriesContext(
        connection,
    ) as few:
        batches.create_all(new[:10], actor="anna")
    with CaptureQueriesContext(connection) as many:
        batches.create_all(new[10:], actor="anna")

    assert WorklistItem.objects.count() == 100
    assert len(many) <= 3 * len(few)
    assert len(many) <= 40


def test_an_answer_counts_for_one_of_many() -> None:
    first = intake.create(VALUES, actor="anna")
    other = {**VALUES, "patient_name": "Roe^Max"}

    refused, made = batches.create_all(
        [NewItem(other), NewItem(other, Answer(beside=(first.pk,)))], actor="anna"
    )

    assert isinstance(refused, ValidationError)
    assert isinstance(made, WorklistItem)
    assert not ConfirmedPerson.objects.exists()
