"""What a person moves or cancels on Today holds against the source that made it.

Not here: fields edited on an item's page (test_item_panel.py), the moves themselves (test_moves.py).
"""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from sources.models import DataSource
from tests.admin_pages import said, undo_token
from tests.redcap.project import Project
from tests.sources.conftest import only_item, pull
from tests.sources.study import participant
from worklist.models import Status, WorklistItem

pytestmark = pytest.mark.django_db


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


@pytest.fixture
def item(source: DataSource, project: Project) -> WorklistItem:
    participant(project, "P-001")
    pull(source)
    return only_item(source)


def page_of(item: WorklistItem) -> str:
    return reverse("admin:worklist_booking", args=[item.pk])


@pytest.mark.acceptance("AD63")
def test_a_move_holds_against_the_source_and_says_what_that_still_has(
    coordinator: Client, item: WorklistItem, source: DataSource
) -> None:
    done = coordinator.post(page_of(item), {"do": "move", "scheduled_start_time": "17:35"}, follow=True)

    assert any("study still has" in sentence for sentence in said(done)[1:])
    pull(source, full=True)
    moved = WorklistItem.objects.get(pk=item.pk)
    assert f"{moved.scheduled_start_time:%H:%M}" == "17:35"
    coordinator.post(reverse("admin:worklist_undo"), {"token": undo_token(done)})
    pull(source, full=True)
    assert WorklistItem.objects.get(pk=item.pk).scheduled_start_time == item.scheduled_start_time


@pytest.mark.acceptance("AD63")
def test_who_did_not_come_stays_cancelled_whatever_the_source_says(
    coordinator: Client, item: WorklistItem, source: DataSource
) -> None:
    coordinator.post(page_of(item), {"do": "did-not-come"})
    pull(source, full=True)
    kept = WorklistItem.objects.get()
    assert kept.performed_procedure_step_status == Status.CANCELLED
    assert kept.history.first().history_change_reason == "Did not come"
