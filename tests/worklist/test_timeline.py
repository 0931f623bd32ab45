"""What happened to an item is told as one list, and nothing of it is made up.

Not here: how it stands on the item's page (test_admin_item_page.py).
"""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from tests.admin_pages import queries_of
from tests.worklist import reported
from tests.worklist.performed_steps import begun, completed, series
from worklist.answering import requests
from worklist.attention import points
from worklist.devices import offers
from worklist.examinations import performing
from worklist.items import intake, lifecycle
from worklist.models import Device, DeviceActivity, Status, WorklistItem
from worklist.timeline import asked, changes, readable
from worklist.timeline.entries import who
from worklist.timeline.whole import Timeline, timeline_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test run into another day: queries count on the item's own. Each look takes a millisecond."""
    at, ticks = timezone.localtime().replace(hour=12, minute=0), count()
    monkeypatch.setattr(timezone, "now", lambda: at + timedelta(milliseconds=next(ticks)))


def an_item(**values: Any) -> WorklistItem:
    least = {"patient_name": "Díaz^Ana", "patient_id": "P1", "modality": "MR", "patient_weight_kg": "70"}
    given = {**least, "scheduled_start_date": timezone.localdate(), **values}
    return intake.create(given, actor=given.pop("actor", "source:growing_brains"))


def texts(timeline: Timeline) -> list[str]:
    return [entry.text for entry in timeline.entries]


def a_query(ae_title: str = "MR1", **values: Any) -> DeviceActivity:
    """Keep the query that a scanner asks by itself, answered with one item."""
    device = Device.objects.of(ae_title)
    request = requests.usual_query(device, offers.offer_of(device, ae_title))
    kept = {
        "kind": "QUERY",
        "at": timezone.now(),
        "status": 0,
        "matches": 1,
        "identifier": request.identifier,
        **values,
    }
    return DeviceActivity.objects.create(ae_title=ae_title, implicit_vr=request.implicit_vr, **kept)


@pytest.mark.acceptance("AD70")
def test_a_day_is_told_from_the_source_to_the_last_image(monkeypatch: pytest.MonkeyPatch) -> None:
    start = timezone.now()

    def wait(minutes: int) -> None:
        monkeypatch.setattr(timezone, "now", lambda: start + timedelta(minutes=minutes))

    item = an_item(scheduled_station_aetitle="MR1", scheduled_start_time="0800")
    wait(1)
    intake.change(item, {"patient_weight_kg": "72"}, actor="anna", reason="Weighed at the door")
    wait(2)
    intake.change(item, {"scheduled_start_time": "0815"}, actor="anna")
    wait(3)
    a_query()
    wait(4)
    step = reported.reported(begun(item))
    wait(5)
    reported.updated(step, completed(*[series(number, images=151) for number in range(1, 15)]))

    timeline = timeline_of(item)

    assert texts(timeline) == [
        "Completed: 14 series, 2,114 images",
        "Started at MR1",
        "Asked for by MR1",
        "Moved by anna",
        "Edited by anna",
        "Made by the source growing_brains",
    ]
    edited = timeline.entries[4]
    assert (edited.changes, edited.note) == (("weight: 70 kg → 72 kg",), "Weighed at the door")
    assert timeline.entries[3].changes == ("time: 08:00 → 08:15",)
    assert timeline.entries[0].about == step


@pytest.mark.acceptance("AD70")
def test_points_and_links_are_told_with_who_saw_to_them() -> None:
    item = an_item(patient_weight_kg="70", actor="bob")
    step = reported.unscheduled(item, PatientWeight="95")
    performing.link(step, item, actor="anna")
    point = item.attention.open().get()
    points.resolve(point, actor="anna", note="The scale was wrong.")

    told = timeline_of(item).entries

    said = {entry.text: entry.note for entry in told}
    assert said["Resolved by anna: Weight differs"] == "The scale was wrong."
    assert "Linked to the examination by anna" in said
    assert "No longer so: Unscheduled examination" in said
    assert "Added by bob" in said
    assert not any("status" in text for text in said)  # the examination itself tells it


@pytest.mark.parametrize(
    ("to", "by", "expected"),
    [
        ((Status.CANCELLED,), "source:s", "Cancelled by the source s"),
        ((Status.CANCELLED, Status.SCHEDULED), "anna", "Put back to scheduled by anna"),
        ((Status.IN_PROGRESS,), "anna", "Given the status In progress by anna"),
    ],
)
def test_a_status_that_a_person_or_a_source_gave_is_told(
    to: tuple[Status, ...], by: str, expected: str
) -> None:
    item = an_item()
    for status in to:
        lifecycle.move(item, to=status, actor=by)

    assert texts(timeline_of(item))[0] == expected


class TestAsked:
    @pytest.fixture
    def item(self) -> WorklistItem:
        Device.objects.create(ae_title="MR1", modality="MR")
        return an_item(scheduled_station_aetitle="MR1")

    @staticmethod
    def moments_of(item: WorklistItem) -> list[asked.AskedBy]:
        return asked.asked_by(item, changes.records_of(item))

    @pytest.mark.acceptance("AD71")
    def test_the_first_and_the_last_query_that_was_answered_with_it(self, item: WorklistItem) -> None:
        first, *_, last = [a_query() for _ in range(3)]

        assert self.moments_of(item) == [("MR1", first.at, last.at)]

    @pytest.mark.acceptance("AD71")
    @pytest.mark.parametrize(
        "values",
        [{"matches": 0}, {"left_out": 1}, {"status": 0xC001}, {"identifier": b"nonsense"}],
        ids=str,
    )
    def test_what_was_not_surely_answered_is_left_out(
        self, item: WorklistItem, values: dict[str, Any]
    ) -> None:
        a_query(**values)

        assert self.moments_of(item) == []

    @pytest.mark.acceptance("AD71")
    def test_a_query_for_another_station_or_day_is_none_for_it(self, item: WorklistItem) -> None:
        a_query("CT1")
        other = an_item(patient_id="P2", scheduled_start_date=timezone.localdate() + timedelta(days=1))
        a_query()

        assert [each[0] for each in self.moments_of(item)] == ["MR1"]
        assert self.moments_of(other) == []

    @pytest.mark.acceptance("AD71")
    def test_a_weight_may_have_changed_since_and_what_is_matched_may_not(self, item: WorklistItem) -> None:
        query = a_query()
        intake.change(item, {"patient_weight_kg": "72"}, actor="anna")
        assert self.moments_of(item) == [("MR1", query.at, query.at)]

        intake.change(item, {"scheduled_station_aetitle": "MR1\\MR2"}, actor="anna")
        assert self.moments_of(item) == []

    @pytest.mark.acceptance("AD71")
    def test_rules_of_a_device_that_changed_since_say_nothing_of_then(
        self, item: WorklistItem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_query()
        later = timezone.now() + timedelta(minutes=1)
        monkeypatch.setattr(timezone, "now", lambda: later)
        Device.objects.get().save_as("alice")

        assert self.moments_of(item) == []

    def test_queries_after_the_examination_began_are_not_told(self, item: WorklistItem) -> None:
        query = a_query()
        records = changes.records_of(item)

        assert asked.asked_by(item, records, until=query.at - timedelta(seconds=1)) == []


@pytest.mark.acceptance("AD72")
def test_the_cost_does_not_grow_with_what_happened() -> None:
    Device.objects.create(ae_title="MR1", modality="MR")
    item = an_item(scheduled_station_aetitle="MR1")
    a_query()
    reported.reported(begun(item))
    few = queries_of(lambda: timeline_of(item))
    for number in range(12):
        intake.change(item, {"protocol_name": f"P{number}"}, actor="anna")
        reported.reported(begun(item, PatientSex="O"))
        a_query()

    assert queries_of(lambda: timeline_of(item)) <= few
    assert len(timeline_of(item).entries) > 12


@pytest.mark.parametrize(
    ("field", "given", "expected"),
    [
        ("patient_weight_kg", Decimal("70.00"), "70 kg"),
        ("patient_weight_kg", "71.50", "71.5 kg"),
        ("patient_weight_kg", None, "none"),
        ("patient_name", "Díaz^Ana", "Díaz, Ana"),
        ("patient_sex", "F", "Female"),
        ("patient_sex", "", "none"),
        ("scheduled_start_time", time(0, 0), "not known"),
        ("scheduled_start_time", "09:30:00", "09:30"),
        ("scheduled_start_date", "2026-01-10", "Sat 10 Jan 2026"),
        ("scheduled_start_date", date(2026, 1, 10), "Sat 10 Jan 2026"),
        ("scheduled_station_aetitle", "MR1\\MR2", "MR1, MR2"),
        ("performed_procedure_step_status", "IN_PROGRESS", "In progress"),
        ("PatientComments", "Calm", "Calm"),
        ("PregnancyStatus", 1, "1"),
    ],
)
def test_values_are_written_as_people_read_them(field: str, given: Any, expected: str) -> None:
    assert readable.value(field, given) == expected


def test_extra_attributes_differ_by_keyword_and_names_that_read_alike_keep_their_carets() -> None:
    old, new = {"A": "1", "B": "2"}, {"A": "1", "C": "3"}
    assert list(readable.changed("extra_attributes", old, new)) == ["B: 2 → none", "C: none → 3"]
    assert list(readable.changed("patient_name", "Doe^John Q", "Doe^John^Q")) == [
        "name: Doe^John Q → Doe^John^Q"
    ]


@pytest.mark.parametrize(
    ("actor", "expected"),
    [("anna", "anna"), ("source:s", "the source s"), ("device:MR1", "MR1"), (None, "somebody unknown")],
)
def test_an_actor_is_named_as_people_speak_of_it(actor: str | None, expected: str) -> None:
    assert who(actor) == expected


def test_who_gave_a_field_its_value_is_found_by_field_and_keyword() -> None:
    item = an_item()
    intake.change(item, {"patient_weight_kg": "72"}, actor="anna")
    intake.change(item, {"extra_attributes": {"PatientComments": "Calm"}}, actor="bob")
    intake.change(item, {"protocol_name": "BRAIN"}, actor="carl")

    found = changes.last_edits(changes.records_of(item), ("patient_weight_kg", "PatientComments", "modality"))

    assert {field: record.history_user_id for field, record in found.items()} == {
        "patient_weight_kg": "anna",
        "PatientComments": "bob",
    }
