"""Export all that is known of one participant."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pylantir_site.privacy import choosing, exporting


class Command(BaseCommand):
    help = (
        "Write all that is known of one participant into a ZIP file: JSON for programs, and an overview for "
        "people, for whoever asks what is kept of them (GDPR, article 15). Only its owner may read the file; "
        "look through it before it is given away, for it also says who acted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        choosing.add_arguments(parser)
        parser.add_argument(
            "--out", type=Path, default=Path("participant.zip"), metavar="FILE.zip", help="a new file"
        )

    def handle(self, *args: Any, patient_id: str, person: int | None, out: Path, **options: Any) -> None:
        _given, participant = choosing.chosen(patient_id, person)
        try:
            exporting.write(out, exporting.as_zip(participant))
        except FileExistsError:
            raise CommandError(f"{out} is there already, and is not overwritten.") from None
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Written: {out}")
