"""This command prints what /metrics shows: for node_exporter, on a host without a web server."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand

from pylantir_site.metrics import exposition


class Command(BaseCommand):
    help = "Prints what Prometheus reads at /metrics."
    requires_system_checks = ()  # it is asked again and again

    def handle(self, **options: Any) -> None:
        self.stdout.write(exposition.text().decode(), ending="")
