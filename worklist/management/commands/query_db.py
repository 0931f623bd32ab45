"""Print worklist items."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from tabulate import tabulate

from worklist.dicom.values import to_text
from worklist.items.fields import FIELDS
from worklist.models import Status, WorklistItem

NUMBERS = frozenset({"patient_weight_kg", "patient_weight_lb"})
MOMENTS = frozenset({"arrived_at", "created_at", "updated_at"})
AS_THEY_ARE = frozenset({"id", "extra_attributes"})


class Command(BaseCommand):
    help = "Print the items of the worklist, the latest scheduled first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--patient_id", help="only this patient's items")
        parser.add_argument("--status", choices=Status.values, help="only items of this status")
        parser.add_argument("--study_uid", help="only items of this Study Instance UID")
        parser.add_argument("--format", choices=("table", "json"), default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        items = _items(options)
        if options["format"] == "json":
            self.stdout.write(json.dumps([as_json(item) for item in items], ensure_ascii=False, indent=2))
        elif items:
            self.stdout.write(tabulate(map(_row, items), headers="keys", disable_numparse=True))
        else:
            self.stdout.write("No items.")


def _items(options: dict[str, Any]) -> list[WorklistItem]:
    asked = {
        "patient_id": options["patient_id"],
        "performed_procedure_step_status": options["status"],
        "study_instance_uid": options["study_uid"],
    }
    wanted = {field: value for field, value in asked.items() if value is not None}
    latest_first = ("-scheduled_start_date", "-scheduled_start_time", "-pk")
    return list(WorklistItem.objects.filter(**wanted).order_by(*latest_first))


def as_json(item: WorklistItem) -> dict[str, Any]:
    """Return the item under the REST interface's names, dates and times as DICOM has them."""
    return {field: _json_value(field, getattr(item, field)) for field in FIELDS}


def _json_value(field: str, value: Any) -> Any:
    if field in AS_THEY_ARE:
        return value
    if field in MOMENTS:
        return value and value.isoformat()
    if field in NUMBERS:
        return None if value is None else float(value)
    return to_text(value)


def _row(item: WorklistItem) -> dict[str, str]:
    return {
        "Scheduled": f"{item.scheduled_start_date:%Y-%m-%d} {item.scheduled_start_time:%H:%M}",
        "Station": item.scheduled_station_aetitle,
        "Patient": item.readable_patient_name,
        "Patient ID": item.patient_id,
        "Modality": item.modality,
        "Description": item.procedure_description or item.study_description,
        "Accession": item.accession_number,
        "Step ID": item.scheduled_procedure_step_id,
        "Status": item.performed_procedure_step_status,
        "Study Instance UID": item.study_instance_uid,
    }
