"""The way from what was typed to the exit code: 2 for what cannot be read, as argparse has it."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import get_commands, load_command_class

from pylantir_site import __version__
from pylantir_site.command_line.arguments import OF_DJANGO, UsageError, command_first, without_config
from pylantir_site.environment import config_file, program

CANNOT_BE_READ = 2


def main() -> None:
    """Run what `sys.argv` names."""
    if "--version" in sys.argv or sys.argv[1:] == ["version"]:  # Django would print its own number alone
        sys.stdout.write(f"Pylantir {__version__} on Django {django.get_version()}\n")
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
    try:
        words, config = without_config(sys.argv[1:])
        if config is not None:
            config_file.choose(config)
        settings.INSTALLED_APPS  # noqa: B018  (reads the settings now: some commands would hide what is wrong)
        django.setup()
        words = command_first(words, known={*get_commands(), *OF_DJANGO}, flags=flags)
        run([sys.argv[0], *words])
    except UsageError as error:
        end(f"{error} `{program.name()} --help` lists the commands.", CANNOT_BE_READ)
    except config_file.ConfigFileError as error:
        end(str(error), CANNOT_BE_READ)
    except ImproperlyConfigured as error:
        end(str(error), 1)


def run(arguments: list[str]) -> None:
    from pylantir_site.command_line.utility import Utility  # it needs the settings

    Utility(arguments).execute()


def flags(command: str) -> set[str]:
    """Return the options of a command that take no value."""
    app = get_commands().get(command)
    if app is None:
        return set()
    parser = load_command_class(str(app), command).create_parser("pylantir", command)
    return {option for action in parser._actions if action.nargs == 0 for option in action.option_strings}


def end(sentence: str, code: int) -> NoReturn:
    sys.stderr.write(f"pylantir: {sentence}\n")
    sys.exit(code)
