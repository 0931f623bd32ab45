"""This command lets service managers and containers ask whether this installation can do its work."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from pylantir_site.overview import readiness

PARTS = ("database", "migrations", "disk", "worker", "dicom")


class Command(BaseCommand):
    help = "Says of each part whether it can do its work, as /health/ready does. Exits with 1 when one fails."
    requires_system_checks = ()  # it is asked again and again: what a set-up lacks, `check` says

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", choices=PARTS, help="judge this part alone")

    def handle(self, *, only: str | None, **options: Any) -> None:
        found = readiness.checks()[1]
        chosen = [only] if only else PARTS
        for name in chosen:
            self.stdout.write(f"{name}: {in_words(found[name])}")
        if not only:
            for source in found["sources"]:  # a source that is late fails nothing
                self.stdout.write(f"source {source['name']}: {source['status']}")
        failed = [name for name in chosen if found[name]["status"] in {"failed", "unknown"}]
        if failed:
            raise CommandError(f"Not ready: {', '.join(failed)}.")


def in_words(part: dict[str, Any]) -> str:
    return f"{part['status']}. {part['message']}" if "message" in part else str(part["status"])
