"""Appointments are moved, swapped, marked and cancelled, and all of that is taken back.

Not here: the list's actions (test_admin.py), dragging and keys (test_moves_browser.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from tests.admin_pages import queries_of, said, undo_token
from tests.effort import tries
from tests.worklist import reported
from tests.worklist.item_pages import LIST, act
from tests.worklist.performed_steps import completed
from worklist.admin import sentences, undo
from worklist.attention import points
from worklist.attention.stock_notes import NOTES
from worklist.examinations import performing
from worklist.items import double_booking, intake, lifecycle, moves
from worklist.models import Attention, AttentionKind, Device, Status, WorklistItem

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate
UNDO = reverse("admin:worklist_undo")
INDEX = reverse("admin:index")


def an_item(name: str = "Díaz^Ana", **values: Any) -> WorklistItem:
    least = {
        "patient_name": name,
        "patient_id": name,
        "modality": "MR",
        "scheduled_start_date": TODAY(),
        "scheduled_start_time": time(9, 0),
        "scheduled_station_aetitle": "MR1",
    }
    return intake.create({**least, **values}, actor="alice")


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def page_of(item: WorklistItem) -> str:
    return reverse("admin:worklist_booking", args=[item.pk])


def seen(item: WorklistItem) -> dict[str, Any]:
    """Return where a page shows the item."""
    return {
        "seen_date": item.scheduled_start_date.isoformat(),
        "seen_time": item.scheduled_start_time.isoformat(),
        "seen_station": item.scheduled_station_aetitle,
    }


def do(client: Client, item: WorklistItem, what: str, **sent: Any) -> Any:
    return client.post(page_of(item), {"do": what, **seen(item), **sent}, follow=True)


def take_back(client: Client, done: Any, **sent: Any) -> Any:
    return client.post(UNDO, {"token": undo_token(done), **sent}, follow=True)


def state_of(item: WorklistItem) -> tuple[Any, ...]:
    fresh = WorklistItem.objects.get(pk=item.pk)
    return tuple(getattr(fresh, field) for field in (*moves.PLACE, moves.STATUS, moves.ARRIVED))


def words(day: date) -> str:
    return sentences.in_words(day)


MOVES: list[tuple[str, dict[str, Any], Callable[[], str]]] = [
    ("day", {}, lambda: f"Ana Díaz was moved to {words(TODAY() + timedelta(days=1))}, 09:00."),
    ("week", {}, lambda: f"Ana Díaz was moved to {words(TODAY() + timedelta(days=7))}, 09:00."),
    ("move", {"scheduled_start_time": "10:15"}, lambda: "Ana Díaz was moved to today, 10:15."),
    (
        "move",
        {"scheduled_start_time": "10:15", "scheduled_station_aetitle": "MR2"},
        lambda: "Ana Díaz was moved to today, 10:15, MR2.",
    ),
    ("move", {"scheduled_start_time": ""}, lambda: "Ana Díaz was moved to today."),
    ("arrived", {}, lambda: "Ana Díaz has arrived."),
    ("did-not-come", {}, lambda: "Ana Díaz did not come: the appointment was cancelled."),
    ("cancel", {"reason": "Ill"}, lambda: "Ana Díaz was cancelled."),
]


@pytest.mark.acceptance("AD50", "AD51")
@pytest.mark.parametrize(("what", "sent", "sentence"), MOVES)
def test_each_move_names_who_and_is_taken_back_by_one_button(
    coordinator: Client, what: str, sent: dict[str, Any], sentence: Callable[[], str]
) -> None:
    item = an_item()
    before = state_of(item)

    done = do(coordinator, item, what, **sent)

    assert said(done)[0] == sentence()
    assert state_of(item) != before
    undone = take_back(coordinator, done)
    assert said(undone) == ["Undone for Ana Díaz."]
    assert state_of(item) == before
    last = item.history.first()
    assert (last.history_user_id, last.history_change_reason) == ("bob", "Undone")


def test_the_reasons_of_the_history_say_what_was_done(coordinator: Client) -> None:
    item = an_item()
    do(coordinator, item, "did-not-come")
    assert item.history.first().history_change_reason == "Did not come"


@pytest.mark.acceptance("AD52")
def test_two_change_places_and_change_back(coordinator: Client) -> None:
    ana, ben = an_item(), an_item("Okafor^Ben", scheduled_start_time="1030", scheduled_station_aetitle="MR2")
    places = state_of(ana)[:3], state_of(ben)[:3]

    done = do(coordinator, ana, "swap", other=ben.pk)

    assert said(done)[0] == (
        "Ana Díaz and Ben Okafor changed places: Ana Díaz today, 10:30, Ben Okafor today, 09:00."
    )
    assert (state_of(ben)[:3], state_of(ana)[:3]) == places
    assert said(take_back(coordinator, done)) == ["Undone for Ana Díaz and Ben Okafor."]
    assert (state_of(ana)[:3], state_of(ben)[:3]) == places


@pytest.mark.acceptance("AD51")
def test_what_somebody_changed_meanwhile_is_not_undone_and_named(coordinator: Client) -> None:
    ana, ben = an_item(), an_item("Okafor^Ben", scheduled_start_time="1030")
    done = do(coordinator, ana, "swap", other=ben.pk)
    intake.change(ben, {"scheduled_start_time": "1100"}, actor="alice")
    places = state_of(ana), state_of(ben)

    undone = take_back(coordinator, done)

    assert said(undone) == ["Nothing was undone: Ben Okafor was changed by somebody meanwhile."]
    assert (state_of(ana), state_of(ben)) == places


def test_a_second_press_undoes_nothing_more(coordinator: Client) -> None:
    item = an_item()
    done = do(coordinator, item, "day")
    take_back(coordinator, done)
    before = item.history.count()

    again = take_back(coordinator, done)

    assert said(again) == ["Nothing was undone: Ana Díaz was changed by somebody meanwhile."]
    assert item.history.count() == before


def test_an_undo_is_for_who_did_it_for_a_quarter_of_an_hour_and_for_whoever_may_still_change(
    client: Client, bob: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = an_item()
    client.force_login(bob)
    done = do(client, item, "day")
    moved = state_of(item)
    other = Client()
    other.force_login(alice)
    assert said(take_back(other, done)) == ["Nothing was undone: somebody else did that."]
    forged = client.post(UNDO, {"token": "1:2:3"}, follow=True)
    assert said(forged) == ["Nothing was undone: the button is not one of ours."]
    with monkeypatch.context() as later:
        later.setattr(undo, "MINUTES", -1)
        assert said(take_back(client, done)) == ["Nothing was undone: that can be done for -1 minutes."]
    bob.role = "read"
    bob.save()
    assert client.post(UNDO, {"token": undo_token(done)}).status_code == 403
    assert state_of(item) == moved


@pytest.mark.acceptance("AD51")
def test_the_button_names_nobody(coordinator: Client) -> None:
    done = do(coordinator, an_item(), "day")
    payload = str(signing.loads(undo_token(done), salt=undo.SALT))
    assert "Ana" not in payload
    assert "Díaz" not in payload


@pytest.mark.parametrize(
    ("status", "what", "why"),
    [
        (Status.IN_PROGRESS, "day", "An appointment that is “In progress” is not moved."),
        (Status.IN_PROGRESS, "cancel", "In progress cannot become cancelled."),
        (Status.IN_PROGRESS, "arrived", "Nobody is waited for: the appointment is “In progress”."),
        (Status.CANCELLED, "week", "An appointment that is “Cancelled” is not moved."),
        (Status.SCHEDULED, "put-back", "Scheduled cannot become scheduled."),
        (Status.SCHEDULED, "not-yet", "That is marked already."),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    coordinator: Client, status: Status, what: str, why: str
) -> None:
    item = an_item()
    if status != Status.SCHEDULED:
        lifecycle.move(item, to=status, actor="alice")
    before = state_of(item)
    assert said(do(coordinator, item, what)) == [f"Ana Díaz was left as it is: {why}"]
    assert state_of(item) == before


@pytest.mark.acceptance("AD53")
def test_a_move_of_what_has_moved_meanwhile_is_refused(coordinator: Client) -> None:
    item = an_item()
    sent = seen(item)
    intake.change(item, {"scheduled_start_date": TODAY() + timedelta(days=3)}, actor="alice")
    done = coordinator.post(page_of(item), {"do": "day", **sent}, follow=True)
    assert said(done) == [f"Ana Díaz was left as it is: {intake.MOVED}"]
    item.refresh_from_db()
    assert item.scheduled_start_date == TODAY() + timedelta(days=3)


@pytest.mark.acceptance("AD54")
def test_an_arrival_is_one_of_its_day_and_scanners_are_answered_as_before(coordinator: Client) -> None:
    item = an_item()
    do(coordinator, item, "arrived")
    item = WorklistItem.objects.get()
    assert item.has_arrived
    assert item.performed_procedure_step_status == Status.SCHEDULED

    moves.move(item, {"scheduled_start_date": TODAY() + timedelta(days=1)}, actor="bob")
    item = WorklistItem.objects.get()
    assert not item.has_arrived
    refused = do(coordinator, item, "arrived")
    assert "Only an appointment of today can be marked as arrived" in said(refused)[0]


def test_who_is_put_back_has_not_arrived(coordinator: Client) -> None:
    item = an_item()
    do(coordinator, item, "arrived")
    do(coordinator, item, "cancel")
    do(coordinator, item, "put-back")
    assert state_of(item)[3:] == (Status.SCHEDULED, None)


@pytest.mark.acceptance("AD50")
def test_every_move_returns_to_where_the_person_was(coordinator: Client) -> None:
    item = an_item()
    here = f"{reverse(LIST)}?when=today"
    for what in ("arrived", "day"):
        answer = coordinator.post(page_of(item), {"do": what, "next": here})
        assert answer["Location"] == here
    elsewhere = coordinator.post(page_of(item), {"do": "week", "next": "https://example.org/"})
    assert elsewhere["Location"] == INDEX


@pytest.mark.acceptance("AD50")
def test_an_action_of_the_list_returns_to_the_filtered_list(coordinator: Client) -> None:
    item = an_item()
    here = f"{reverse(LIST)}?when=today"
    chosen = {"action": "cancel_items", "_selected_action": [item.pk]}
    page = coordinator.post(here, chosen)
    assert f'action="{here}"' in page.content.decode()
    done = coordinator.post(here, {**chosen, "confirmed": "1", "reason": ""})
    assert done["Location"] == here
    from_its_page = coordinator.post(
        reverse(LIST), {**chosen, "action": "schedule_again", "confirmed": "1", "next": INDEX}
    )
    assert from_its_page.status_code == 302


@pytest.mark.acceptance("AD50")
@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["Ana"], "Ana"),
        (["Ana", "Ben"], "Ana and Ben"),
        (["Ana", "Ben", "Cem"], "Ana, Ben and Cem"),
        (["Ana", "Ben", "Cem", "Dan", "Eva"], "Ana, Ben and 3 others"),
    ],
)
def test_many_are_named_up_to_three(names: list[str], sentence: str) -> None:
    assert sentences.people(names) == sentence


@pytest.mark.acceptance("AD51")
def test_an_action_on_several_is_undone_for_all_of_them(coordinator: Client) -> None:
    items = [an_item(f"{name}^X") for name in ("Ana", "Ben", "Cem", "Dan")]
    done = act(coordinator, "cancel_items", items, confirmed="1", reason="")
    assert said(done) == ["X Ana, X Ben and 2 others were cancelled."]
    take_back(coordinator, done)
    assert not WorklistItem.objects.filter(performed_procedure_step_status=Status.CANCELLED).exists()


def test_what_has_no_way_back_offers_none(coordinator: Client) -> None:
    item = an_item()
    lifecycle.move(item, to=Status.IN_PROGRESS, actor="device:MR1")
    lifecycle.move(item, to=Status.DISCONTINUED, actor="device:MR1")
    done = do(coordinator, item, "cancel")
    assert said(done) == ["Ana Díaz was cancelled."]
    assert "undo-form" not in str(*done.context["messages"])


def test_a_reader_is_neither_shown_nor_let_move(client: Client, charlie: User) -> None:
    item = an_item()
    client.force_login(charlie)
    assert client.get(page_of(item)).status_code == 403
    assert client.post(page_of(item), {"do": "day"}).status_code == 403
    assert "booking-actions" not in client.get(INDEX).content.decode()


def test_the_index_offers_the_actions_of_each_booking(coordinator: Client) -> None:
    item = an_item()
    page = coordinator.get(INDEX).content.decode()
    assert f'action="{page_of(item)}"' in page
    assert "Ana has arrived" in page


def test_the_page_of_an_appointment_costs_the_same_on_a_busy_day(coordinator: Client) -> None:
    item = an_item()
    coordinator.get(page_of(item))  # what the header counts is remembered for a while
    few = queries_of(lambda: coordinator.get(page_of(item)))
    for number in range(12):
        an_item(f"P{number}^X", scheduled_start_time=f"{10 + number}00")
    assert queries_of(lambda: coordinator.get(page_of(item))) == few


@pytest.mark.acceptance("AD55")
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ["MR1 is booked at 09:00 already, for Ana Díaz."]),
        ({"scheduled_start_time": "0910"}, ["MR1 is booked at 09:00 already, for Ana Díaz."]),
        ({"scheduled_start_time": "0915"}, []),
        ({"scheduled_start_time": "0000"}, []),
        ({"scheduled_station_aetitle": "MR2"}, []),
        ({"scheduled_station_aetitle": "MR2\\MR1"}, ["MR1 is booked at 09:00 already, for Ana Díaz."]),
        (
            {"patient_id": "Díaz^Ana", "patient_name": "Díaz^Ana", "scheduled_start_time": "1500"},
            ["Ana Díaz is booked on the same day already, at 09:00."],
        ),
    ],
)
def test_a_double_booking_is_pointed_out(values: dict[str, Any], expected: list[str]) -> None:
    an_item()
    assert [found.sentence for found in double_booking.of(an_item("Okafor^Ben", **values))] == expected


@pytest.mark.acceptance("AD55")
def test_a_move_onto_a_booking_or_to_another_modality_is_done_and_pointed_out(coordinator: Client) -> None:
    Device.objects.create(ae_title="CT1", modality="CT")
    an_item(scheduled_station_aetitle="CT1")
    item = an_item("Okafor^Ben")
    done = do(coordinator, item, "move", scheduled_station_aetitle="CT1")
    assert said(done) == [
        "Ben Okafor was moved to today, 09:00, CT1.",
        "CT1 is for CT, and this is for MR.",
        "CT1 is booked at 09:00 already, for Ana Díaz.",
    ]


@pytest.mark.acceptance("AD56")
def test_an_unscheduled_examination_is_linked_by_one_button_and_unlinked_by_undo(
    coordinator: Client,
) -> None:
    item = reported.an_item(scheduled_start_date=TODAY())
    reported.updated(
        reported.unscheduled(item, PerformedProcedureStepStartDate=f"{TODAY():%Y%m%d}"), completed()
    )
    point = Attention.objects.open().get(kind=AttentionKind.UNSCHEDULED)
    short = coordinator.get(reverse("admin:worklist_attention_settle", args=[point.pk]))
    best = short.context["best"]
    assert (best.choice.item, best.doubts) == (item, ())
    assert "Link to John Doe, today" in short.content.decode()

    link = reverse("admin:worklist_performedstep_link", args=[point.step_id])
    done = coordinator.post(link, {"item": item.pk, "next": INDEX}, follow=True)

    assert done.redirect_chain[-1][0] == INDEX
    assert said(done) == ["Linked to John Doe, today."]
    assert not Attention.objects.open().filter(kind=AttentionKind.UNSCHEDULED).exists()
    assert said(take_back(coordinator, done)) == ["Undone for John Doe."]
    assert Attention.objects.open().filter(kind=AttentionKind.UNSCHEDULED).exists()
    item.refresh_from_db()
    assert item.performed_procedure_step_status == Status.SCHEDULED


@pytest.mark.acceptance("AD56")
@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({"PatientName": "Roe^Jane"}, "Name: Doe, John in the worklist, Roe, Jane at the scanner."),
        ({"PatientSex": "F"}, "Sex: M in the worklist, F at the scanner."),
    ],
)
def test_a_doubtful_candidate_is_looked_at_before_it_is_linked(
    coordinator: Client, changes: dict[str, str], doubt: str
) -> None:
    reported.unscheduled(reported.an_item(), **changes)
    point = Attention.objects.open().get(kind=AttentionKind.UNSCHEDULED)
    short = coordinator.get(reverse("admin:worklist_attention_settle", args=[point.pk]))
    assert doubt in short.context["best"].doubts
    assert ">Link to" not in short.content.decode()


@pytest.mark.acceptance("AD57")
@pytest.mark.parametrize("kind", list(AttentionKind))
def test_each_kind_is_resolved_by_a_ready_note_and_opened_again_by_undo(
    coordinator: Client, kind: AttentionKind
) -> None:
    point = reported.open_point(kind)
    note = NOTES[kind][0]
    short = coordinator.get(reverse("admin:worklist_attention_settle", args=[point.pk]))
    assert [each.text for each in short.context["stock_notes"]] == list(NOTES[kind])

    resolve = reverse("admin:worklist_attention_resolve", args=[point.pk])
    done = coordinator.post(resolve, {"stock": note, "note": "By phone.", "next": INDEX}, follow=True)

    assert done.redirect_chain[-1][0] == INDEX
    assert said(done)[0].startswith("Resolved for ")
    point.refresh_from_db()
    assert (point.resolved_by, point.note) == ("bob", f"{note} By phone.")
    take_back(coordinator, done)
    point.refresh_from_db()
    assert point.is_open
    assert point.note == ""


def test_what_resolved_by_itself_or_again_is_not_opened(coordinator: Client) -> None:
    point = reported.open_point(AttentionKind.DEVIATION)
    points.resolve(point, actor="bob", note="Seen")
    point.refresh_from_db()
    first = point.resolved_at
    assert first is not None
    Attention.objects.filter(pk=point.pk).update(resolved_at=first + timedelta(seconds=1))
    assert not points.reopen(point, resolved_at=first)
    Attention.objects.filter(pk=point.pk).update(resolved_by=points.BY_ITSELF)
    assert not points.reopen(point, resolved_at=first + timedelta(seconds=1))


def test_an_undo_of_a_link_that_is_gone_says_so(coordinator: Client, bob: User) -> None:
    item = reported.an_item()
    step = reported.unscheduled(item)
    link = reverse("admin:worklist_performedstep_link", args=[step.pk])
    done = coordinator.post(link, {"item": item.pk}, follow=True)
    performing.unlink(step, item, actor="alice", reason="Wrong")
    assert said(take_back(coordinator, done)) == ["Nothing was undone. It is not linked to this item."]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.integers(0, 2), st.integers(0, 3), st.sampled_from(["MR1", "MR2", ""])),
        st.tuples(st.just("swap"), st.integers(0, 2), st.integers(0, 2), st.just("")),
        st.tuples(st.just("arrive"), st.integers(0, 2), st.integers(0, 1), st.just("")),
        st.tuples(st.just("status"), st.integers(0, 2), st.integers(0, 1), st.just("")),
    ),
    max_size=6,
)


@pytest.mark.acceptance("AD51")
@settings(
    max_examples=tries(25, nightly=400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_whatever_was_done_all_undone_backwards_ends_where_it_began(steps: list[tuple[Any, ...]]) -> None:
    items = [an_item(f"P{number}^X", scheduled_start_time=time(9 + number)) for number in range(3)]
    before = [state_of(item) for item in items]
    done = [changes for step in steps if (changes := _done(items, step))]

    for changes in reversed(done):
        moves.undo([(each.item.pk, each.before, each.after) for each in changes], actor="bob")

    assert [state_of(item) for item in items] == before


def _done(items: list[WorklistItem], step: tuple[Any, ...]) -> list[moves.MadeChange]:
    """Do the step; return what can be undone of it, and nothing where it is refused."""
    what, number, choice, station = step
    item = items[number]
    try:
        if what == "move":
            place = {"scheduled_start_date": TODAY() + timedelta(days=choice), moves.PLACE[2]: station}
            return [change for change in [moves.move(item, place, actor="bob")] if change.before]
        if what == "swap":
            return moves.swap(item, items[choice], actor="bob")
        if what == "arrive":
            return [moves.mark_arrived(item, arrived=bool(choice), actor="bob")]
        to = Status.CANCELLED if choice else Status.SCHEDULED
        return [moves.give_status(item, to, actor="bob")]
    except lifecycle.StatusRefused:
        return []
