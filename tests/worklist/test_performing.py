"""People act on performed steps, and items follow; the scanner is in test_mpps_server.py."""

from __future__ import annotations

import pytest

from tests.worklist.conftest import make_item
from tests.worklist.performed_rows import make_step
from worklist.examinations import performing
from worklist.items import lifecycle
from worklist.models import (
    Evidence,
    PerformedStatus,
    PerformedStep,
    PerformedStepItem,
    Status,
    WorklistItem,
)

pytestmark = pytest.mark.django_db

RUNS, DONE, STOPPED = PerformedStatus


@pytest.fixture
def item() -> WorklistItem:
    made: WorklistItem = make_item(1)
    made.save()
    return made


def status_of(item: WorklistItem) -> str:
    item.refresh_from_db()
    return str(item.performed_procedure_step_status)


def wrong_entry() -> dict[str, object]:
    code = {"00080100": {"vr": "SH", "Value": ["110514"]}, "00080102": {"vr": "SH", "Value": ["DCM"]}}
    return {"00400281": {"vr": "SQ", "Value": [code]}}


@pytest.mark.parametrize("to", [DONE, STOPPED])
def test_a_step_that_never_ends_is_closed_by_a_person_and_its_items_follow(
    item: WorklistItem, to: PerformedStatus
) -> None:
    step = make_step(item, status=RUNS)
    performing.close(step, to=to, actor="alice", reason="The scanner was switched off.")
    step.refresh_from_db()
    assert (step.status, step.finished_at is not None) == (to, True)
    assert status_of(item) == to.value
    for record in (step.history.first(), item.history.first()):
        assert record.history_user == "alice"
        assert record.history_change_reason == "The scanner was switched off."


@pytest.mark.parametrize("status", [DONE, STOPPED])
def test_what_has_ended_is_not_closed_again(item: WorklistItem, status: PerformedStatus) -> None:
    step = make_step(item, status=status)
    with pytest.raises(performing.StepChangeRefused, match="ended already"):
        performing.close(step, to=DONE, actor="alice", reason="")
    assert step.history.count() == 1


def test_a_step_is_not_closed_as_in_progress(item: WorklistItem) -> None:
    with pytest.raises(performing.StepChangeRefused):
        performing.close(make_step(item, status=RUNS), to=RUNS, actor="alice", reason="")


@pytest.mark.parametrize(
    ("others", "to", "then"),
    [
        pytest.param([RUNS], DONE, Status.IN_PROGRESS, id="another still runs"),
        pytest.param([RUNS, DONE], STOPPED, Status.IN_PROGRESS, id="another still runs, one is done"),
        pytest.param([DONE], STOPPED, Status.COMPLETED, id="D126: an appended one is stopped"),
        pytest.param([STOPPED], DONE, Status.COMPLETED, id="repeated after it was stopped"),
        pytest.param([STOPPED], STOPPED, Status.DISCONTINUED, id="stopped twice"),
    ],
)
def test_an_item_of_several_steps_follows_them_all(
    item: WorklistItem, others: list[PerformedStatus], to: PerformedStatus, then: Status
) -> None:
    for status in others:
        make_step(item, status=status)
    performing.close(make_step(item, status=RUNS), to=to, actor="alice", reason="")
    assert status_of(item) == then


@pytest.mark.acceptance("D213")
@pytest.mark.parametrize(
    ("status", "then"),
    [(RUNS, Status.IN_PROGRESS), (DONE, Status.COMPLETED), (STOPPED, Status.DISCONTINUED)],
)
def test_an_item_that_a_person_links_follows_the_step(
    item: WorklistItem, status: PerformedStatus, then: Status
) -> None:
    step = make_step(status=status)
    performing.link(step, item, actor="alice", reason="The same day, the same person.")
    assert status_of(item) == then
    linked = step.links.get()
    assert (linked.evidence, linked.status_before) == (Evidence.PERSON, Status.SCHEDULED)
    assert (linked.linked_by, str(linked)) == ("alice", f"{item}: alice")
    for record in (linked.history.first(), item.history.first()):
        assert record.history_user == "alice"
        assert record.history_change_reason.startswith("Linked by alice: The same day, the same person.")


def test_an_item_is_linked_once(item: WorklistItem) -> None:
    step = make_step(item, status=DONE)
    with pytest.raises(performing.StepChangeRefused, match="already"):
        performing.link(step, item, actor="alice")
    assert step.links.count() == 1


@pytest.mark.parametrize(
    ("before", "others", "then"),
    [
        (Status.SCHEDULED, [], Status.SCHEDULED),
        (Status.DISCONTINUED, [], Status.SCHEDULED),
        (Status.CANCELLED, [], Status.CANCELLED),
        (Status.SCHEDULED, [DONE], Status.COMPLETED),
        (Status.SCHEDULED, [RUNS], Status.IN_PROGRESS),
    ],
)
def test_a_link_taken_back_leaves_the_item_as_its_other_steps_tell(
    item: WorklistItem, before: Status, others: list[PerformedStatus], then: Status
) -> None:
    WorklistItem.objects.update(performed_procedure_step_status=before)
    item.refresh_from_db()
    for status in others:
        make_step(item, status=status)
    step = make_step(status=DONE)
    performing.link(step, item, actor="alice")
    performing.unlink(step, item, actor="alice", reason="Another visit.")
    assert status_of(item) == then
    assert not step.links.exists()
    gone = PerformedStepItem.history.first()
    assert (gone.history_type, gone.history_user, gone.history_change_reason) == (
        "-",
        "alice",
        "Unlinked by alice: Another visit.",
    )


def stopped_by(step: PerformedStep) -> None:
    performing.close(step, to=STOPPED, actor="alice", reason="")


@pytest.mark.acceptance("D212")
def test_an_item_that_was_stopped_stays_so_when_a_step_beside_is_unlinked(item: WorklistItem) -> None:
    first, beside = make_step(status=RUNS), make_step(status=RUNS)
    for step in (first, beside):
        performing.link(step, item, actor="alice")
    stopped_by(first)
    assert status_of(item) == Status.IN_PROGRESS
    performing.unlink(beside, item, actor="alice")
    assert status_of(item) == Status.DISCONTINUED
    performing.link(beside, item, actor="alice")
    stopped_by(beside)
    performing.unlink(first, item, actor="alice")
    assert status_of(item) == Status.DISCONTINUED
    performing.unlink(beside, item, actor="alice")
    assert status_of(item) == Status.SCHEDULED


@pytest.mark.acceptance("D212")
def test_what_a_person_said_since_stays_when_a_step_is_unlinked(item: WorklistItem) -> None:
    first, wrong = make_step(status=STOPPED), make_step(status=STOPPED)
    for step in (first, wrong):
        performing.link(step, item, actor="alice")
    lifecycle.move(item, to=Status.SCHEDULED, actor="bob")
    performing.unlink(first, item, actor="alice")
    assert status_of(item) == Status.SCHEDULED
    performing.link(first, item, actor="alice")
    assert status_of(item) == Status.DISCONTINUED
    performing.unlink(first, item, actor="alice")
    assert status_of(item) == Status.SCHEDULED  # as it was before this step came
    lifecycle.move(item, to=Status.CANCELLED, actor="bob")
    performing.unlink(wrong, item, actor="alice")
    assert status_of(item) == Status.CANCELLED


@pytest.mark.acceptance("D212")
def test_an_item_that_was_cancelled_before_all_its_steps_is_cancelled_after_them(item: WorklistItem) -> None:
    lifecycle.move(item, to=Status.CANCELLED, actor="bob")
    steps = [make_step(status=RUNS) for _ in range(3)]
    for step in steps:
        performing.link(step, item, actor="alice")
    for step in steps[:2]:
        performing.unlink(step, item, actor="alice")
        assert status_of(item) == Status.IN_PROGRESS
    assert steps[2].links.get().status_before == Status.CANCELLED
    performing.unlink(steps[2], item, actor="alice")
    assert status_of(item) == Status.CANCELLED


def test_what_is_not_linked_is_not_unlinked(item: WorklistItem) -> None:
    with pytest.raises(performing.StepChangeRefused, match="not linked"):
        performing.unlink(make_step(status=DONE), item, actor="alice")


@pytest.mark.parametrize(
    ("before", "others", "then"),
    [
        pytest.param(Status.SCHEDULED, [], Status.SCHEDULED, id="D110"),
        pytest.param(Status.CANCELLED, [], Status.CANCELLED, id="it was cancelled before"),
        pytest.param(Status.DISCONTINUED, [STOPPED], Status.SCHEDULED, id="it was stopped before"),
        pytest.param(Status.COMPLETED, [DONE], Status.COMPLETED, id="it was done before"),
    ],
)
def test_an_item_that_was_selected_by_mistake_is_as_it_was(
    item: WorklistItem, before: Status, others: list[PerformedStatus], then: Status
) -> None:
    for status in others:
        make_step(item, status=status)
    WorklistItem.objects.update(performed_procedure_step_status=before)
    item.refresh_from_db()
    step = make_step(item, status=RUNS, dataset=wrong_entry())
    performing.close(step, to=STOPPED, actor="alice", reason="")
    assert status_of(item) == then


@pytest.mark.acceptance("D109")
@pytest.mark.parametrize(
    ("policy", "then"), [("discontinued", Status.DISCONTINUED), ("scheduled", Status.SCHEDULED)]
)
def test_the_policy_says_what_a_discontinued_examination_leaves(
    item: WorklistItem, settings: pytest.FixtureRequest, policy: str, then: Status
) -> None:
    settings.MPPS_DISCONTINUED = policy  # type: ignore[attr-defined]
    performing.close(make_step(item, status=RUNS), to=STOPPED, actor="alice", reason="")
    assert status_of(item) == then


@pytest.mark.acceptance("D123")
def test_all_items_of_a_group_follow() -> None:
    items = [make_item(number) for number in (1, 2, 3)]
    for each in items:
        each.save()
    performing.close(make_step(*items, status=RUNS), to=DONE, actor="alice", reason="")
    assert {status_of(each) for each in items} == {Status.COMPLETED}
