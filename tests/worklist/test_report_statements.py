"""A report costs a known number of statements, and writes what Django's `save` would have written.

BEGIN and savepoints are counted, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.forms.models import model_to_dict

from tests.statements import counted
from tests.worklist.conftest import make_item
from tests.worklist.performed_steps import begun, completed, new_uid, progress, series
from worklist.attention import points
from worklist.dicom.mpps import MppsRefused
from worklist.examinations import performing
from worklist.examinations.performing import Sender
from worklist.models import (
    Attention,
    Device,
    PerformedSeries,
    PerformedStatus,
    PerformedStep,
    PerformedStepItem,
    Status,
    WorklistItem,
    writing,
)
from worklist.models.history import KeptManager

MR1 = Sender("MR1", "127.0.0.1")
MOST_AT_N_CREATE, MOST_AT_N_SET = 16, 13


@pytest.fixture
def item(transactional_db: None) -> WorklistItem:
    Device(ae_title="MR1").save_as("test")
    made: WorklistItem = make_item(1)
    made.save()
    return made


def report(item: WorklistItem) -> tuple[list[str], list[str], list[str]]:
    """Report a step from its beginning to its end, and return the statements of each message."""
    uid = new_uid()
    with counted() as beginning:
        performing.begin(uid, begun(item), sender=MR1)
    with counted() as update:
        performing.update(uid, progress(series(1)), sender=MR1)
    with counted() as end:
        performing.update(uid, completed(series(1), series(2)), sender=MR1)
    return beginning, update, end


@pytest.mark.acceptance("WR5")
def test_a_report_takes_no_more_statements_than_this(item: WorklistItem) -> None:
    for each in (item, make_saved(2)):  # the first time statements are written, and run all the same
        beginning, update, end = report(each)

        assert len(beginning) <= MOST_AT_N_CREATE, "\n".join(beginning)
        assert len(update) <= MOST_AT_N_SET, "\n".join(update)
        assert len(end) <= MOST_AT_N_SET, "\n".join(end)
        assert sum(sql.startswith("BEGIN") for sql in beginning) == 1
        assert not any("SAVEPOINT" in sql for sql in (*beginning, *update, *end))


@pytest.mark.acceptance("WR5")
def test_what_is_counted_is_all_that_is_run(item: WorklistItem) -> None:
    with counted() as found:
        WorklistItem.objects.exists()
        writing.update(item, ["modality"])

    assert len(found) == 2


@pytest.mark.acceptance("WR6")
def test_the_class_of_a_history_manager_is_made_once(item: WorklistItem) -> None:
    assert isinstance(item.history, KeptManager)
    assert type(item.history) is type(item.history) is type(make_item(2).history)
    item.save_as("alice")
    other: Any = make_item(2)
    assert item.history.count() == 2
    assert other.history.count() == 0


def values(row: Any, *but: str) -> dict[str, Any]:
    """Return all columns of a row but its key and moments that differ."""
    row.refresh_from_db()
    names = (field.attname for field in row._meta.concrete_fields)
    return {name: getattr(row, name) for name in names if name not in {"history_date", *but}}


MOMENTS = ("created_at", "updated_at")


def made_step(uid: str) -> PerformedStep:
    return PerformedStep(
        sop_instance_uid=uid,
        status=PerformedStatus.IN_PROGRESS,
        dataset={"00100020": {"vr": "LO", "Value": ["Größe ☃"]}},
        patient_name="Müller^Jörg",
        patient_id="P1",
        deviations=["one", "two"],
        calling_ae_title="MR1",
    )


@pytest.mark.acceptance("WR6")
@pytest.mark.django_db
def test_a_row_is_inserted_with_its_history_as_save_does() -> None:
    saved, written = made_step("1.2.1"), made_step("1.2.2")
    saved.save_as("alice", reason="why")
    written.insert_as("alice", reason="why")
    written.keep_changed_search_words(is_new=True)

    own = ("id", "sop_instance_uid", "history_id")
    assert values(written, *own, *MOMENTS) == values(saved, *own, *MOMENTS)
    assert values(written.history.get(), *own) == values(saved.history.get(), *own)
    assert written.history.get().id == written.pk
    words = [set(row.search_words.values_list("word", flat=True)) for row in (saved, written)]
    assert words[0] == words[1] != set()
    assert not written._state.adding


@pytest.mark.acceptance("WR6")
@pytest.mark.django_db
@pytest.mark.parametrize("weight", [None, "72.50"])
def test_fields_are_updated_with_their_history_as_save_does(weight: Any) -> None:
    rows = [make_item(number) for number in (1, 2)]
    for row in rows:
        row.save_as("bob")
        before = row.updated_at
        row.performed_procedure_step_status, row.patient_weight_kg = Status.COMPLETED, weight
    rows[0].save_as("alice", reason="why")
    rows[1].update_as(
        "alice", ["performed_procedure_step_status", "patient_weight_kg", "updated_at"], reason="why"
    )

    own = ("id", "history_id", "patient_name", "patient_id", *MOMENTS)
    for which in ("performed_procedure_step_status", "patient_weight_kg"):
        assert values(rows[0])[which] == values(rows[1])[which]
    assert rows[1].updated_at > before
    histories = [list(row.history.all()) for row in rows]
    for left, right in zip(*histories, strict=True):
        mine, theirs = values(left, *own), values(right, *own)
        assert {name for name in mine if mine[name] != theirs[name]} <= unlike(rows)


def unlike(rows: list[WorklistItem]) -> set[str]:
    """Return the columns in which two items that were made differ."""
    left, right = (model_to_dict(row) for row in rows)
    return {name for name in left if left[name] != right[name]}


@pytest.mark.acceptance("WR6")
@pytest.mark.django_db
def test_an_update_of_a_row_that_is_gone_is_refused() -> None:
    item = make_item(1)
    item.save()
    WorklistItem.objects.all().delete()
    item.pk = 1
    with pytest.raises(DatabaseError, match="gone"):
        item.update_as("alice", ["modality"])


@pytest.mark.acceptance("WR6")
@pytest.mark.django_db
@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_rows_are_inserted_by_one_statement(number: int) -> None:
    step = made_step("1.2.1")
    step.save_as("alice")
    rows = [PerformedSeries(step=step, number=each, description=f"☃{each}") for each in range(1, number + 1)]
    with counted() as found:
        writing.insert_all(rows)

    assert len(found) == min(number, 1)
    stored = step.series.values_list("number", "description", "image_count")
    assert list(stored) == [(each, f"☃{each}", 0) for each in range(1, number + 1)]


@pytest.mark.acceptance("WR6")
def test_each_message_leaves_its_history_and_points(item: WorklistItem) -> None:
    """Hold what a report leaves: a row of history of each message, of the link and of each status."""
    report(item)

    (step,) = PerformedStep.objects.all()
    assert [row.status for row in step.history.order_by("history_id")] == [
        "IN_PROGRESS",
        "IN_PROGRESS",
        "COMPLETED",
    ]
    assert {row.history_user_id for row in step.history.all()} == {"device:MR1"}
    statuses = item.history.order_by("history_id").values_list(
        "performed_procedure_step_status", "history_user_id", "history_change_reason"
    )
    assert list(statuses)[1:] == [
        ("IN_PROGRESS", "device:MR1", "MPPS in progress"),
        ("COMPLETED", "device:MR1", "MPPS completed"),
    ]
    (link,) = PerformedStepItem.objects.all()
    assert [(row.history_type, row.status_before) for row in link.history.all()] == [("+", "SCHEDULED")]


@pytest.mark.acceptance("WR7")
@pytest.mark.parametrize("overdue", [False, True])
def test_what_waited_for_the_scanner_resolves_when_it_begins(item: WorklistItem, overdue: bool) -> None:
    point = Attention.objects.create(kind="NOT_PERFORMED", item=item, text="Nothing was performed.")
    other = make_item(2)
    other.save()
    kept = Attention.objects.create(kind="NOT_PERFORMED", item=other, text="Nothing was performed.")

    performing.begin(new_uid(), begun(*([item, make_saved(3)] if overdue else [item])), sender=MR1)

    for each in (point, kept):
        each.refresh_from_db()
    assert (point.is_open, point.resolved_by, point.note) == (False, "Pylantir", "No longer so.")
    assert kept.is_open


def make_saved(number: int) -> WorklistItem:
    made: WorklistItem = make_item(number)
    made.save()
    return made


@pytest.mark.acceptance("WR7")
def test_a_refused_report_that_exists_already_is_a_duplicate(item: WorklistItem) -> None:
    uid = new_uid()
    performing.begin(uid, begun(item), sender=MR1)
    ask: Callable[..., Any] = performing.begin
    for report in (begun(item, PerformedProcedureStepStatus="COMPLETED"), begun(item)):
        with pytest.raises(MppsRefused) as refused:
            ask(uid, report, sender=MR1)
        assert refused.value.status == performing.DUPLICATE_SOP_INSTANCE
    assert PerformedStep.objects.count() == 1
    assert PerformedStepItem.objects.count() == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has always returned keys.")
@pytest.mark.acceptance("WR6")
@pytest.mark.django_db
def test_a_row_knows_its_key_where_the_database_returns_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.features, "can_return_columns_from_insert", False)
    made_step("1.2.1").insert_as("alice")
    written = made_step("1.2.2")
    with counted() as found:
        written.insert_as("alice")

    assert not any("RETURNING" in sql for sql in found)
    assert PerformedStep.objects.get(pk=written.pk).sop_instance_uid == "1.2.2"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's plan depends on what it has counted.")
@pytest.mark.acceptance("WR7")
@pytest.mark.django_db
def test_points_are_found_by_step_and_item_however_many_are_open() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {points._of_step_and_items(7, [8]).query}")
        plan = " ".join(row[-1] for row in cursor.fetchall())

    assert "SCAN worklist_attention" not in plan
    assert "attention_open" not in plan
    assert plan.count("SEARCH worklist_attention USING INDEX") == 2
