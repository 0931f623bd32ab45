"""An empty installation says what to do first, and ticks what is done by what is stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from pylantir_site.overview.first_steps import FirstStep, first_steps
from sources.models import DataSource, FirstStepsEnd, MappingRule, RunOutcome, SourceState, SyncRun
from tests.admin_pages import queries_of, shown
from tests.sources import making
from worklist.items import intake
from worklist.models import Device, DeviceActivity

pytestmark = pytest.mark.django_db

INDEX = reverse("admin:index")
HIDE = reverse("admin:hide_first_steps")


def steps_for(user: User) -> list[FirstStep]:
    request = RequestFactory().get("/")
    request.user = user
    return first_steps(request)


def done(user: User) -> list[str]:
    return [step.title for step in steps_for(user) if step.is_done]


def a_source(**values: Any) -> DataSource:
    source = making.unsaved(
        name="study", url="https://redcap.example.org/api/", server_timezone="UTC", **values
    )
    source.save_with_details("alice")
    return source


def heard(kind: str, ae_title: str = "MR1") -> None:
    DeviceActivity.objects.create(kind=kind, ae_title=ae_title)


@pytest.mark.acceptance("AD96")
def test_each_step_ticks_itself_by_what_is_stored(alice: User) -> None:
    assert done(alice) == []
    source = a_source()
    assert done(alice) == ["Appointments"]

    then = (timezone.now() - timedelta(days=2)).isoformat()
    SourceState.objects.update(looked_at={"check": {"at": then, "by": "alice", "of": "it"}})
    assert done(alice)[1:] == ["Test the connection"]
    MappingRule(source=source, target="patient_id", field="record_id").save_as("alice")
    assert done(alice)[2:] == ["Map fields to the worklist"]
    seen = {what: {"at": then, "by": "alice", "of": "it"} for what in ("check", "preview")}
    SourceState.objects.update(looked_at=seen)
    assert done(alice)[3:] == ["Preview"]
    ended = timezone.now()
    SyncRun.objects.create(source=source, actor="alice", outcome=RunOutcome.OK, ended_at=ended)
    SourceState.objects.update(last_success_at=ended)
    assert done(alice)[4:] == ["First pull"]
    assert [step.done_at for step in steps_for(alice) if step.title == "First pull"] == [ended]

    heard("ECHO", "SOMEBODY")
    assert done(alice)[5:] == []
    Device(ae_title="MR1").save_as("alice")
    assert done(alice)[5:] == ["Add a scanner"]
    heard("ECHO")
    assert done(alice)[6:] == ["C-ECHO"]
    heard("QUERY")
    assert steps_for(alice) == []


@pytest.mark.acceptance("AD96")
def test_a_source_that_is_pulled_has_all_before_it_done(alice: User) -> None:
    a_source()
    SourceState.objects.update(last_success_at=timezone.now())

    assert len(done(alice)) == 5


@pytest.mark.acceptance("AD97")
def test_an_appointment_made_by_hand_needs_no_source(alice: User) -> None:
    assert len(steps_for(alice)) == 8
    given = {"patient_id": "P-1", "patient_name": "Doe^Jane", "scheduled_start_date": timezone.localdate()}
    intake.create({**given, "modality": "MR"}, actor="alice")

    assert [step.title for step in steps_for(alice)] == [
        "Appointments",
        "Add a scanner",
        "C-ECHO",
        "First query",
    ]


@pytest.mark.acceptance("AD96")
def test_an_open_step_leads_to_where_it_is_done(client: Client, alice: User) -> None:
    client.force_login(alice)
    page = shown(client, INDEX)
    for name in ("sources_datasource_add", "worklist_worklistitem_add", "worklist_device_add"):
        assert f'<a href="{reverse(f"admin:{name}")}">Add' in page

    source = a_source()
    page = shown(client, INDEX)
    link = reverse("admin:sources_datasource_change", args=[source.pk])
    card = page[page.index("First steps") : page.index("Hide these steps")]
    assert card.count(f'href="{link}"') == 4


@pytest.mark.acceptance("AD98")
def test_once_all_is_done_they_are_gone_for_good_and_cost_a_query(client: Client, alice: User) -> None:
    a_source()
    SourceState.objects.update(last_success_at=timezone.now())
    Device(ae_title="MR1").save_as("alice")
    heard("QUERY")
    client.force_login(alice)

    assert "First steps" not in shown(client, INDEX)
    Device.objects.all().delete()
    assert "First steps" not in shown(client, INDEX)
    assert queries_of(lambda: steps_for(alice)) == 1


@pytest.mark.acceptance("AD98")
def test_an_administrator_hides_them_for_everybody(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get(HIDE).status_code == 405
    assert client.post(HIDE)["Location"] == INDEX

    assert "First steps" not in shown(client, INDEX)
    assert FirstStepsEnd.objects.get().hidden_by == "alice"
    client.post(HIDE)
    assert FirstStepsEnd.objects.count() == 1


@pytest.mark.acceptance("AD99")
@pytest.mark.parametrize("person", ["bob", "charlie"])
def test_who_does_not_set_up_neither_sees_nor_hides_them(
    client: Client, person: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(person))

    assert "First steps" not in shown(client, INDEX)
    assert client.post(HIDE).status_code == 403
    assert not FirstStepsEnd.objects.exists()


@pytest.mark.acceptance("AD101")
def test_they_cost_as_many_queries_for_many_sources_as_for_one(alice: User) -> None:
    a_source()
    Device(ae_title="MR").save_as("alice")
    few = queries_of(lambda: steps_for(alice))
    for number in range(8):
        making.stored(name=f"s{number}", url="https://x.example/api/", server_timezone="UTC")
        Device(ae_title=f"MR{number}").save_as("alice")

    assert queries_of(lambda: steps_for(alice)) == few
