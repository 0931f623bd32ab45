"""Where a participant is missing, the page goes on with what sources have of them, and asks only by a button.

Not here: whom a search finds, and what is said of an item (tests/worklist/test_admin_devices.py).
"""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from sources.models import DataSource, SyncedStep, SyncIssue
from tests.api_client import client_of
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.sources.conftest import MakeSource, items, only_item, pull
from tests.sources.study import book, day, enrol, participant, participants
from worklist.items import intake
from worklist.models import Device, Status

pytestmark = pytest.mark.django_db

MISSING = "admin:worklist_missing"
NOW = "What does study say of it now?"


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def panel(client: Client, sought: str) -> str:
    """Return the panel's text, with one space for each tag or white space; "" without the panel."""
    answer = client.post(reverse(MISSING), {"sought": sought})
    assert answer.status_code == 200
    found = re.search(
        r'<section [^>]*"missing-source-heading".*?</section>', answer.content.decode(), re.DOTALL
    )
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", found[0]).split())) if found else ""


def asked_now(client: Client, source: DataSource, record: str) -> Any:
    """Press the button."""
    url = reverse("admin:sources_datasource_preview", args=[source.pk])
    return client.post(url, {"records": "1", "record": record}, follow=True)


@pytest.mark.acceptance("D196")
def test_an_appointment_that_was_called_off_says_why_and_its_mend_is_at_the_source(
    coordinator: Client, source: DataSource, project: Project
) -> None:
    participant(project, "P-001", "Tremblay")
    pull(source)
    book(project, "P-001", status="2")
    pull(source)
    Device(ae_title="MR1").save_as("test")
    reason = SyncedStep.objects.get().reason
    assert only_item(source).performed_procedure_step_status == Status.CANCELLED

    answer = coordinator.post(reverse(MISSING), {"sought": "tremb"})

    [found] = answer.context["found"]
    assert f"by source:study: {reason.rstrip('.')}." in found["happened"]
    assert [link.url for link in found["rows"][0]["remedies"]] == ["#known-elsewhere"]
    assert 'id="known-elsewhere"' in answer.content.decode()
    assert f"Cancelled: {reason}" in panel(coordinator, "tremb")


@pytest.mark.acceptance("D196")
def test_a_record_without_an_item_has_its_issues_and_is_asked_for_by_a_button_alone(
    coordinator: Client, source: DataSource, project: Project, redcap: RedcapServer
) -> None:
    enrol(project, "P-001", "Tremblay")
    book(project, "P-001", mri_date="2026-02-30")
    pull(source)
    assert not items(source)
    issue = SyncIssue.objects.get(field="mri_date")
    before = len(redcap.requests)

    text = panel(coordinator, "p-001")

    assert f"Keeps it out mri_date: {issue.text} Open in REDCap" in text
    assert NOW in text
    assert len(redcap.requests) == before
    now = html.unescape(asked_now(coordinator, source, "P-001").content.decode())
    assert "Record P-001" in now
    assert issue.text in now


@pytest.mark.acceptance("D196")
def test_a_record_that_nobody_knows_is_asked_for_at_each_source_and_a_failing_one_hurts_no_other(
    coordinator: Client, make_source: MakeSource, source: DataSource, project: Project, redcap: RedcapServer
) -> None:
    enrol(project, "P-009")  # no appointment, and not pulled yet
    away = make_source(redcap, name="away", url="http://127.0.0.1:9/api/")

    text = panel(coordinator, "P-009")

    assert "away" in text and "study" in text
    assert text.count("What does it say now?") == 2
    assert "It has no session." in asked_now(coordinator, source, "P-009").content.decode()
    missing = asked_now(coordinator, source, "P-010").content.decode()
    assert "The source has no such record, or has it no more." in missing
    refused = asked_now(coordinator, away, "P-009")
    assert refused.redirect_chain[0][0] == reverse("admin:sources_datasource_change", args=[away.pk])


def test_an_item_that_a_person_deleted_is_found_by_its_name(
    coordinator: Client, source: DataSource, project: Project
) -> None:
    participant(project, "P-001", "Łukasiewicz")
    pull(source)
    only_item(source).delete()

    text = panel(coordinator, "lukas")

    assert "Record P-001" in text
    assert "mri, no. 1: deleted here by a person; make it again" in text.lower()
    assert "No item, withdrawal or issue" in panel(coordinator, "nobody")


@pytest.mark.acceptance("D195", "D203")
def test_what_keeps_all_items_of_a_source_out_is_mended_at_the_source_first(
    coordinator: Client, source: DataSource, project: Project, bob: User
) -> None:
    participants(project, 3)
    pull(source)
    device = Device(ae_title="MR1", station_filter="OWN")
    device.save_as("test")
    Device(ae_title="MR2").save_as("test")

    [found] = coordinator.post(reverse(MISSING), {"sought": "P-002"}).context["found"]

    row, asking_for_its_own = found["rows"]
    assert row["verdict"].reason.sentence.endswith("no item of the source study has a station.")
    assert [(link.url, link.text) for link in row["remedies"]] == [
        (reverse("admin:sources_datasource_scanner", args=["study"]), "Its source study"),
        (reverse("admin:worklist_device_change", args=[device.pk]), "Change the scanner"),
        (reverse("admin:worklist_worklistitem_change", args=[found["item"].pk]), "Change this item alone"),
    ]
    assert [link.text for link in asking_for_its_own["remedies"]] == [link.text for link in row["remedies"]]
    told, _ = client_of(bob).get(f"/worklist/{found['item'].pk}/devices").json()
    assert told["reason"]["mend"] == "source"


def test_a_record_with_the_id_of_another_participant_is_told_besides(
    coordinator: Client, source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    intake.change(only_item(source), {"patient_id": "X-1"}, actor="bob")
    by_hand = {"patient_name": "Roe^Jane", "modality": "MR", "scheduled_start_date": day(1)}
    made = intake.create({**by_hand, "patient_id": "P-001"}, actor="bob")

    answer = coordinator.post(reverse(MISSING), {"sought": "P-001"})

    assert [each["item"] for each in answer.context["found"]] == [made]
    assert "Doe, Jane · X-1" in panel(coordinator, "P-001")
    assert "why is it missing?" in panel(coordinator, "P-001")


def test_who_only_reads_sees_what_is_known_and_asks_no_source(
    client: Client, charlie: User, source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    client.force_login(charlie)

    assert "Record P-001" in panel(client, "P-001")
    assert NOW not in panel(client, "P-001")
    assert "What does it say now?" not in panel(client, "P-77")
    assert asked_now(client, source, "P-001").status_code == 403


def test_of_an_item_that_was_made_by_hand_and_without_sources_nothing_is_said(coordinator: Client) -> None:
    assert panel(coordinator, "P-001") == ""
