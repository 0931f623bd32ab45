"""Items that come in together are what they would have been one after another."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import tries
from tests.statements import counted
from tests.worklist.stored import in_any_order, what_is_stored
from worklist.items import batches, identifiers, intake, lifecycle, plain
from worklist.items.batches import NewItem
from worklist.items.whose import Answer
from worklist.models import Attention, AttentionKind, ConfirmedPerson, Status, WorklistItem

pytestmark = pytest.mark.django_db

VALUES = {
    "patient_name": "Doe^Jane",
    "patient_id": "P-001",
    "modality": "MR",
    "scheduled_start_date": "2026-03-02",
}
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
    assert in_any_order(here) == in_any_order(there)


@pytest.mark.acceptance("RC233")
def test_a_hundred_items_take_few_statements() -> None:
    new = [
        NewItem({**VALUES, "patient_id": f"P-{number:04}", "patient_name": f"N{number}"})
        for number in range(100)
    ]

    with counted() as few:
        batches.create_all(new[:10], actor="anna")
    with counted() as many:
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


@pytest.mark.acceptance("WR35")
def test_one_item_takes_few_statements() -> None:
    with counted() as queries:
        intake.create(VALUES, actor="anna")

    said = [sql.split()[0] for sql in queries]
    own = [word for word in said if word not in ("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT")]
    assert own.count("INSERT") == 3  # the item, its history, its words
    assert len(own) <= (6 if connection.vendor == "sqlite" else 7)  # PostgreSQL holds the ID, too


@pytest.mark.acceptance("WR35")
@pytest.mark.parametrize(
    ("stored", "is_doubtful"),
    [
        ({"patient_id": "P-002"}, False),
        ({}, False),
        ({"patient_name": "Roe^Max"}, True),
        ({"patient_id": "p001"}, True),
        ({"patient_id": "P-002", "accession_number": "ASAME00000"}, True),
        ({"study_instance_uid": "1.2.3", "scheduled_procedure_step_id": "SPSSAME00000"}, True),
    ],
    ids=["another ID", "the same person", "another person", "a like ID", "a stem", "the step"],
)
def test_an_item_is_asked_about_where_anything_is_doubtful(
    stored: dict[str, Any], is_doubtful: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stems = iter(["SAME00000", "OTHER0000", "THIRD0000"])
    intake.create({**VALUES, **stored}, actor="anna")
    monkeypatch.setattr(identifiers, "new_stem", lambda: next(stems))

    asked = plain.is_plain(intake.unsaved({**VALUES, "study_instance_uid": "1.2.3"}))

    assert asked is not is_doubtful


@pytest.mark.acceptance("WR35")
def test_an_item_whose_id_is_pointed_out_is_asked_about() -> None:
    first = intake.create({**VALUES, "patient_id": "P001"}, actor="anna")
    Attention.objects.create(kind=AttentionKind.SIMILAR_ID, item=first, text="Much alike.")
    same = {**VALUES, "patient_id": "P001"}

    assert not plain.is_plain(intake.unsaved(same))
    assert plain.among([intake.unsaved(same)]) == [False]


@pytest.mark.acceptance("WR35")
@given(stored=st.lists(wanted_items, max_size=2), wanted=wanted_items, cancelled=st.booleans())
@settings(
    max_examples=tries(20, nightly=400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_what_is_told_of_one_is_no_more_than_what_is_told_of_many(
    stored: list[dict[str, Any]], wanted: dict[str, Any], cancelled: bool
) -> None:
    """By its fewer questions one may be doubtful where there is no doubt, and never the reverse."""
    try:
        with transaction.atomic():
            for item in one_after_another([NewItem(values) for values in stored]):
                if cancelled and isinstance(item, WorklistItem):
                    lifecycle.move(item, to=Status.CANCELLED, actor="anna")
            draft = intake.unsaved(wanted)
            assert plain.is_plain(draft) <= plain.among([draft])[0]
            raise Undone
    except (Undone, ValidationError):
        pass
