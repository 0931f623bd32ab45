"""What a pull would add or rename far more of than usual waits, and is done once a person has looked."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from sources.models import DataSource, RunOutcome
from sources.sync.preview import dry_run
from tests.redcap.project import Project
from tests.redcap.studies import TOKEN
from tests.sources.conftest import items, pull
from tests.sources.source_pages import save
from tests.sources.study import book, enrol, participant, participants
from worklist.models import WorklistItem

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def press_allow(client: Client, source: DataSource, kind: str) -> Any:
    url = reverse("admin:sources_datasource_allow", args=[source.pk])
    return client.post(url, {"kind": kind, "held": str(source.state.held[kind])})


@pytest.mark.acceptance("RC168")
def test_records_of_other_sites_wait_until_a_person_adds_them(
    admin: Client, source: DataSource, project: Project
) -> None:
    """The token's user leaves the group, and sees all sites."""
    project.dags = {"boston": "Boston"}
    for record in participants(project, 33)[:3]:
        project.set_dag(record, "boston")
    project.users[TOKEN].dag = "boston"
    pull(source)
    project.users[TOKEN].dag = ""

    run = pull(source, full=True)
    assert (run.outcome, run.created, source.state.held) == (RunOutcome.HELD, 0, {"ADDED": 30})
    enrol(project, "P-001", "Smith")
    pull(source)
    assert items(source)["P-001"].patient_name == "Smith^Jane"
    assert source.state.held == {"ADDED": 30}

    press_allow(admin, source, "ADDED")
    run = pull(source)
    assert (run.outcome, len(items(source)), source.state.held) == (RunOutcome.OK, 33, {})


@pytest.mark.acceptance("RC168")
def test_what_a_wider_horizon_brings_is_added_unasked(
    admin: Client, source: DataSource, project: Project
) -> None:
    participant(project, "P-000", "Roe")
    for record in participants(project, 12):
        book(project, record, days=500)
    pull(source)
    assert len(items(source)) == 1

    save(admin, source, horizon_ahead_days="700")
    assert (pull(source).outcome, len(items(source))) == (RunOutcome.OK, 13)


@pytest.mark.acceptance("RC167")
def test_ids_that_a_mapping_changes_wait_until_a_person_renames_them(
    admin: Client, source: DataSource, project: Project
) -> None:
    participants(project, 4)
    pull(source)
    save(admin, source, rules__0__transforms="template sub_{record_id}", rules__0__field="")

    run = pull(source, full=True)
    assert (run.outcome, source.state.held) == (RunOutcome.HELD, {"RENAMED": 4})
    assert "P-001" in items(source)

    press_allow(admin, source, "RENAMED")
    assert pull(source).outcome == RunOutcome.OK
    assert sorted(items(source)) == [f"sub_P-00{number}" for number in range(1, 5)]
    assert WorklistItem.objects.count() == 4


@pytest.mark.acceptance("FI160")
def test_other_people_under_the_same_ids_wait_until_a_person_lets_them(
    admin: Client, source: DataSource, project: Project
) -> None:
    for number, name in enumerate(("Alpha", "Bravo", "Charlie", "Delta")):
        enrol(project, f"P-{number}", name)
        book(project, f"P-{number}")
    pull(source)
    for number, name in enumerate(("Delta", "Charlie", "Bravo", "Alpha")):
        enrol(project, f"P-{number}", name)

    run = pull(source, full=True)
    assert (run.outcome, source.state.held) == (RunOutcome.HELD, {"RENAMED": 4})
    assert dry_run(source).held == {"RENAMED": 4}
    assert items(source)["P-0"].patient_name == "Alpha^Jane"

    press_allow(admin, source, "RENAMED")
    assert (pull(source).outcome, items(source)["P-0"].patient_name) == (RunOutcome.OK, "Delta^Jane")
