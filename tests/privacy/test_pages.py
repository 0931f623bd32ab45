"""An administrator exports and erases on a page of the admin, and lets an erased record come in again."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from accounts.models import User
from pylantir_site.privacy.models import Erasure
from sources.models import ErasedRecord, SourceState
from tests.admin_pages import said, shown
from tests.sources.conftest import new_source, pull
from tests.sources.study import participant as enrolled
from tests.worklist.performed_steps import begun, completed
from tests.worklist.reported import an_item, reported, updated
from worklist.models import WorklistItem

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:privacy_participant")
LIST = reverse("admin:privacy_erasure_changelist")


@pytest.fixture
def administrator(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def looked_up(client: Client, patient_id: str = "P1") -> str:
    answer = client.post(PAGE, {"patient_id": patient_id})
    assert answer.status_code == 200
    return str(answer.content.decode())


def chosen(page: str, patient_id: str = "P1") -> dict[str, str]:
    (digest,) = set(re.findall(r'name="shown" value="(\w+)"', page))
    return {"patient_id": patient_id, "shown": digest}


@pytest.mark.acceptance("H68")
def test_it_shows_what_would_be_changed_and_erases_it_once_somebody_is_sure(administrator: Client) -> None:
    item = an_item()
    updated(reported(begun(item)), completed())
    page = looked_up(administrator)
    assert "Doe, John, born 1980-02-29: 1 items, 1 examinations" in page
    assert re.search(r"worklist items</th><td>1<", page)
    form = {**chosen(page), "erase": "1", "reason": "Consent withdrawn"}
    refused = administrator.post(PAGE, form).content.decode()
    assert "Tick the box if you are sure" in refused
    assert WorklistItem.objects.get().patient_id == "P1"

    done = administrator.post(PAGE, {**form, "sure": "on"}, follow=True)

    erasure = Erasure.objects.get()
    assert done.redirect_chain == [(LIST, 302)]
    assert (erasure.by, erasure.reason) == ("alice", "Consent withdrawn")
    assert said(done)[0] == (
        f"The participant was erased. The rows have the patient ID {erasure.pseudonym} since."
    )
    assert WorklistItem.objects.get().patient_id == erasure.pseudonym
    assert "Doe" not in done.content.decode()
    assert "Doe" not in shown(administrator, reverse("admin:privacy_erasure_change", args=[erasure.pk]))


@pytest.mark.acceptance("H68")
def test_what_the_administrator_searched_for_does_not_come_back_with_their_session(
    administrator: Client,
) -> None:
    an_item()
    administrator.post(reverse("admin:search"), {"q": "Doe"})
    form = {**chosen(looked_up(administrator)), "erase": "1", "reason": "R", "sure": "on"}

    administrator.post(PAGE, form)

    assert "kept_searches" not in administrator.session


@pytest.mark.acceptance("H68")
@pytest.mark.parametrize(
    ("reason", "answer"),
    [("Doe asked", "The reason names the participant"), ("", "This field is required")],
)
def test_it_says_why_nothing_was_erased(administrator: Client, reason: str, answer: str) -> None:
    an_item()
    form = {**chosen(looked_up(administrator)), "erase": "1", "reason": reason, "sure": "on"}

    assert answer in administrator.post(PAGE, form).content.decode()

    assert not Erasure.objects.exists()


@pytest.mark.acceptance("H68")
def test_while_an_examination_runs_it_says_so_and_has_no_button(administrator: Client) -> None:
    reported(begun(an_item()))

    page = looked_up(administrator)

    assert "An examination of this participant runs" in page
    assert 'name="erase"' not in page


@pytest.mark.acceptance("H68")
def test_who_was_shown_and_is_another_by_now_is_not_erased(administrator: Client) -> None:
    an_item()
    form = {**chosen(looked_up(administrator)), "erase": "1", "reason": "R", "sure": "on"}
    an_item()

    page = administrator.post(PAGE, form).content.decode()

    assert "has changed meanwhile" in page
    assert not Erasure.objects.exists()


@pytest.mark.acceptance("H68")
def test_nobody_is_said(administrator: Client) -> None:
    assert "Nobody is known under this patient ID" in looked_up(administrator, "P404")


@pytest.mark.acceptance("H66")
def test_it_exports_all_that_is_known(administrator: Client) -> None:
    item = an_item(patient_weight_kg="61.37")
    updated(reported(begun(item, PatientSex="F")), completed())

    answer = administrator.post(PAGE, {**chosen(looked_up(administrator)), "export": "1"})

    assert "no-store" in answer["Cache-Control"]
    file = zipfile.ZipFile(io.BytesIO(answer.content))
    known = json.loads(file.read("participant.json"))["known"]
    assert known["worklist_items"][0]["patient_weight_kg"] == "61.37"
    assert "Doe, John" in file.read("overview.txt").decode()


@pytest.mark.acceptance("H68")
def test_an_items_page_leads_an_administrator_there_without_an_id_in_an_address(
    administrator: Client, bob: User
) -> None:
    item = an_item()
    page = shown(administrator, reverse("admin:worklist_worklistitem_change", args=[item.pk]))
    assert f'action="{PAGE}"' in page
    coordinator = Client()
    coordinator.force_login(bob)
    theirs = shown(coordinator, reverse("admin:worklist_worklistitem_change", args=[item.pk]))
    assert PAGE not in theirs


@pytest.mark.acceptance("H70")
def test_an_erased_items_page_is_for_looking_alone(administrator: Client) -> None:
    item = an_item()
    form = {**chosen(looked_up(administrator)), "erase": "1", "reason": "R", "sure": "on"}
    administrator.post(PAGE, form)
    url = reverse("admin:worklist_worklistitem_change", args=[item.pk])

    page = shown(administrator, url)

    assert "ERASED" in page
    assert 'name="_save"' not in page
    assert PAGE not in page
    assert administrator.post(url, {"patient_name": "Doe^John"}).status_code == 403
    for other in ("history", "missing"):
        assert administrator.get(f"/admin/worklist/worklistitem/{item.pk}/{other}/").status_code == 200


@pytest.mark.acceptance("H65")
def test_a_sources_page_says_how_many_are_left_out_and_lets_one_come_in_again(
    administrator: Client, bob: User, redcap: Any, project: Any
) -> None:
    enrolled(project, "P-001")
    source = new_source(redcap)
    pull(source)
    form = {**chosen(looked_up(administrator, "P-001"), "P-001"), "erase": "1", "reason": "R", "sure": "on"}
    administrator.post(PAGE, form)
    url = reverse("admin:sources_datasource_change", args=[source.pk])
    page = shown(administrator, url)
    assert "1 erased record is left out" in page
    assert "P-001" not in page
    record = ErasedRecord.objects.get(source=source)
    let_back = reverse("admin:sources_datasource_let_back", args=[source.pk])
    coordinator = Client()
    coordinator.force_login(bob)
    assert "1 erased record is left out" in shown(coordinator, url)
    assert coordinator.post(let_back, {"record": record.pk}).status_code == 403
    for wrong in ("", "x", "999"):
        assert "left out no longer" in said(administrator.post(let_back, {"record": wrong}, follow=True))[0]

    done = administrator.post(let_back, {"record": record.pk}, follow=True)

    assert escape(said(done)[0]) == "The record comes in again: a full pull begins in a moment."
    assert not ErasedRecord.objects.exists()
    assert SourceState.objects.get(source=source).full_requested
