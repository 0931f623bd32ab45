"""Lists that stay quick show what Django's own would."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.paginator import Paginator
from django.db.models import Max, Min
from django.utils import timezone

from pylantir_site import quick_lists
from pylantir_site.quick_lists import KeysFirst
from tests.worklist import reported
from worklist.models import Attention, AttentionKind, DeviceActivity, WorklistItem

pytestmark = pytest.mark.django_db

KINDS = ("year", "month", "day")
DAYS = (date(2024, 2, 29), date(2024, 12, 31), date(2025, 1, 1), date(2027, 3, 31), date(2027, 3, 31))
MOMENTS = tuple(
    datetime(*moment, tzinfo=UTC) for moment in [(2024, 1, 31, 12), (2024, 3, 1, 12), (2025, 12, 31, 12)]
)


@pytest.mark.acceptance("AD187")
@pytest.mark.parametrize("kind", KINDS)
def test_the_dates_of_rows_are_those_that_django_finds(kind: str) -> None:
    for number, day in enumerate(DAYS):
        reported.an_item(patient_id=f"P{number}", scheduled_start_date=f"{day:%Y%m%d}")
    items = WorklistItem.objects.all()

    expected = list(items.dates("scheduled_start_date", kind))  # type: ignore[arg-type]

    assert quick_lists._dates(items, "scheduled_start_date", kind) == expected
    assert quick_lists._dates_one_by_one(items, "scheduled_start_date", kind) == expected


@pytest.mark.acceptance("AD187")
@pytest.mark.parametrize("days", [(), DAYS, (date(9999, 12, 31),)])
def test_the_first_and_the_last_date_are_those_that_django_finds(days: tuple[date, ...]) -> None:
    for number, day in enumerate(days):
        reported.an_item(patient_id=f"P{number}", scheduled_start_date=f"{day:%Y%m%d}")
    items = WorklistItem.objects.all()
    first, last = Min("scheduled_start_date"), Max("scheduled_start_date")

    assert quick_lists._ends(items, first=first, last=last) == items.aggregate(first=first, last=last)
    assert len(quick_lists._dates_one_by_one(items, "scheduled_start_date", "year")) == len(
        {day.year for day in days}
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_dates_of_moments_are_all_from_the_first_to_the_last(kind: str) -> None:
    rows = DeviceActivity.objects.all()
    assert quick_lists._dates_of_moments(rows, "at", kind) == []
    for at in MOMENTS:
        DeviceActivity.objects.create(kind="ECHO", ae_title="MR1", at=at)

    found = quick_lists._dates_of_moments(rows, "at", kind)

    with_rows = [timezone.localtime(at).date() for at in rows.datetimes("at", kind)]  # type: ignore[arg-type]
    assert set(with_rows) <= set(found)
    assert (found[0], found[-1]) == (with_rows[0], with_rows[-1])
    days = [MOMENTS[0].date() + timedelta(days=number) for number in range(701)]
    expected = {
        "year": {day.replace(month=1, day=1) for day in days},
        "month": {day.replace(day=1) for day in days},
    }
    assert found == sorted(expected.get(kind, days))


@pytest.mark.acceptance("AD187")
def test_pages_of_keys_have_the_rows_of_pages() -> None:
    for number in range(7):
        reported.open_point(AttentionKind.WEIGHT, patient_id=f"P{number}")
        reported.open_point(AttentionKind.IDENTITY, patient_id=f"P{number}")
    points = Attention.objects.worst_first()

    for number in (1, 2, 3, 4, 5):
        found = KeysFirst(points, 3).page(number).object_list
        assert list(found) == list(Paginator(points, 3).page(number).object_list)
