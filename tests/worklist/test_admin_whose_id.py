"""A coordinator is told whom the worklist knows under a patient ID, and answers whose it is.

The rule itself is in test_whose_id.py, what happens while typing in test_admin_browser.py.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.admin_pages import errors_in, fields_of
from tests.worklist.item_pages import change_url
from tests.worklist.test_whose_id import BOB, ZOE, create, written
from worklist.items import intake
from worklist.items.whose import Answer
from worklist.models import ConfirmedPerson, WorklistItem

pytestmark = pytest.mark.django_db

ADD = reverse("admin:worklist_worklistitem_add")
KNOWN = reverse("admin:worklist_known")


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def typed(person: dict[str, Any]) -> dict[str, Any]:
    family, given = person["patient_name"].split("^")
    born = person["patient_birth_date"]
    return {
        **person,
        "patient_birth_date": f"{born[:4]}-{born[4:6]}-{born[6:]}",
        "patient_name_family": family,
        "patient_name_given": given,
        "modality": "MR",
        "scheduled_start_date": f"{timezone.localdate():%Y-%m-%d}",
    }


def add(client: Client, person: dict[str, Any], **answer: str) -> Any:
    return client.post(ADD, {**fields_of(client, ADD), **typed(person), **answer})


def question_in(page: Any) -> str:
    return str(page.context["adminform"].form.question)


@pytest.mark.acceptance("D230")
def test_the_form_asks_whose_the_id_is(coordinator: Client) -> None:
    item = create(ZOE)
    page = add(coordinator, BOB)
    assert "carries this patient ID with another name and birth date and sex" in str(errors_in(page))
    text = page.content.decode()
    assert "Zoë" in text
    assert f"born 31 January 1990, female (item {item.pk})" in text
    assert 'value="another"' in text
    assert WorklistItem.objects.count() == 1


@pytest.mark.acceptance("D231", "D232")
@pytest.mark.parametrize(
    ("answer", "reason", "first", "people"),
    [
        ("same", "", "Roe^Bob", 2),
        ("another", "cousins", "Tremblay^Zoë", 2),
        ("another", "", "Tremblay^Zoë", 1),
    ],
)
def test_the_person_at_the_form_answers(
    coordinator: Client, answer: str, reason: str, first: str, people: int
) -> None:
    item = create(ZOE)
    asked = question_in(add(coordinator, BOB))
    add(coordinator, BOB, answer=answer, reason=reason, question=asked)
    assert written(item)[0] == first
    assert WorklistItem.objects.count() == people


@pytest.mark.parametrize(
    "change",
    [{"patient_birth_date": "1990-01-13"}, {"patient_weight_kg": "71"}, {"patient_name_family": "Roy"}],
)
def test_nothing_that_was_typed_of_one_person_reaches_the_next(
    coordinator: Client, change: dict[str, str]
) -> None:
    item = create(ZOE)
    open_page = fields_of(coordinator, change_url(item))
    intake.change(item, {**BOB, "patient_id": "P2"}, actor="alice")
    page = coordinator.post(change_url(item), {**open_page, **change})
    assert "Changed by someone else meanwhile" in str(errors_in(page)["patient_id"])
    assert written(item) == ("Roe^Bob", "1980-02-01", "M")
    assert item.patient_weight_kg is None
    coordinator.post(change_url(item), {**open_page, "station_name": "MR1"})
    item.refresh_from_db()
    assert item.station_name == "MR1"


def test_a_confirmed_person_that_lacks_something_is_told_that_alone(coordinator: Client) -> None:
    page = coordinator.post(reverse("admin:worklist_confirmedperson_add"), {})
    assert errors_in(page)["patient_id"] == ["This field is required."]


def test_an_answer_stays_where_something_else_is_wrong(coordinator: Client) -> None:
    create(ZOE)
    asked = question_in(add(coordinator, BOB))
    answered = {"answer": "another", "reason": "cousins", "question": asked}
    for wrong in (
        {"modality": "MRI"},
        {"patient_birth_date": "soon"},
        {"performing_physician_family": "A B"},
    ):
        page = add(coordinator, BOB, **answered, **wrong)
        assert "patient_id" not in errors_in(page)
        assert question_in(page) == asked
        assert "checked" in str(page.context["adminform"].form["answer"])
    assert add(coordinator, BOB, **answered).status_code == 302


def test_a_change_of_who_it_is_asks_and_is_answered_as_well(coordinator: Client) -> None:
    create(ZOE)
    bob = create({**BOB, "patient_id": "P2"})
    url = change_url(bob)
    form = {**fields_of(coordinator, url), "patient_id": "P1"}
    page = coordinator.post(url, form)
    assert "Whose is this patient ID?" in page.content.decode()
    coordinator.post(url, {**form, "answer": "another", "reason": "cousins", "question": question_in(page)})
    bob.refresh_from_db()
    assert bob.patient_id == "P1"


@pytest.mark.acceptance("D235")
@pytest.mark.parametrize("meanwhile", ["another ID is typed", "another person comes in"])
def test_an_answer_holds_for_no_other_question_than_the_page_asked(
    coordinator: Client, meanwhile: str
) -> None:
    create(ZOE)
    asked = question_in(add(coordinator, BOB))
    typed_now = BOB
    if meanwhile == "another ID is typed":
        typed_now = {**BOB, "patient_id": "P2"}
        kim = create({**BOB, "patient_id": "P2", "patient_name": "Kim^Lee"})
    else:
        kim = create({**ZOE, "patient_name": "Kim^Lee"}, answer=Answer(same_person=False), reason="cousins")
    page = add(coordinator, typed_now, answer="same", question=asked)
    assert "is it the same person" in str(errors_in(page))
    assert "checked" not in str(page.context["adminform"].form["answer"])
    assert written(kim)[0] == "Kim^Lee"
    assert question_in(page) not in {"", asked}


def test_who_is_known_is_told_while_the_form_is_filled_in(coordinator: Client) -> None:
    item = create(ZOE)
    create({**BOB, "patient_id": "p-1"})
    assert coordinator.post(KNOWN, {"patient_id": ""}).json() == {"known": [], "similar": []}
    answer = coordinator.post(KNOWN, typed({**BOB, "patient_sex": ""})).json()
    (known,) = answer["known"]
    assert known["differing"] == ["name", "birth date"]
    assert known["fields"] == {
        "patient_name": "Tremblay^Zoë",
        "patient_birth_date": "1990-01-31",
        "patient_sex": "F",
    }
    assert answer["similar"] == ["p-1"]
    assert coordinator.post(KNOWN, {**typed(ZOE), "item": item.pk}).json()["known"] == []
    assert len(coordinator.post(KNOWN, {**typed(ZOE), "item": "1" * 5000}).json()["known"]) == 1


def test_only_who_may_see_items_is_told_and_never_by_a_url(client: Client, coordinator: Client) -> None:
    assert coordinator.get(KNOWN).status_code == 405
    client.logout()
    assert client.post(KNOWN, {"patient_id": "P1"}).status_code == 302


def test_a_person_is_confirmed_ahead_for_a_source_and_it_is_taken_back(coordinator: Client) -> None:
    create(ZOE)
    url = reverse("admin:worklist_confirmedperson_add")
    form = {**fields_of(coordinator, url), **typed(BOB), "reason": "cousins"}
    assert coordinator.post(url, form).status_code == 302
    confirmed = ConfirmedPerson.objects.get()
    assert (confirmed.patient_name, confirmed.confirmed_by, confirmed.is_shared) == ("Roe^Bob", "bob", True)
    create(BOB)
    page = reverse("admin:worklist_confirmedperson_change", args=[confirmed.pk])
    assert "cousins" in coordinator.get(page).content.decode()
    coordinator.post(reverse("admin:worklist_confirmedperson_delete", args=[confirmed.pk]), {"post": "yes"})
    assert not ConfirmedPerson.objects.exists()
