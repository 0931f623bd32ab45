"""This command gives the audit trail out as lines, or says whether it is as it was written."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import connections, router

from accounts.audit import append_only, chain, export
from accounts.audit.events import record
from accounts.models import AuditEvent, AuditKind


class Command(BaseCommand):
    help = (
        "Prints who did or saw what, one event a line, or verifies the trail. No admin's password is asked "
        "for: who may run this has the database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", help="from this date, or date and time, on")
        parser.add_argument("--until", help="to before this date, or date and time")
        parser.add_argument("--kind", action="append", choices=AuditKind.values, default=[], dest="kinds")
        parser.add_argument("--username", default="", help="what this user did or saw")
        parser.add_argument("--row", type=int, help="what names the row of this key")
        parser.add_argument("--format", choices=("jsonl", "csv"), default="jsonl")
        parser.add_argument("--output", help="a new file, readable by its owner alone; default: print")
        parser.add_argument(
            "--verify", action="store_true", help="print what was changed or taken out; exit code 1 then"
        )

    def handle(self, **options: Any) -> None:
        if options["verify"]:
            self.verify()
            return
        try:
            since, until = (
                export.moment(options[name]) if options[name] else None for name in ("since", "until")
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        found: Any = export.chosen(
            since=since,
            until=until,
            kinds=options["kinds"],
            username=options["username"],
            row=options["row"],
        ).iterator(chunk_size=export.AT_ONCE)
        number = self.write(found, as_csv=options["format"] == "csv", output=options["output"])
        record(AuditKind.EXPORT, path="audit", detail=f"{number} events")

    def write(self, found: Any, *, as_csv: bool, output: str | None) -> int:
        if not output:
            return export.write(found, self.stdout, as_csv=as_csv)  # type: ignore[arg-type]
        try:
            descriptor = os.open(Path(output), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{output} cannot be made: {error.strerror}.") from error
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            return export.write(found, file, as_csv=as_csv)

    def verify(self) -> None:
        connection = connections[router.db_for_read(AuditEvent)]
        wrong = [] if append_only.are_installed(connection) else ["The database's triggers are gone."]
        events = AuditEvent.objects.order_by("pk")
        wrong += chain.complaints(events.iterator(chunk_size=export.AT_ONCE))
        for sentence in wrong:
            self.stdout.write(sentence)
        unchained = events.filter(digest="").count()
        if unchained:
            self.stdout.write(f"{unchained} events are from before the trail was chained.")
        if wrong:
            sys.exit(1)
        self.stdout.write(f"All {events.count()} events are as they were written.")
