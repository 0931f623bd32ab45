"""This command imports the original's JSON configuration."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from pylantir_site.environment import config_file
from sources.config_import import ConfigError, PatientIds, import_config
from sources.config_import.patient_ids import MEANINGS, IdQuestion, refuse
from sources.management import terminal

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
                choose=self.choose,
            )
        except (ConfigError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        for line in report.lines:
            self.stdout.write(line)
        if report.failed:
            raise CommandError("Nothing was imported: the lines above say why.")

    def choose(self, question: IdQuestion) -> PatientIds | None:
        if not terminal.is_there():
            return refuse(question)
        kind = terminal.ask_for_ids(question, self.stdout.write)
        if kind is None:
            raise ConfigError("Which patient IDs it is to have was left open.")
        return kind
