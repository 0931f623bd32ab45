"""This command gives an account a new password."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, CommandParser

from accounts import users
from accounts.first_admin import USERNAME
from accounts.management import prompts
from accounts.models import User


class Command(BaseCommand):
    help = (
        "Gives a user a new password, and ends their tokens and sessions. The present one is not asked for: "
        "who may run this has the database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", default=USERNAME, help=f"default: {USERNAME}")
        prompts.add_password_option(parser)

    def handle(self, *, username: str, password: str | None, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username}: list_users shows who there is.")
        try:
            users.change(user, {"password": prompts.password(password)})
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"The password of {username} was changed.")
