"""What is true now is read from sources and worklist: each kind, its study, and where to see to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from pylantir_site.notices.facts import OF_ATTENTION, open_facts
from pylantir_site.notices.models import NoticeKind
from sources.models import (
    DataSource,
    Hindrance,
    OutcomeWrite,
    SourceState,
    WorkerBeat,
    WriteIssue,
    WriteState,
)
from sources.write_back import waiting
from tests.admin_pages import queries_of
from tests.notices.conftest import MakeSource
from tests.sources.not_written import not_written, writes_fail
from tests.worklist.performed_steps import begun
from tests.worklist.reported import an_item, open_point, reported, unscheduled
from worklist.models import AttentionKind, WorklistItem

pytestmark = pytest.mark.django_db
NO_TIME, HOUR = timedelta(), timedelta(hours=1)


def _ago(state: dict[str, Any]) -> dict[str, Any]:
    """Make moments of durations now: those of when this file was loaded are old by the time of the test."""
    now = timezone.now()
    return {name: now - value if isinstance(value, timedelta) else value for name, value in state.items()}


def kinds() -> list[tuple[str, str]]:
    return sorted((str(fact.kind), fact.study) for fact in open_facts())


@pytest.mark.acceptance("AD110")
@pytest.mark.parametrize("kind", AttentionKind.values)
def test_what_needs_attention_is_told_by_its_kind_or_not_at_all(kind: str) -> None:
    point = open_point(AttentionKind(kind))
    told = OF_ATTENTION.get(AttentionKind(kind))

    found = [fact for fact in open_facts() if fact.key == f"attention:{point.pk}"]

    assert [fact.kind for fact in found] == ([told] if told else [])


@pytest.mark.acceptance("AD110")
@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, []),
        ({"state": "CONFIGURATION", "since": NO_TIME}, ["SOURCE_FAILING"]),
        ({"state": "AUTHORISATION", "since": NO_TIME}, ["SOURCE_FAILING"]),
        ({"state": "TRANSIENT", "since": NO_TIME}, []),
        ({"state": "TRANSIENT", "since": HOUR}, ["SOURCE_FAILING"]),
        ({"last_success_at": HOUR}, ["SOURCE_FAILING"]),
        ({"state": "HELD"}, ["SOURCE_HELD"]),
        ({"clock_zone": ""}, ["TIME_ZONE"]),
        ({"clock_offset_minutes": 60}, ["TIME_ZONE"]),
        ({"clock_zone": "", "last_success_at": None, "state": "NEVER"}, []),
    ],
)
def test_a_source_that_needs_a_person_is_told_of(
    make_source: MakeSource, state: dict[str, Any], expected: list[str]
) -> None:
    make_source(**_ago(state))

    assert kinds() == [(kind, "alpha") for kind in expected]


def test_a_disabled_source_is_nobodys_worry(make_source: MakeSource) -> None:
    make_source(state="CONFIGURATION")
    DataSource.objects.update(enabled=False)
    WorkerBeat.objects.all().delete()

    assert kinds() == []


@pytest.mark.acceptance("AD110")
def test_a_worker_that_is_gone_is_told_of_and_not_each_source_that_is_late_for_it(
    make_source: MakeSource,
) -> None:
    make_source(last_success_at=timezone.now() - HOUR)
    WorkerBeat.objects.update(at=timezone.now() - HOUR)

    assert kinds() == [("WORKER", "")]


def test_one_outage_has_one_key_whatever_is_wrong_meanwhile(make_source: MakeSource) -> None:
    make_source(state="CONFIGURATION")
    (first,) = open_facts()
    SourceState.objects.update(state="AUTHORISATION", since=timezone.now())
    (second,) = open_facts()
    SourceState.objects.update(last_success_at=timezone.now() + HOUR)
    (third,) = open_facts()

    assert first.key == second.key != third.key


def test_a_fact_is_of_the_items_study_and_of_none_where_nothing_tells() -> None:
    item = an_item()
    WorklistItem.objects.filter(pk=item.pk).update(data_source="alpha")
    reported(begun(item, PatientID="P99", PatientSex="F"))
    unscheduled(an_item(patient_id="P2", patient_name="Roe^Jane"))

    assert kinds() == [("IDENTITY", "alpha"), ("UNSCHEDULED", "")]


def test_a_step_that_hangs_is_of_its_items_study() -> None:
    open_point(AttentionKind.STALE)
    WorklistItem.objects.update(data_source="alpha")

    assert ("STALE", "alpha") in kinds()


@pytest.mark.acceptance("CL214")
def test_an_outcome_that_is_not_written_back_is_told_of_once(make_source: MakeSource) -> None:
    source = make_source()
    write = not_written(source, "scan_operator", "scan_series")
    assert kinds() == [("WRITE_BACK", "alpha")]
    (first,) = open_facts()

    write.issues.filter(field="scan_operator").update(closed_at=timezone.now())
    assert [fact.key for fact in open_facts()] == [first.key]

    write.issues.update(closed_at=timezone.now())
    assert open_facts() == []
    WriteIssue.objects.create(write=write, field="scan_operator", kind=Hindrance.DIFFERS)
    assert kinds() == [("WRITE_BACK", "alpha")]
    assert open_facts()[0].key != first.key


@pytest.mark.acceptance("CL214")
@pytest.mark.parametrize(
    ("failures", "state", "expected"),
    [
        (5, {}, []),
        (6, {}, ["WRITE_BACK"]),
        (6, {"state": "AUTHORISATION", "since": NO_TIME}, ["SOURCE_FAILING"]),
    ],
)
def test_a_source_that_takes_nothing_for_long_is_told_of(
    make_source: MakeSource, failures: int, state: dict[str, Any], expected: list[str]
) -> None:
    writes_fail(make_source(**_ago(state)), failures=failures)

    assert kinds() == [(kind, "alpha") for kind in expected]


@pytest.mark.acceptance("CL235")
def test_a_source_that_is_written_to_from_here_on_ends_no_look(
    make_source: MakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person ticks that another source is written to while the look goes on."""
    not_written(make_source("alpha"))
    other = make_source("beta")
    not_written(other)
    writes_fail(other, failures=9)
    DataSource.objects.filter(pk=other.pk).update(writes_back=False)
    held_outcomes = waiting.held_outcomes

    def held_meanwhile(*given: Any) -> Any:
        DataSource.objects.update(writes_back=True)
        return held_outcomes(*given)

    monkeypatch.setattr(waiting, "held_outcomes", held_meanwhile)

    assert kinds() == [("WRITE_BACK", "alpha")]
    assert kinds() == [("WRITE_BACK", "alpha"), ("WRITE_BACK", "beta"), ("WRITE_BACK", "beta")]


@pytest.mark.acceptance("CL236")
def test_writing_fails_since_its_last_success_however_long_something_waits(make_source: MakeSource) -> None:
    write = writes_fail(make_source(), failures=6)
    last, asked = timezone.now() - HOUR, timezone.now() - 200 * HOUR
    OutcomeWrite.objects.filter(pk=write.pk).update(asked_at=asked)
    assert [fact.since for fact in open_facts()] == [asked]

    WriteState.objects.update(last_at=last)
    assert [fact.since for fact in open_facts()] == [last]


@pytest.mark.acceptance("CL214")
def test_a_source_that_is_not_written_to_has_nothing_that_is_not_written(make_source: MakeSource) -> None:
    source = make_source()
    not_written(source)
    writes_fail(source, failures=9)
    DataSource.objects.update(writes_back=False)

    assert kinds() == []


@pytest.mark.parametrize("kind", NoticeKind.values)
def test_each_link_leads_to_a_page(client: Client, alice: User, make_source: MakeSource, kind: str) -> None:
    source = make_source(state="HELD", clock_zone="")
    SourceState.objects.update(last_success_at=timezone.now() - HOUR)
    if kind == NoticeKind.WORKER:
        WorkerBeat.objects.all().delete()
    for attention, told_as in OF_ATTENTION.items():
        if told_as == kind:
            open_point(attention)
    if kind == NoticeKind.WRITE_BACK:
        not_written(source)
    client.force_login(alice)

    path = next(fact.path for fact in open_facts() if fact.kind == kind)

    assert client.get(path).status_code == 200
    assert kind not in ("SOURCE_HELD", "SOURCE_FAILING", "TIME_ZONE") or str(source.pk) in path


@pytest.mark.acceptance("AD127")
def test_a_look_takes_as_many_queries_for_many_facts_as_for_one(make_source: MakeSource) -> None:
    not_written(make_source("alpha", state="HELD"))
    open_point(AttentionKind.UNSCHEDULED)
    few = queries_of(open_facts)
    for number in range(5):
        not_written(make_source(f"study{number}", state="HELD"))
        open_point(AttentionKind.UNSCHEDULED)

    assert len(open_facts()) == 18
    assert queries_of(open_facts) == few
