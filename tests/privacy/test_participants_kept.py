"""Participants are kept for as long as a site says, and erased then, a few at a time."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.utils import timezone

from pylantir_site import retention as hourly
from pylantir_site.privacy import retention
from pylantir_site.privacy.models import Erasure, Why
from tests.worklist.performed_steps import begun, completed
from tests.worklist.reported import an_item, reported, unscheduled, updated
from worklist.models import PerformedStep, WorklistItem

pytestmark = pytest.mark.django_db
DAYS = 100


@pytest.fixture(autouse=True)
def kept_days(settings: LazySettings) -> None:
    settings.PARTICIPANTS_KEPT_DAYS = DAYS


def age(days: int, **which: Any) -> None:
    """Let items, steps and history be of so many days ago."""
    at = timezone.now() - timedelta(days=days)
    WorklistItem.objects.filter(**which).update(scheduled_start_date=timezone.localdate(at), updated_at=at)
    PerformedStep.objects.filter(**which).update(start_date=timezone.localdate(at), updated_at=at)
    for model in (WorklistItem, PerformedStep):
        model.history.filter(**which).update(history_date=at)


def left() -> set[str]:
    return set(WorklistItem.objects.filter(erased_at=None).values_list("patient_id", flat=True))


@pytest.mark.acceptance("H67")
def test_who_had_the_last_day_long_ago_is_erased_and_who_has_one_to_come_is_not() -> None:
    for patient_id in ("OLD", "EDGE", "MIXED"):
        an_item(patient_id=patient_id)
        age(DAYS + 1, patient_id=patient_id)
    age(DAYS, patient_id="EDGE")
    an_item(patient_id="MIXED", scheduled_start_date=timezone.localdate())
    an_item(patient_id="CHANGED")
    WorklistItem.objects.filter(patient_id="CHANGED").update(scheduled_start_date="2001-01-01")

    hourly.prune()

    assert left() == {"EDGE", "MIXED", "CHANGED"}
    erasure = Erasure.objects.get()
    assert (erasure.by, erasure.why) == ("retention", Why.RETENTION)


@pytest.mark.acceptance("H67")
def test_for_ever_is_the_default(settings: LazySettings) -> None:
    settings.PARTICIPANTS_KEPT_DAYS = 0
    an_item()
    age(30_000)

    hourly.prune()

    assert left() == {"P1"}


@pytest.mark.acceptance("H67")
def test_an_examination_nobody_scheduled_and_a_deleted_item_go_too() -> None:
    item = an_item(patient_id="P7")
    unscheduled(item, PatientID="P8", PatientName="Eight^E")
    updated(PerformedStep.objects.get(), completed())
    age(DAYS + 1)
    WorklistItem.objects.all().delete()
    age(DAYS + 1)

    report = retention.apply()

    assert report.participants == 2
    assert PerformedStep.objects.get().patient_name == "ERASED"
    assert not WorklistItem.history.filter(patient_id="P7").exists()
    assert retention.apply().participants == 0


@pytest.mark.acceptance("H67")
def test_a_dry_run_tells_counts_and_nobody() -> None:
    for number in range(3):
        an_item(patient_id=f"P{number}")
    reported(begun(WorklistItem.objects.get(patient_id="P2")))
    age(DAYS + 1)
    said = io.StringIO()

    call_command("apply_retention", dry_run=True, stdout=said)

    assert left() == {"P0", "P1", "P2"}
    assert "kept for longer than 100 days: 2\n" in said.getvalue()
    assert "worklist items: 2\n" in said.getvalue()
    assert "left for the next time: 1\n" in said.getvalue()
    assert "Doe" not in said.getvalue()


@pytest.mark.acceptance("H67")
def test_an_hour_erases_some_and_each_in_a_transaction_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        updated(reported(begun(an_item(patient_id=f"P{number}"))), completed())
    age(DAYS + 1)
    monkeypatch.setattr(retention, "MOST_AN_HOUR", 2)

    hourly.prune()
    assert len(left()) == 1
    hourly.prune()
    assert left() == set()
    assert Erasure.objects.count() == 3
