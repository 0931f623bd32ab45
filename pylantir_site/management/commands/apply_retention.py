"""Erase the participants whose time is over."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from pylantir_site.privacy import retention
from pylantir_site.privacy.purging import purge


class Command(BaseCommand):
    help = (
        "Erase all participants of whom nothing was booked, reported or changed for PARTICIPANTS_KEPT_DAYS, "
        "as erase_participant does. The server does it by itself, some each hour. It says how many rows of "
        "what were changed, and names nobody."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="say how many rows of what would be changed"
        )

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        days = settings.PARTICIPANTS_KEPT_DAYS
        if not days:
            self.stdout.write("PARTICIPANTS_KEPT_DAYS is 0: participants are kept for ever.")
            return
        report = retention.apply(dry_run=dry_run)
        self.stdout.write(f"Participants kept for longer than {days} days: {report.participants}")
        for what, count in sorted(report.counts.items()):
            self.stdout.write(f"{what}: {count}")
        if report.refused:
            self.stdout.write(f"Examined or pulled just now, and left for the next time: {report.refused}")
        if dry_run:
            self.stdout.write("Nothing was written (--dry-run).")
        elif report.participants and not purge():
            self.stdout.write("The database's files are written anew within the hour: they are in use now.")
