"""This command lets somebody sign in again at once who was held up by failures."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from accounts import sign_in
from accounts.audit.events import record
from accounts.models import AuditKind, User


class Command(BaseCommand):
    help = (
        "Forgets the failed sign-ins of a user, wherever they came from. The password is asked for as ever."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USER")

    def handle(self, *, username: str, **options: Any) -> None:
        if not User.objects.filter(username=username).exists():
            raise CommandError(f"There is no user {username}: list_users shows who there is.")
        number = sign_in.unlock(username)
        record(AuditKind.UNLOCKED, subject=username, detail=f"{number} failures")
        failures = "1 failed sign-in is" if number == 1 else f"{number} failed sign-ins are"
        self.stdout.write(f"{failures} forgotten: {username} may sign in at once.")
