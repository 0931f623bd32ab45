"""One process fills a database, or asks for the admin's pages, and says in JSON what each one took.

It is run as a file in the folder of a build, this one or an earlier one, and uses what all builds have: their
models and the addresses of their pages. Told to ask, it reads from its input which page to ask for how often.

    python -P benchmarks/pages.py --fill 100000 --today 2026-11-29
    python -P benchmarks/pages.py
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time as clock
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

BOOKINGS, DAYS_AHEAD, QUERIES, POINTS = 24, 60, 1000, 40
STATIONS = ("MR1", "MR2", "MR3", "MR4")
SILENT = frozenset(STATIONS[2:])  # they report nothing, so what they did stays scheduled
PERSON = "benchmark"
BATCH = 5000
LIVE = {"headers": {"X-Live-Part": "1"}}
# Names of pages, as the benchmark asks for them, and what is sent beside the address.
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "Today": ("index", {}),
    "Today's refresh": ("index", LIVE),
    "Week": ("index", {"data": {"week": ""}}),
    "Worklist": ("worklist_worklistitem_changelist", {}),
    "Worklist, overdue": ("worklist_worklistitem_changelist", {"data": {"when": "overdue"}}),
    "Worklist, edited": ("worklist_worklistitem_changelist", {"data": {"edited": "yes"}}),
    "Item": ("worklist_worklistitem_change", {}),
    "Needs attention": ("worklist_attention_changelist", {}),
    "Performed": ("worklist_performedstep_changelist", {}),
    "Scanners": ("worklist_device_changelist", {}),
    "What scanners asked": ("worklist_deviceactivity_changelist", {}),
    "Sources": ("sources_datasource_changelist", {}),
    "Plots": ("plots", {}),
}
# What an earlier build may lack, or answers with another page.
NEW = frozenset({"Today's refresh", "Week", "Worklist, edited", "Plots"})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fill", type=int, metavar="N", help="migrate, and make N items")
    parser.add_argument(
        "--done-before",
        type=int,
        metavar="DAYS",
        help="what is older is done: so the same is still to be done, however many items there are",
    )
    parser.add_argument("--items-alone", action="store_true", help="make nothing else, as old builds can")
    parser.add_argument("--today", type=date.fromisoformat, default=date.today())
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
    import django

    django.setup()
    if options.fill:
        since = date.min
        if options.done_before is not None:
            since = options.today - timedelta(days=options.done_before)
        fill(options.fill, options.today, silent_since=since, items_alone=options.items_alone)
    else:
        answer()


def fill(n: int, today: date, *, silent_since: date = date.min, items_alone: bool = False) -> None:
    from django.core.management import call_command
    from django.db import connection

    if connection.introspection.table_names():
        sys.exit("The database is not empty: a benchmark fills one of its own.")
    call_command("migrate", verbosity=0)
    from accounts.models import User
    from worklist.models import WorklistItem

    User.objects.create_user(PERSON, role="admin")
    WorklistItem.objects.bulk_create(_items(n, today, silent_since), batch_size=BATCH)
    if not items_alone:
        _devices(today)
        _reports(today)
        _sources()
    if connection.vendor == "postgresql":  # as autovacuum does; nothing does on SQLite
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _items(n: int, today: date, silent_since: date) -> Iterator[Any]:
    """Yield 24 items a day, from 60 days ahead back into the past."""
    from worklist.models import WorklistItem

    for number in range(n):
        day = today + timedelta(days=DAYS_AHEAD - number // BOOKINGS)
        place = number % BOOKINGS
        is_over = day < today or (day == today and place < BOOKINGS // 2)
        station = "" if place == BOOKINGS - 1 else STATIONS[place % len(STATIONS)]
        is_done = is_over and (day < silent_since or station not in SILENT)
        status = "COMPLETED" if is_done else "SCHEDULED"
        name = f"Family{number}^Given"
        item = WorklistItem(
            patient_name=name,
            patient_id=f"P{number:07}",
            patient_birth_date=date(1950 + number % 60, 1 + number % 12, 1 + number % 28),
            patient_sex="FM"[number % 2],
            patient_weight_kg=None if number % 10 == 0 else 50 + number % 50,
            study_instance_uid=f"2.25.1{number:016}",
            accession_number=f"A{number:07}",
            requested_procedure_id=f"R{number:07}",
            scheduled_procedure_step_id=f"S{number:07}",
            protocol_name="BRAIN_MRI_3T",
            procedure_description="Baseline",
            modality="MR",
            scheduled_station_aetitle=station,
            scheduled_start_date=day,
            scheduled_start_time=time(8 + place // 3, 20 * (place % 3)),
            performed_procedure_step_status=status,
            patient_name_alphabetic=name.lower(),
        )
        item.patient_id_alphanumeric = item.patient_id
        yield item


def _devices(today: date) -> None:
    """Make the scanners, each with a query for its own items of the day every some minutes."""
    from django.utils import timezone

    from worklist.answering import requests
    from worklist.models import Device, DeviceActivity

    now = timezone.now()
    for ae_title in STATIONS:
        Device.objects.create(ae_title=ae_title, name=f"Room {ae_title[-1]}", modality="MR")
        asked = requests.query_of_keys(
            {
                "ScheduledStationAETitle": ae_title,
                "Modality": "MR",
                "ScheduledProcedureStepStartDate": f"{today:%Y%m%d}",
            }
        )
        DeviceActivity.objects.bulk_create(
            DeviceActivity(
                kind="QUERY",
                ae_title=ae_title,
                at=now - timedelta(minutes=3 * number),
                status=0,
                matches=4,
                identifier=asked.identifier,
                implicit_vr=asked.implicit_vr,
            )
            for number in range(QUERIES)
        )


def _reports(today: date) -> None:
    """Say of each item of the last days that it was performed, and of some that something is the matter."""
    from worklist.models import Attention, PerformedStep, PerformedStepItem, WorklistItem

    done = WorklistItem.objects.filter(performed_procedure_step_status="COMPLETED")
    items = list(done.filter(scheduled_start_date__gte=today - timedelta(days=60)).order_by("pk"))
    steps = [
        PerformedStep(
            sop_instance_uid=f"2.25.2{item.pk:016}",
            status="COMPLETED",
            dataset={"00100020": {"vr": "LO", "Value": [item.patient_id]}},
            patient_name=item.patient_name,
            patient_id=item.patient_id,
            start_date=item.scheduled_start_date,
            start_time=item.scheduled_start_time,
            calling_ae_title="MR1",
        )
        for item in items
    ]
    PerformedStep.objects.bulk_create(steps, batch_size=BATCH)
    PerformedStepItem.objects.bulk_create(
        PerformedStepItem(step=step, item=item, evidence="STUDY_AND_STEP")
        for step, item in zip(steps, items, strict=True)
    )
    kinds = ("IDENTITY", "WEIGHT", "PROTOCOL", "DEVIATION")
    Attention.objects.bulk_create(
        Attention(kind=kinds[place % 4], step=step, item=item, text="Patient weight: 70 kg, 95 kg there.")
        for place, (step, item) in enumerate(zip(steps[:POINTS], items[:POINTS], strict=True))
    )
    overdue = WorklistItem.objects.overdue(today).values_list("pk", flat=True)
    Attention.objects.bulk_create(
        (Attention(kind="NOT_PERFORMED", item_id=pk, text="Nothing was performed.") for pk in overdue),
        batch_size=BATCH,
    )


def _sources() -> None:
    from django.utils import timezone

    from sources.models import SourceState, SyncRun

    for name in ("study", "other"):
        source = _stored(
            PERSON, name=name, url="https://redcap.example/api/", server_timezone="UTC", enabled=True
        )
        SourceState.objects.filter(source=source).update(state="OK", last_success_at=timezone.now())
        SyncRun.objects.bulk_create(
            SyncRun(source=source, actor=PERSON, outcome="OK", records_done=20) for _ in range(QUERIES)
        )


def _stored(actor: str, **values: Any) -> Any:
    """Store a source; in earlier builds what is its project's stands in the source's own row."""
    from sources import models

    project: Any = getattr(models, "RedcapProject", None)
    if project is None:
        source: Any = models.DataSource(**values)
        source.save_as(actor)
        return source
    columns = {field.name for field in project._meta.concrete_fields}
    source = models.DataSource(**{name: value for name, value in values.items() if name not in columns})
    source.details = project(**{name: value for name, value in values.items() if name in columns})
    source.save_with_details(actor)
    return source


def answer() -> None:
    """Answer each line of the input, `[page, times]`, with the milliseconds of each request."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client(raise_request_exception=True, SERVER_NAME="localhost")
    client.force_login(get_user_model().objects.get(username=PERSON))
    for line in sys.stdin:
        page, times = json.loads(line)
        print(json.dumps([_milliseconds(client, page) for _ in range(times)]), flush=True)


def _milliseconds(client: Any, page: str) -> float:
    name, sent = PAGES[page]
    url = _url(name)
    begun = clock.perf_counter()
    response = client.get(url, **sent)
    taken = 1000 * (clock.perf_counter() - begun)
    if response.status_code != 200:
        sys.exit(f"{page}: {response.status_code}")
    return taken


def _url(name: str) -> str:
    from django.urls import reverse

    from worklist.models import WorklistItem

    if not name.endswith("_change"):
        return str(reverse(f"admin:{name}"))
    of_today = WorklistItem.objects.filter(scheduled_start_date=datetime.now().date())
    return str(reverse(f"admin:{name}", args=[of_today.values_list("pk", flat=True)[0]]))


if __name__ == "__main__":
    main()
