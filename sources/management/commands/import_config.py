"""This command imports the original's JSON configuration."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from pylantir_site.environment import config_file
from sources.config_import import ConfigError, import_config

ACTOR = "import_config"


class Command(BaseCommand):
    help = "Import sources and devices from a pylantir JSON configuration, new or legacy."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the configuration; importing it again is fine")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        try:
            report = import_config(config_file.read(file), actor=ACTOR)
        except (ConfigError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        for line in report.lines:
            self.stdout.write(line)
        if report.failed:
            raise CommandError("Nothing was imported: the lines above say why.")
