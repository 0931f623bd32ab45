"""This command lists who has an account."""

from __future__ import annotations

import json
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.utils import timezone
from tabulate import tabulate

from accounts.models import User

HEADERS = ("username", "role", "active", "full name", "email", "last login")


class Command(BaseCommand):
    help = "Lists the users. No admin's password is asked for: who may run this has the database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=("table", "json"), default="table")

    def handle(self, *, format: str, **options: Any) -> None:
        rows = [_row(user) for user in User.objects.all()]
        if format == "json":
            named = [dict(zip(HEADERS, row, strict=True)) for row in rows]
            self.stdout.write(json.dumps(named, indent=2, ensure_ascii=False))
        else:
            self.stdout.write(tabulate(rows, HEADERS, disable_numparse=True))


def _row(user: User) -> tuple[str, str, str, str, str, str]:
    seen = timezone.localtime(user.last_login).isoformat(" ", "minutes") if user.last_login else "never"
    return (user.username, user.role, "yes" if user.is_active else "no", user.full_name, user.email, seen)
