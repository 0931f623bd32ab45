"""Ask a Modality Worklist server, as a scanner would."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from pydicom import Dataset, config
from tabulate import tabulate

from worklist.dicom import item_attributes
from worklist.dicom.item_attributes import Place
from worklist.dicom.printable import readable
from worklist.management import client
from worklist.management.client import FindResult

# Columns beside date and time, which share one.
COLUMNS = {
    "Station": "ScheduledStationAETitle",
    "Patient": "PatientName",
    "Patient ID": "PatientID",
    "Modality": "Modality",
    "Description": "ScheduledProcedureStepDescription",
    "Accession": "AccessionNumber",
    "Step ID": "ScheduledProcedureStepID",
    "Status": "ScheduledProcedureStepStatus",
    "Study Instance UID": "StudyInstanceUID",
}
START = ("ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime")


class Command(BaseCommand):
    help = "Ask a Modality Worklist server for its items (C-FIND) and print them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        client.add_arguments(parser)
        keys = parser.add_argument_group("keys", "What to match; a key that is not given matches everything.")
        for attribute in item_attributes.matched():
            options = dict.fromkeys([f"--{attribute.keyword}", f"--{attribute.field}"])
            help_text = f"{attribute.name} {attribute.tag}: {attribute.matching.value}"
            keys.add_argument(*options, dest=attribute.keyword, default="", metavar="KEY", help=help_text)

    def handle(self, *args: Any, **options: Any) -> None:
        with client.associated(options, client.WORKLIST) as association:
            found = client.find(association, identifier(options))
        if found.answers:
            self.stdout.write(tabulate(map(_row, found.answers), headers="keys", disable_numparse=True))
        self._conclude(found)

    def _conclude(self, found: FindResult) -> None:
        count = len(found.answers)
        self.stdout.write(f"{count} {'answer' if count == 1 else 'answers'}.")
        if found.incomplete:
            self.stdout.write(f"{found.incomplete} of them with FF01: the server does not know all the keys.")
        client.refuse_unless_found(found.final)
        self.stdout.write("Status 0000: success.")


def identifier(options: dict[str, Any]) -> Dataset:
    """Return every matching key, with a value where one is given, and what the table shows beside them.

    The values are sent as they are given: to see what a server makes of them is what this client is for.
    """
    query, step = Dataset(), Dataset()
    wanted = {attribute.keyword: attribute for attribute in item_attributes.matched()}
    wanted |= {keyword: item_attributes.BY_KEYWORD[keyword] for keyword in COLUMNS.values()}
    with config.disable_value_validation():
        for keyword, attribute in wanted.items():
            setattr(step if attribute.place is Place.STEP else query, keyword, options.get(keyword, ""))
    query.ScheduledProcedureStepSequence = [step]
    if not all(str(options.get(keyword, "")).isascii() for keyword in wanted):
        query.SpecificCharacterSet = "ISO_IR 192"
    return query


def _row(answer: Dataset) -> dict[str, str]:
    items = answer.get("ScheduledProcedureStepSequence") or [Dataset()]
    both = {keyword: _text(answer, items[0], keyword) for keyword in (*START, *COLUMNS.values())}
    start = f"{both[START[0]]} {both[START[1]]}".strip()
    return {"Start": start, **{column: both[keyword] for column, keyword in COLUMNS.items()}}


def _text(answer: Dataset, step: Dataset, keyword: str) -> str:
    dataset = step if item_attributes.BY_KEYWORD[keyword].place is Place.STEP else answer
    return readable("\\".join(str(each) for each in client.as_list(dataset.get(keyword))))
