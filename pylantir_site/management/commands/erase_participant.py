"""Erase one participant."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pylantir_site.privacy import choosing, erasing, participants
from worklist.privacy.erasing import EraseRefused

ACTOR = "erase_participant"
SURE = "erase"


class Command(BaseCommand):
    help = (
        "Erase one participant from all tables, histories and logs of the database. That an examination took "
        "place, when, on which scanner and who acted stays; who it was goes, and cannot be brought "
        "back. Pulls leave the record out from then on. Backups, images and the source itself are not "
        "touched. It is refused while an examination of the participant runs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        choosing.add_arguments(parser)
        parser.add_argument(
            "--reason", default="", help="why, without name and ID: it is kept (at most 200 characters)"
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="say how many rows of what would be changed, and write nothing",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(
        self,
        *args: Any,
        patient_id: str,
        person: int | None,
        reason: str,
        dry_run: bool,
        yes: bool,
        **options: Any,
    ) -> None:
        if len(reason) > 200:
            raise CommandError("--reason is longer than 200 characters.")
        given, participant = choosing.chosen(patient_id, person)
        shown = participants.digest(participant)
        try:
            if dry_run or not yes:
                self._tell(erasing.rehearse(given, shown))
            if dry_run:
                self.stdout.write("Nothing was written (--dry-run).")
                return
            if not (yes or _is_sure()):
                raise CommandError("Nothing was erased.")
            erasure = erasing.erase_and_purge(given, shown, erasing.Order(ACTOR, reason))
        except EraseRefused as refused:
            raise CommandError(str(refused)) from refused
        self._tell(erasure.counts)
        self.stdout.write(f"Erased. The rows have the patient ID {erasure.pseudonym} since.")
        if not erasure.is_purged:
            self.stdout.write("The database's files are written anew within the hour: they are in use now.")

    def _tell(self, counts: Mapping[str, int]) -> None:
        for what, count in sorted(counts.items()):
            self.stdout.write(f"{what}: {count}")


def _is_sure() -> bool:
    """Ask; where nobody can answer, nobody is sure."""
    try:
        return input(f"Type {SURE} to erase the participant: ").strip() == SURE
    except EOFError:
        return False
