"""Commands take a password from an option or from standard input, or ask for it twice."""

from __future__ import annotations

import getpass
import sys

from django.core.management import CommandError, CommandParser

HELP = "the password; - reads it from standard input, as does leaving it out where nobody can be asked. "
SEEN = "Others on this machine can see what is written on a command line."


def add_password_option(parser: CommandParser) -> None:
    parser.add_argument("--password", help=HELP + SEEN)


def password(given: str | None) -> str:
    """Return the option's password, or the one that is typed.

    Raises CommandError for none, or two that differ.
    """
    if given is not None and given != "-":
        return _nonempty(given)
    if given == "-" or not sys.stdin.isatty():
        return _nonempty(sys.stdin.readline().rstrip("\r\n"))
    first = _nonempty(getpass.getpass("Password: "))
    if getpass.getpass("Password (again): ") != first:
        raise CommandError("The two passwords differ.")
    return first


def text(given: str | None, prompt: str) -> str:
    """Return the option's value, or what the person at the terminal types."""
    if given is None and sys.stdin.isatty():
        given = input(f"{prompt}: ")
    if not given:
        raise CommandError(f"Give the {prompt.lower()}: --{prompt.lower().replace(' ', '-')}.")
    return given


def _nonempty(password: str) -> str:
    if not password:
        raise CommandError("The password is empty. Nothing was done.")
    return password
