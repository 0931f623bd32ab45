"""These tests use the admin as a coordinator does, through Django's test client.

Not here: what the pages look like and what needs a browser (test_admin_browser.py).
"""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.admin_pages import errors_in, fields_of, said, typed_name
from tests.worklist.activity import device_form
from tests.worklist.item_pages import LIST, act, change_url
from worklist.admin import confirmation
from worklist.items import intake, lifecycle
from worklist.models import Device, Status, WorklistItem

pytestmark = pytest.mark.django_db

ADD = "admin:worklist_worklistitem_add"
HISTORY = "admin:worklist_worklistitem_history"


def an_item(**values: Any) -> WorklistItem:
    least = {
        "patient_name": "Doe^John",
        "patient_id": "P1",
        "modality": "MR",
        "scheduled_start_date": "20260110",
    }
    return intake.create({**least, **values}, actor="alice")


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


@pytest.fixture
def reader(client: Client, charlie: User) -> Client:
    client.force_login(charlie)
    return client


def test_a_coordinator_adds_an_item_with_the_least(coordinator: Client) -> None:
    response = coordinator.post(
        reverse(ADD),
        {
            **fields_of(coordinator, reverse(ADD)),
            **typed_name("patient_name", "Roe^Richard"),
            "patient_id": " P7 ",
            "modality": "mr",
            "scheduled_start_date": "2026-01-10",
            "scheduled_station_aetitle": "MR1\\MR2",
            "patient_weight_lb": "154",
        },
        follow=True,
    )
    assert response.redirect_chain, errors_in(response)
    item = WorklistItem.objects.get()
    assert (item.patient_id, item.modality, item.stations) == ("P7", "MR", ["MR1", "MR2"])
    assert item.patient_weight_kg == Decimal("69.85")
    assert item.study_instance_uid
    assert item.scheduled_procedure_step_id
    assert item.history.get().history_user == "bob"


def test_a_wrong_value_is_shown_beside_its_field(coordinator: Client) -> None:
    sent = {
        **fields_of(coordinator, reverse(ADD)),
        "patient_name_family": "A\\B",
        "modality": "MR",
        "patient_id": "P",
    }
    response = coordinator.post(reverse(ADD), {**sent, "scheduled_start_date": "2026-01-10"})
    assert list(errors_in(response)) == ["patient_name"]
    assert not WorklistItem.objects.exists()


def test_an_untouched_form_writes_nothing(coordinator: Client) -> None:
    item = an_item(patient_weight_kg="70", extra_attributes={"MedicalAlerts": "Pacemaker"})
    response = coordinator.post(change_url(item), fields_of(coordinator, change_url(item)), follow=True)
    assert response.redirect_chain, errors_in(response)
    assert item.history.count() == 1


@pytest.mark.acceptance("D182", "D183")
def test_a_control_character_and_a_size_in_centimetres_are_shown_at_their_fields(coordinator: Client) -> None:
    item = an_item()
    sent = {
        **fields_of(coordinator, change_url(item)),
        "patient_name_family": "B\u00c3\x85",
        "extra_attributes": '{"PatientSize": 186}',
    }
    response = coordinator.post(change_url(item), sent)
    assert sorted(errors_in(response)) == ["extra_attributes", "patient_name"]
    item.refresh_from_db()
    assert (item.patient_name, item.extra_attributes) == ("Doe^John", {})


def test_a_form_left_open_does_not_undo_what_the_scanner_did(coordinator: Client) -> None:
    item = an_item()
    sent = fields_of(coordinator, change_url(item))
    lifecycle.move(item, to=Status.IN_PROGRESS, actor="device:MR1")
    coordinator.post(change_url(item), {**sent, "protocol_name": "BRAIN"})
    item.refresh_from_db()
    assert (item.performed_procedure_step_status, item.protocol_name) == (Status.IN_PROGRESS, "BRAIN")


def test_a_form_left_open_does_not_undo_another_persons_edit(coordinator: Client) -> None:
    item = an_item(patient_weight_kg="70")
    sent = fields_of(coordinator, change_url(item))
    intake.change(item, {"patient_weight_kg": "80"}, actor="alice")
    coordinator.post(change_url(item), {**sent, "protocol_name": "BRAIN"})
    item.refresh_from_db()
    assert (item.patient_weight_kg, item.protocol_name) == (Decimal("80.00"), "BRAIN")


def test_two_edits_of_one_field_are_a_conflict_that_is_shown(coordinator: Client) -> None:
    item = an_item(patient_weight_kg="70")
    sent = fields_of(coordinator, change_url(item))
    intake.change(item, {"patient_weight_kg": "80"}, actor="alice")
    response = coordinator.post(change_url(item), {**sent, "patient_weight_kg": "75"})
    assert list(errors_in(response)) == ["patient_weight_kg"]
    item.refresh_from_db()
    assert item.patient_weight_kg == Decimal("80.00")


def test_the_status_is_no_field_of_the_form(coordinator: Client) -> None:
    item = an_item()
    sent = {**fields_of(coordinator, change_url(item)), "performed_procedure_step_status": "COMPLETED"}
    coordinator.post(change_url(item), sent)
    item.refresh_from_db()
    assert item.performed_procedure_step_status == Status.SCHEDULED


@pytest.mark.acceptance("D150")
def test_the_history_names_who_changed_what(coordinator: Client) -> None:
    item = an_item(patient_weight_kg="70")
    coordinator.post(
        change_url(item), {**fields_of(coordinator, change_url(item)), "patient_weight_kg": "71"}
    )
    page = coordinator.get(reverse(HISTORY, args=[item.pk])).content.decode()
    for text in ("bob", "alice", "Patient weight (kg)", "70.00", "71.00", "Created"):
        assert text in page


def test_the_page_shows_the_answer_as_the_scanner_gets_it(coordinator: Client) -> None:
    item = an_item(patient_name="Müller^Jörg", patient_weight_kg="70", protocol_name="BRAIN")
    page = coordinator.get(change_url(item)).content.decode()
    for text in (
        "(0010,0010)",
        "Müller^Jörg",
        "(0040,0002)",
        "20260110",
        "000000",
        "(0010,1030)",
        "ISO_IR 100",
    ):
        assert text in page


def test_cancelling_asks_first_and_names_whom_it_skipped(coordinator: Client) -> None:
    items = [an_item(patient_id=name, patient_name=f"Roe^{name}") for name in ("Ada", "Ben", "Cem", "Dan")]
    lifecycle.move(items[2], to=Status.IN_PROGRESS, actor="device:MR1")
    lifecycle.move(items[3], to=Status.IN_PROGRESS, actor="device:MR1")
    page = act(coordinator, "cancel_items", items)
    assert "Cancel these appointments?" in page.content.decode()
    assert not WorklistItem.objects.filter(performed_procedure_step_status=Status.CANCELLED).exists()

    done = act(coordinator, "cancel_items", items, confirmed="1", reason="Scanner down")
    assert said(done) == [
        "Ada Roe and Ben Roe were cancelled.",
        "Cem Roe and Dan Roe were skipped: In progress cannot become cancelled.",
    ]
    cancelled = WorklistItem.objects.filter(performed_procedure_step_status=Status.CANCELLED)
    assert set(cancelled) == set(items[:2])
    newest = items[0].history.first()
    assert (newest.history_user, newest.history_change_reason) == ("bob", "Scanner down")


def test_rescheduling_moves_what_has_not_begun(coordinator: Client) -> None:
    items = [an_item(scheduled_start_time="0930"), an_item(scheduled_start_time="1030"), an_item()]
    lifecycle.move(items[2], to=Status.IN_PROGRESS, actor="device:MR1")
    done = act(
        coordinator, "reschedule_items", items, confirmed="1", scheduled_start_date="2026-02-01", reason=""
    )
    assert said(done) == [
        "John Doe and John Doe were moved.",
        "John Doe was skipped: An appointment that is “In progress” is not moved.",
        "Sunday, 1 February 2026 has passed.",
    ]
    moved = WorklistItem.objects.filter(scheduled_start_date=date(2026, 2, 1)).order_by("pk")
    assert [item.scheduled_start_time for item in moved] == [time(9, 30), time(10, 30)]


def test_rescheduling_without_a_date_asks_again(coordinator: Client) -> None:
    item = an_item()
    page = act(coordinator, "reschedule_items", [item], confirmed="1", scheduled_start_date="")
    assert "This field is required." in page.content.decode()
    item.refresh_from_db()
    assert item.scheduled_start_date == date(2026, 1, 10)


def test_more_items_than_a_page_can_ask_about_are_left_alone(
    coordinator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirmation, "MOST_AT_ONCE", 1)
    items = [an_item(), an_item()]
    done = act(coordinator, "cancel_items", items, confirmed="1", reason="")
    assert said(done) == ["Choose at most 1 at once: nothing was done."]
    assert not WorklistItem.objects.filter(performed_procedure_step_status=Status.CANCELLED).exists()


def test_a_forged_first_value_is_refused_and_not_an_error(coordinator: Client) -> None:
    item = an_item(patient_weight_kg="70")
    sent = {**fields_of(coordinator, change_url(item)), "patient_weight_kg": "71"}
    response = coordinator.post(change_url(item), {**sent, "initial-patient_weight_kg": "nonsense"})
    assert list(errors_in(response)) == ["patient_weight_kg"]


def test_duplicating_schedules_a_repeat_visit(coordinator: Client) -> None:
    item = an_item()
    done = act(coordinator, "duplicate_items", [item], confirmed="1", scheduled_start_date="2026-02-01")
    assert said(done) == ["John Doe was scheduled again.", "Sunday, 1 February 2026 has passed."]
    again = WorklistItem.objects.exclude(pk=item.pk).get()
    assert (again.patient_id, again.scheduled_start_date) == ("P1", date(2026, 2, 1))
    assert again.study_instance_uid != item.study_instance_uid


def test_a_cancelled_item_is_put_back(coordinator: Client) -> None:
    items = [an_item(), an_item()]
    lifecycle.move(items[0], to=Status.CANCELLED, actor="alice")
    done = act(coordinator, "schedule_again", items)
    assert said(done) == [
        "John Doe was put back to scheduled.",
        "John Doe was skipped: Scheduled cannot become scheduled.",
    ]


def test_an_items_page_offers_what_its_status_allows(coordinator: Client) -> None:
    item = an_item()
    offered = coordinator.get(change_url(item)).content.decode()
    assert ("Cancel…" in offered, "Put back to scheduled" in offered) == (True, False)
    lifecycle.move(item, to=Status.CANCELLED, actor="alice")
    offered = coordinator.get(change_url(item)).content.decode()
    assert ("Cancel…" in offered, "Put back to scheduled" in offered) == (False, True)
    WorklistItem.objects.update(performed_procedure_step_status=Status.COMPLETED)
    offered = coordinator.get(change_url(item)).content.decode()
    assert ("Cancel…" in offered, "Put back to scheduled" in offered) == (False, False)


def test_items_are_never_deleted_from_the_list(coordinator: Client) -> None:
    an_item()
    assert "delete_selected" not in coordinator.get(reverse(LIST)).content.decode()


def test_a_deleted_item_is_kept_in_the_history_with_who_did_it(coordinator: Client) -> None:
    item = an_item()
    url = reverse("admin:worklist_worklistitem_delete", args=[item.pk])
    assert "search word" not in coordinator.get(url).content.decode().lower()
    coordinator.post(url, {"post": "yes"})
    assert not WorklistItem.objects.exists()
    last = WorklistItem.history.filter(id=item.pk).first()
    assert (last.history_type, last.history_user, last.patient_id) == ("-", "bob", "P1")


def names_in(client: Client, query: str) -> set[str]:
    return {item.patient_id for item in client.get(f"{reverse(LIST)}?{query}").context["cl"].result_list}


def test_the_list_is_filtered_by_day_status_modality_station_and_source(coordinator: Client) -> None:
    today = timezone.localdate()
    an_item(patient_id="today", scheduled_start_date=today, scheduled_station_aetitle="MR1\\MR2")
    an_item(patient_id="tomorrow", scheduled_start_date=today + timedelta(days=1), modality="CT")
    an_item(patient_id="late", scheduled_start_date=today - timedelta(days=1), data_source="redcap")
    gone = an_item(patient_id="gone", scheduled_start_date=today - timedelta(days=2), data_source="redcap")
    lifecycle.move(gone, to=Status.CANCELLED, actor="alice")
    assert names_in(coordinator, "when=today") == {"today"}
    assert names_in(coordinator, "when=tomorrow") == {"tomorrow"}
    assert names_in(coordinator, "when=week") == {"today", "tomorrow"}
    assert names_in(coordinator, "when=overdue") == {"late"}
    assert names_in(coordinator, "when=past") == {"late", "gone"}
    assert names_in(coordinator, "performed_procedure_step_status__exact=CANCELLED") == {"gone"}
    assert names_in(coordinator, "modality=CT") == {"tomorrow"}
    assert names_in(coordinator, "station=MR2") == {"today"}
    assert names_in(coordinator, "station=-") == {"tomorrow", "late", "gone"}
    assert names_in(coordinator, "source=redcap") == {"late", "gone"}
    assert names_in(coordinator, "source=-") == {"today", "tomorrow"}


def test_search_finds_by_name_and_by_every_identifier(coordinator: Client) -> None:
    item = an_item(patient_name="Müller^Jörg", patient_id="P42")
    an_item(patient_id="other")
    for text in (
        "ller^J",
        "jorg mull",
        "Mueller",
        "P42",
        item.accession_number,
        item.requested_procedure_id,
        item.scheduled_procedure_step_id,
        item.study_instance_uid,
    ):
        assert names_in(coordinator, f"q={text}") == {"P42"}, text


def test_the_cost_of_the_list_does_not_grow_with_its_items(
    coordinator: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        an_item(patient_id=str(number))
    # On SQLite, statements that are kept are not counted: one for each value of a filter, and one more.
    with django_assert_max_num_queries(26 if connection.vendor == "postgresql" else 18):
        coordinator.get(reverse(LIST))


def test_the_index_shows_today_and_who_may_connect(coordinator: Client) -> None:
    an_item(patient_name="Now^Here", scheduled_start_date=timezone.localdate())
    an_item(patient_id="P2", scheduled_start_date=timezone.localdate() - timedelta(days=1))
    page = coordinator.get(reverse("admin:index")).content.decode()
    for text in ("Now, Here", "1 of an earlier day is still scheduled", "only programs on this computer"):
        assert text in page
    Device.objects.create(ae_title="MR1", name="Room 3")
    assert (
        'MR1</a> <span class="quiet">Room 3</span>'
        in coordinator.get(reverse("admin:index")).content.decode()
    )
    Device.objects.create(ae_title="*")
    assert (
        "lets in every AE title that has no row of its own"
        in coordinator.get(reverse("admin:index")).content.decode()
    )


def test_a_reader_looks_and_cannot_write(reader: Client) -> None:
    item = an_item()
    assert reader.get(change_url(item)).status_code == 200
    assert reader.get(reverse(ADD)).status_code == 403
    assert reader.post(change_url(item), {"patient_id": "P2"}).status_code == 403
    act(reader, "cancel_items", [item], confirmed="1", reason="")
    item.refresh_from_db()
    assert (item.patient_id, item.performed_procedure_step_status) == ("P1", Status.SCHEDULED)


def test_only_an_administrator_says_who_may_connect(client: Client, alice: User, bob: User) -> None:
    add = reverse("admin:worklist_device_add")
    client.force_login(bob)
    assert client.post(add, device_form(ae_title="MR1")).status_code == 403
    client.force_login(alice)
    client.post(add, device_form(ae_title="MR1"))
    device = Device.objects.get()
    assert (device.ae_title, device.history.get().history_user) == ("MR1", "alice")
    page = client.get(reverse("admin:worklist_device_history", args=[device.pk])).content.decode()
    assert "alice" in page


@pytest.mark.parametrize("ae_title", ["A" * 17, "MR\\1", "MÜ1", ""])
def test_an_ae_title_that_no_device_can_have_is_refused(client: Client, alice: User, ae_title: str) -> None:
    client.force_login(alice)
    response = client.post(reverse("admin:worklist_device_add"), device_form(ae_title=ae_title))
    assert list(errors_in(response)) == ["ae_title"]
