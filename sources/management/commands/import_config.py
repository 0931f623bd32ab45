"""This command imports the original's JSON configuration."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from pylantir_site.environment import config_file
from sources.config_import import ConfigError, PatientIds, import_config
from sources.config_import.patient_ids import MEANINGS, Chooser, IdQuestion, refuse

ACTOR = "import_config"


class Command(BaseCommand):
    help = "Import sources and devices from a pylantir JSON configuration, new or legacy."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the configuration; importing it again is fine")
        parser.add_argument(
            "--patient-ids",
            choices=[str(kind) for kind in PatientIds],
            help="where the original cut study and family IDs at their dashes: "
            + " ".join(f"{kind} – {text}" for kind, text in MEANINGS.items())
            + " Old IDs are refused where two participants would share one. Without it you are asked, or, "
            "where nobody can be, the source is not imported. A source that has its IDs keeps them.",
        )

    def handle(self, *args: Any, file: str, patient_ids: str | None, **options: Any) -> None:
        try:
            report = import_config(
                config_file.read(file),
                actor=ACTOR,
                demanded=PatientIds(patient_ids) if patient_ids else None,
                choose=self.chooser(),
            )
        except (ConfigError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        for line in report.lines:
            self.stdout.write(line)
        if report.failed:
            raise CommandError("Nothing was imported: the lines above say why.")

    def chooser(self) -> Chooser:
        return self.ask if sys.stdin.isatty() else refuse

    def ask(self, question: IdQuestion) -> PatientIds | None:
        """Ask the person at the terminal: continuity first."""
        kinds = list(PatientIds)
        self.stdout.write(f"{question.source}: {question.situation} Which IDs is it to have?")
        for number, kind in enumerate(kinds, start=1):
            self.stdout.write(f"  {number}  {MEANINGS[kind]}")
        while True:
            try:
                answer = input("1 or 2, or nothing to leave this source out: ").strip().lower()
            except EOFError:
                answer = ""
            if not answer:
                raise ConfigError("Which patient IDs it is to have was left open.")
            for number, kind in enumerate(kinds, start=1):
                if answer in (str(number), kind):
                    return kind
