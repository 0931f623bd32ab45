"""Somebody is added in a few fields, by the same rules as in the whole form.

Not here: the dialog (test_moves_browser.py), the whole form (test_admin_item_form.py).
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.admin_pages import said, undo_token
from worklist.admin import quick_add
from worklist.items import intake
from worklist.models import ConfirmedPerson, Device, Status, WorklistItem

pytestmark = pytest.mark.django_db

ADD = reverse("admin:worklist_quick_add")
LOOK = reverse("admin:worklist_quick_add_look")
INDEX = reverse("admin:index")


def an_item(**values: Any) -> WorklistItem:
    least = {
        "patient_name": "Díaz^Ana^Maria",
        "patient_id": "P1",
        "patient_birth_date": "19800229",
        "patient_sex": "F",
        "modality": "MR",
        "scheduled_start_date": timezone.localdate(),
    }
    return intake.create({**least, **values}, actor="alice")


def typed(**values: Any) -> dict[str, Any]:
    return {
        "patient_name_family": "Okafor",
        "patient_name_given": "Ben",
        "patient_id": "P7",
        "scheduled_start_date": timezone.localdate().isoformat(),
        "scheduled_start_time": "09:30",
        "scheduled_station_aetitle": "MR1",
        **values,
    }


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    Device.objects.create(ae_title="MR1", modality="MR")
    client.force_login(bob)
    return client


@pytest.mark.acceptance("AD58")
def test_somebody_is_added_in_a_few_fields_and_undone(coordinator: Client) -> None:
    done = coordinator.post(
        ADD, typed(patient_weight_kg="71.5", protocol_name="BRAIN", next=INDEX), follow=True
    )

    assert done.redirect_chain[-1][0] == INDEX
    assert said(done)[0] == "Ben Okafor was added: today, 09:30, MR1."
    item = WorklistItem.objects.get()
    assert (item.patient_name, item.patient_id, item.modality) == ("Okafor^Ben", "P7", "MR")
    assert (item.patient_weight_kg, item.protocol_name) == (Decimal("71.50"), "BRAIN")
    assert item.history.get().history_user_id == "bob"

    coordinator.post(reverse("admin:worklist_undo"), {"token": undo_token(done)})
    item.refresh_from_db()
    assert item.performed_procedure_step_status == Status.CANCELLED


@pytest.mark.acceptance("AD58")
def test_today_the_only_scanner_and_the_next_free_time_are_filled_in(coordinator: Client) -> None:
    form = coordinator.get(ADD).context["form"]
    assert form["scheduled_start_date"].value() == timezone.localdate()
    assert form["scheduled_station_aetitle"].value() == "MR1"
    another = timezone.localdate() + timedelta(days=2)
    other_day = coordinator.get(ADD, {"day": another.isoformat()}).context["form"]
    assert other_day["scheduled_start_date"].value() == another
    assert other_day["scheduled_start_time"].value() is None
    Device.objects.create(ae_title="MR2")
    assert coordinator.get(ADD).context["form"]["scheduled_station_aetitle"].value() == ""
    assert coordinator.get(ADD, {"day": "13/13"}).status_code == 200


@pytest.mark.parametrize(
    ("now", "booked", "expected"),
    [
        ((9, 2), [], time(9, 5)),
        ((9, 5), [], time(9, 5)),
        ((9, 2), [time(9, 0)], time(9, 15)),
        ((9, 2), [time(9, 0), time(9, 20)], time(9, 35)),
        ((9, 2), [time(0, 0)], time(9, 5)),
        ((23, 58), [], None),
    ],
)
def test_the_next_free_time_is_clear_of_what_is_booked(
    now: tuple[int, int], booked: list[time], expected: time | None
) -> None:
    day = timezone.localdate()
    for at in booked:
        an_item(scheduled_start_time=at, scheduled_station_aetitle="MR1")
    moment = timezone.make_aware(datetime.combine(day, time(*now)))
    assert quick_add.next_free(day, "MR1", moment) == expected


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"patient_id": ""}, "patient_id"),
        ({"patient_name_family": "", "patient_name_given": ""}, "patient_name"),
        ({"patient_name_family": "Ben Okafor", "patient_name_given": ""}, "patient_name"),
        ({"patient_birth_date": "12/03/2015"}, "patient_birth_date"),
        ({"patient_weight_kg": "7000"}, "patient_weight_kg"),
        ({"modality": "MRI"}, "modality"),
        ({"scheduled_station_aetitle": ""}, "modality"),
    ],
)
def test_what_the_whole_form_refuses_is_refused_beside_its_field(
    coordinator: Client, values: dict[str, str], field: str
) -> None:
    answer = coordinator.post(ADD, typed(**values))
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert not WorklistItem.objects.exists()


@pytest.mark.acceptance("AD59")
def test_an_id_of_another_person_is_asked_about_and_the_answer_is_kept(coordinator: Client) -> None:
    an_item()
    asked = coordinator.post(ADD, typed(patient_id="P1"))
    form = asked.context["form"]
    assert form.known
    assert WorklistItem.objects.count() == 1
    answered = typed(patient_id="P1", question=form.question, answer="another", reason="Twins on paper")
    done = coordinator.post(ADD, answered, follow=True)
    assert said(done)[0].startswith("Ben Okafor was added")
    assert ConfirmedPerson.objects.filter(patient_id="P1", is_shared=True).count() == 2


@pytest.mark.acceptance("AD59")
@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"patient_id": "P1"}, "with another name"),
        (
            {
                "patient_id": "",
                "patient_name_family": "diaz",
                "patient_name_given": "Ana",
                "patient_birth_date": "1980-02-29",
            },
            "Known as P1",
        ),
    ],
)
def test_known_people_are_pointed_out_while_typing_and_nothing_is_filled_in(
    coordinator: Client, values: dict[str, str], part: str
) -> None:
    an_item()
    answer = coordinator.post(LOOK, typed(**values)).content.decode()
    assert part in answer
    assert "Díaz, Ana Maria" in answer
    assert "It is the same person" in answer
    assert "patient_name_middle" in answer
    assert WorklistItem.objects.count() == 1


@pytest.mark.acceptance("AD55")
def test_double_bookings_are_pointed_out_before_and_after_and_block_nothing(coordinator: Client) -> None:
    an_item(scheduled_start_time="0930", scheduled_station_aetitle="MR1")
    sentence = "MR1 is booked at 09:30 already, for Ana Maria Díaz."
    assert sentence in coordinator.post(LOOK, typed()).content.decode()
    assert sentence in said(coordinator.post(ADD, typed(), follow=True))


@pytest.mark.parametrize("values", [{}, {"patient_birth_date": "x", "scheduled_start_date": "y"}])
def test_looking_takes_what_is_not_whole_yet(coordinator: Client, values: dict[str, str]) -> None:
    assert coordinator.post(LOOK, values).status_code == 200


@pytest.mark.acceptance("AD58")
def test_more_fields_leads_to_the_whole_form_with_what_was_typed(coordinator: Client) -> None:
    answer = coordinator.post(ADD, typed(more="1", patient_birth_date="12/03/2015"))
    page = answer.content.decode()
    for value in ("Okafor", "Ben", "P7", "MR1", "12/03/2015"):
        assert f'value="{value}"' in page
    assert f'action="{reverse("admin:worklist_worklistitem_add")}"' in page
    assert not WorklistItem.objects.exists()


@pytest.mark.acceptance("AD60")
def test_a_known_participant_is_booked_again_with_a_weight_of_the_day(coordinator: Client) -> None:
    first = an_item(patient_weight_kg="70", protocol_name="BRAIN", hisris_coding_designator="SITE")
    page = coordinator.get(ADD, {"repeat": first.pk})
    assert page.context["form"]["protocol_name"].value() == "BRAIN"
    assert "Last time: 70 kg." in page.content.decode()
    shown = page.context["form"]["seen_person"].value()
    sent = typed(repeat=first.pk, seen_person=shown, protocol_name="BRAIN", patient_id="P9")

    done = coordinator.post(ADD, sent, follow=True)

    assert said(done)[0].startswith("Ana Maria Díaz was added")
    again = WorklistItem.objects.exclude(pk=first.pk).get()
    assert (again.patient_id, again.patient_name) == ("P1", first.patient_name)
    assert (again.patient_weight_kg, again.hisris_coding_designator) == (None, "SITE")
    assert coordinator.get(ADD, {"repeat": "0"}).status_code == 404
    assert coordinator.get(ADD, {"repeat": "x"}).status_code == 404


def test_a_refused_repeat_says_why_and_keeps_what_was_typed(coordinator: Client) -> None:
    first = an_item()
    answer = coordinator.post(ADD, typed(repeat=first.pk, patient_weight_kg="heavy"))
    assert answer.context["form"].non_field_errors()
    assert WorklistItem.objects.count() == 1


def test_who_may_not_add_is_let_neither_in_nor_look(client: Client, charlie: User) -> None:
    client.force_login(charlie)
    assert client.get(ADD).status_code == 403
    assert client.post(LOOK, typed()).status_code == 403
    assert ADD not in client.get(INDEX).content.decode()
