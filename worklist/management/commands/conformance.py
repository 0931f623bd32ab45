"""Print the DICOM Conformance Statement."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from worklist.conformance.document import statement


class Command(BaseCommand):
    help = "Print the DICOM Conformance Statement, in Markdown, with the settings in force."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(statement(), ending="")
