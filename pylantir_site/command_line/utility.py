"""Each command, of ours and of Django's, has the configuration file's option and finds its tables."""

from __future__ import annotations

import logging
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import BaseCommand, CommandError, ManagementUtility
from django.core.management.base import ALL_CHECKS, CommandParser, OutputWrapper
from django.db import DatabaseError

from pylantir_site.command_line import listing, tables
from pylantir_site.command_line.arguments import CONFIG
from pylantir_site.environment.log_lines import LogStream
from pylantir_site.management import checked

# What runs for long, and whose output a collector reads.
SERVERS = frozenset({"start", "start_api", "run_mwl", "qcluster"})
SERVES_PAGES = "start_api"


class InFull(Action):
    """The option has been read and taken out before: what argparse still finds is an abbreviation of it."""

    def __call__(self, parser: ArgumentParser, namespace: Namespace, *args: Any) -> NoReturn:
        parser.error(f"write {CONFIG} in full")


class Utility(ManagementUtility):
    def main_help_text(self, commands_only: bool = False) -> str:  # noqa: FBT001, FBT002  (Django's own)
        return super().main_help_text(commands_only) if commands_only else listing.text()

    def fetch_command(self, subcommand: str) -> BaseCommand:
        return prepared(super().fetch_command(subcommand), subcommand)


def prepared(command: BaseCommand, name: str) -> BaseCommand:
    """Return the command with what all commands have; its module knows nothing of it."""
    if name in SERVERS and settings.LOG_FORMAT == "json":
        command.stdout = _to_the_log(name, logging.INFO)
        command.stderr = _to_the_log(name, logging.WARNING)
    if command.requires_system_checks == ALL_CHECKS and knows_no_routes(command, name):
        command.requires_system_checks = checked.without_routes()
    vars(command).update(
        create_parser=_with_config(command.create_parser),
        execute=_on_ready_tables(command.execute, name),
    )
    return command


def knows_no_routes(command: BaseCommand, name: str) -> bool:
    """Tell whether it is a command of ours that serves no page."""
    return type(command).__module__.partition(".")[0] in listing.OURS and name != SERVES_PAGES


def _to_the_log(name: str, level: int) -> OutputWrapper:
    stream: Any = LogStream(f"pylantir.{name}", level)
    return OutputWrapper(stream)


def _with_config(make: Callable[..., CommandParser]) -> Callable[..., CommandParser]:
    def create_parser(*args: Any, **kwargs: Any) -> CommandParser:
        parser = make(*args, **kwargs)
        parser.add_argument(
            CONFIG,
            action=InFull,
            metavar="FILE",
            help="JSON configuration file: which databases are meant, and more (as PYLANTIR_CONFIG)",
        )
        return parser

    return create_parser


def _on_ready_tables(run: Callable[..., Any], name: str) -> Callable[..., Any]:
    def execute(*args: Any, **options: Any) -> Any:
        try:
            tables.refuse_unless_ready(name)
            return run(*args, **options)
        except DatabaseError as error:
            sentence = tables.why_unusable(error)
            if sentence is None or options.get("traceback"):
                raise
            raise CommandError(sentence) from error

    return execute
