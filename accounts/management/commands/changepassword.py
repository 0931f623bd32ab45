"""This is Django's command, run on the database that holds the accounts."""

from __future__ import annotations

from django.contrib.auth.management.commands import changepassword
from django.core.management.base import CommandParser
from django.db import router

from accounts.models import User


class Command(changepassword.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database=router.db_for_write(User))
