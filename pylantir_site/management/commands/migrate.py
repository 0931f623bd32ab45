"""Django's migrate, by one process at a time: several hosts may start at once."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate

from pylantir_site.processes.migrating import alone


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with alone(self.stderr.write):
            super().handle(*args, **options)
