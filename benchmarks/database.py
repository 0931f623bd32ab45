"""An empty database is migrated and filled in a process of its own, for settings come from the environment.

python -m benchmarks.database --n 1000 --today 2026-01-10
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from datetime import date, time
from typing import Any

import django

from benchmarks import items

BATCH = 5000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int)
    parser.add_argument("--today", type=date.fromisoformat, default=date.today())
    parser.add_argument("--completed", action="store_true", help="Say how many steps are, with their items.")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
    django.setup()
    if options.completed:
        print(completed())
        return

    from django.core.management import call_command
    from django.db import connection

    if connection.introspection.table_names():
        sys.exit("The database is not empty: a benchmark fills one of its own.")
    call_command("migrate", verbosity=0)
    fill(items.item(number, today=options.today) for number in range(options.n))
    if connection.vendor == "postgresql":
        # What autovacuum does at a moment of its own, in the middle of a round perhaps.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def completed() -> int:
    """Return how many performed steps are completed, as are all their items."""
    from worklist.models import PerformedStep

    steps = PerformedStep.objects.filter(status="COMPLETED", links__isnull=False)
    return steps.exclude(items__in=_not_completed()).distinct().count()


def _not_completed() -> Any:
    from worklist.models import WorklistItem

    return WorklistItem.objects.exclude(performed_procedure_step_status="COMPLETED")


def fill(made: Iterable[items.Item]) -> None:
    from worklist.dicom import person_name
    from worklist.models import PERSON_NAMES, Device, WorklistItem

    common = common_values()

    def row(of: items.Item) -> WorklistItem:
        values = {**common, **own_values(of)}
        # What `save` does for one, which bulk_create does not call.
        for name in PERSON_NAMES:
            groups = zip(person_name.GROUPS, person_name.groups(values[name]), strict=True)
            values.update({f"{name}_{group}": value for group, value in groups})
        return WorklistItem(**values)

    WorklistItem.objects.bulk_create(map(row, made), batch_size=BATCH)
    Device.objects.create(ae_title="BENCHMARK")


def common_values() -> dict[str, Any]:
    """Return what all items have in common, by field."""
    from worklist.dicom.item_attributes import BY_KEYWORD

    common: dict[str, Any] = {"extra_attributes": {}}
    for keyword, value in {**items.COMMON, **items.COMMON_STEP}.items():
        field = BY_KEYWORD[keyword].field
        place = common if field else common["extra_attributes"]
        place[field or keyword] = value
    common["patient_birth_date"] = date.fromisoformat(common["patient_birth_date"])
    common["protocol_name"] = items.CODE["CodeMeaning"]
    common["hisris_coding_designator"] = items.CODE["CodingSchemeDesignator"]
    return common


def own_values(of: items.Item) -> dict[str, Any]:
    """Return what an item has of its own, by field."""
    from worklist.dicom.item_attributes import BY_KEYWORD

    values: dict[str, Any] = {
        str(BY_KEYWORD[keyword].field): value for keyword, value in of._asdict().items()
    }
    values["scheduled_start_date"] = date.fromisoformat(of.ScheduledProcedureStepStartDate)
    values["scheduled_start_time"] = time.fromisoformat(of.ScheduledProcedureStepStartTime)
    return values


if __name__ == "__main__":
    main()
