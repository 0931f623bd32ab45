"""A long report is read, judged and made JSON before it locks anything: others commit meanwhile."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, connections
from pydicom import Dataset

from tests.worklist.conftest import make_item
from tests.worklist.performed_steps import begun, completed, new_uid, progress, series
from worklist.attention import points
from worklist.dicom import bounds, datasets, json_model, mpps
from worklist.dicom.datasets import Unreadable
from worklist.examinations import performing
from worklist.examinations.performing import Sender
from worklist.items import moves
from worklist.items.lifecycle import StatusRefused
from worklist.models import PerformedBy, PerformedStatus, PerformedStep, Status, WorklistItem
from worklist.models.serialised import SerialisedEncoder, SerialisedObject

pytestmark = pytest.mark.django_db(transaction=True)
MR1 = Sender("MR1", "127.0.0.1")
SECONDS = 15  # less than SQLite waits for a lock


@pytest.fixture
def item() -> WorklistItem:
    made: WorklistItem = make_item(1)
    made.save()
    return made


@pytest.fixture
def uid(item: WorklistItem) -> str:
    """Begin a step and return its UID."""
    made = new_uid()
    performing.begin(made, begun(item), sender=MR1)
    return made


def elsewhere(act: Callable[[], object]) -> None:
    """Let another thread act on a connection of its own, and wait until it has committed."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:
            raised.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(SECONDS)
    assert not thread.is_alive(), "It waits for a lock."
    assert not raised, raised


def when_judged(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *, times: int = 1) -> list[bool]:
    """Act once the next N-SETs are judged, before they are written; tell of each whether it held a lock."""
    real, held = performing._judged, []

    def judged(*args: Any, **kwargs: Any) -> Any:
        found = real(*args, **kwargs)
        held.append(connection.in_atomic_block)
        if len(held) <= times:
            act()
        return found

    monkeypatch.setattr(performing, "_judged", judged)
    return held


def reported(uid: str) -> tuple[str, int]:
    step = PerformedStep.objects.get(sop_instance_uid=uid)
    return step.status, sum(step.series.values_list("image_count", flat=True))


@pytest.mark.acceptance("H110")
def test_others_commit_while_a_long_report_is_judged(
    uid: str, item: WorklistItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = new_uid()
    held = when_judged(
        monkeypatch,
        lambda: elsewhere(lambda: performing.begin(other, begun(item), sender=Sender("MR2", "127.0.0.1"))),
    )

    performing.update(uid, completed(series(images=500)), sender=MR1)

    assert held == [False]
    assert reported(uid) == ("COMPLETED", 500)
    assert PerformedStep.objects.filter(sop_instance_uid=other).exists()


@pytest.mark.acceptance("H110")
@pytest.mark.parametrize("message", ["N-CREATE", "N-SET"])
def test_nothing_is_read_judged_or_made_json_within_a_transaction(
    uid: str, item: WorklistItem, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: dict[str, list[bool]] = {}

    def watched(where: Any, name: str) -> None:
        real = getattr(where, name)

        def watch(*args: Any, **kwargs: Any) -> Any:
            done.setdefault(name, []).append(connection.in_atomic_block)
            return real(*args, **kwargs)

        monkeypatch.setattr(where, name, watch)

    watched(json_model, "read")
    watched(mpps, "created")
    watched(mpps, "modified")
    watched(performing, "_take_over")
    watched(performing, "SerialisedObject")

    if message == "N-SET":
        performing.update(uid, progress(series()), sender=MR1)
        assert set(done) == {"read", "modified", "_take_over", "SerialisedObject"}
    else:
        performing.begin(new_uid(), begun(item), sender=MR1)
        assert set(done) == {"read", "created", "_take_over", "SerialisedObject"}
    assert not any(itertools.chain(*done.values()))
    made = SerialisedObject({"a": "é"})
    assert json.dumps(made, cls=SerialisedEncoder) is made.as_json


@pytest.mark.acceptance("H111")
def test_what_was_written_meanwhile_is_judged_by(uid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held = when_judged(
        monkeypatch, lambda: elsewhere(lambda: performing.update(uid, progress(series(1)), sender=MR1))
    )

    performing.update(uid, completed(series(2, images=7)), sender=MR1)

    assert len(held) == 3  # the other's, and this one's twice
    step = PerformedStep.objects.get(sop_instance_uid=uid)
    assert reported(uid) == ("COMPLETED", 7)
    assert step.history.count() == 3


@pytest.mark.acceptance("H111")
def test_a_step_that_was_closed_meanwhile_is_not_written(uid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def close() -> None:
        step = PerformedStep.objects.get(sop_instance_uid=uid)
        performing.close(step, to=PerformedStatus.DISCONTINUED, actor="alice", reason="")

    when_judged(monkeypatch, lambda: elsewhere(close))

    with pytest.raises(mpps.MppsRefused) as refused:
        performing.update(uid, completed(), sender=MR1)

    assert refused.value.error_id == mpps.MAY_NO_LONGER_BE_UPDATED
    assert reported(uid) == ("DISCONTINUED", 0)


@pytest.mark.acceptance("H111")
def test_who_is_always_late_holds_the_step_in_the_end(uid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def write() -> None:
        PerformedStep.objects.get(sop_instance_uid=uid).save_as("alice")

    held = when_judged(monkeypatch, lambda: elsewhere(write), times=performing.TRIES)

    performing.update(uid, completed(series(images=3)), sender=MR1)

    assert held == [False] * performing.TRIES + [True]
    assert reported(uid) == ("COMPLETED", 3)


@pytest.mark.acceptance("H111")
def test_an_n_create_that_came_twice_is_a_duplicate_however_late(
    item: WorklistItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid, real = new_uid(), mpps.created
    told = iter([True])

    def created(*args: Any, **kwargs: Any) -> Any:
        if next(told, False):
            elsewhere(lambda: performing.begin(uid, begun(item), sender=MR1))
        return real(*args, **kwargs)

    monkeypatch.setattr(mpps, "created", created)

    with pytest.raises(mpps.MppsRefused) as refused:
        performing.begin(uid, begun(item), sender=MR1)

    assert refused.value.status == performing.DUPLICATE_SOP_INSTANCE
    assert PerformedStep.objects.count() == 1


@pytest.mark.acceptance("H111")
def test_a_data_set_is_stored_as_it_was_read(uid: str, item: WorklistItem) -> None:
    performing.update(
        uid, progress(series(images=2), CommentsOnThePerformedProcedureStep="Größe ☃"), sender=MR1
    )

    step = PerformedStep.objects.get(sop_instance_uid=uid)
    assert step.dataset["00400280"]["Value"] == ["Größe ☃"]
    assert step.history.first().dataset == step.dataset


@pytest.mark.acceptance("H111")
def test_a_deflated_data_set_has_no_more_elements_than_its_bytes_pay_for() -> None:
    report = Dataset()
    report.ReferencedImageSequence = [Dataset() for _ in range(60_000)]
    hostile = datasets.write(report, implicit_vr=False, deflated=True)
    assert len(hostile) < 20_000

    with pytest.raises(Unreadable, match=r"too many elements|too long"):
        datasets.read(hostile, implicit_vr=False, deflated=True, longest=2**24)

    meant = datasets.write(completed(series(images=5000)), implicit_vr=False, deflated=True)
    assert bounds.elements_at_most(len(meant)) > 3 * 5000
    assert datasets.read(meant, implicit_vr=False, deflated=True, longest=2**24)


@pytest.mark.acceptance("CL98")
def test_a_mark_that_comes_while_a_report_is_read_is_known_to_it_and_the_report_wins(
    item: WorklistItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = points.rules_by

    def marked_meanwhile(*args: Any) -> points.DeviceRules:
        elsewhere(lambda: moves.mark_performed(item, actor="bob", confirmed=True))
        return read(*args)

    monkeypatch.setattr(points, "rules_by", marked_meanwhile)
    made = new_uid()
    performing.begin(made, begun(item), sender=MR1)

    item.refresh_from_db()
    assert (item.performed_procedure_step_status, item.performed_by_evidence) == (Status.IN_PROGRESS, "")
    link = PerformedStep.objects.get(sop_instance_uid=made).links.get()
    assert (link.status_before, link.evidence_before) == (Status.COMPLETED, PerformedBy.PERSON)


@pytest.mark.acceptance("CL98")
def test_whichever_of_a_mark_and_a_report_is_first_the_report_wins(item: WorklistItem) -> None:
    together = threading.Barrier(2, timeout=SECONDS)

    def mark() -> None:
        together.wait()
        with suppress(StatusRefused):  # the report was first
            moves.mark_performed(item, actor="bob", confirmed=True)

    def report() -> None:
        together.wait()
        performing.begin(new_uid(), begun(item), sender=MR1)

    threads = [threading.Thread(target=elsewhere, args=(act,)) for act in (mark, report)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)

    item.refresh_from_db()
    assert (item.performed_procedure_step_status, item.performed_by_evidence) == (Status.IN_PROGRESS, "")
    assert PerformedStep.objects.get().links.count() == 1
