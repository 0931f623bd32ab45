"""This command starts the web server alone."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from pylantir_site.processes.ports import why_not_free
from pylantir_site.processes.web import add_web_options, gunicorn, why_exposed


class Command(BaseCommand):
    help = "Runs the web server (gunicorn) on databases that are migrated already."

    def add_arguments(self, parser: CommandParser) -> None:
        add_web_options(parser)

    def handle(self, *, api_host: str, api_port: int, **options: Any) -> None:
        reason = why_not_free(api_host, api_port)
        if reason:
            raise CommandError(f"{reason}: choose another with --api-host or --api-port.")
        if not settings.BEHIND_TLS_PROXY and (sentence := why_exposed(api_host)):
            self.stderr.write(sentence)
        command = gunicorn(host=api_host, port=api_port)
        os.execv(command[0], command)
