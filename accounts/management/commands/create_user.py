"""This command makes an account."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, CommandParser

from accounts import users
from accounts.management import prompts
from accounts.roles import Role


class Command(BaseCommand):
    help = (
        "Creates a user. Asks for what is missing. No admin's password is asked for: who may run this "
        "has the database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username")
        parser.add_argument("--role", choices=Role.values, default=Role.READ.value, help="default: read")
        parser.add_argument("--email", default="")
        parser.add_argument("--full-name", default="")
        prompts.add_password_option(parser)

    def handle(self, **options: Any) -> None:
        try:
            user = users.create(
                username=prompts.text(options["username"], "Username"),
                password=prompts.password(options["password"]),
                role=options["role"],
                email=options["email"],
                full_name=options["full_name"],
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"User {user.username} with the role {user.role} was created.")
