#!/usr/bin/env python
"""Pylantir's command line: `python manage.py help`."""

import os
import sys

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from pylantir_site import __version__
from pylantir_site.environment.config_file import take_path_from_arguments


def main() -> None:
    if "--version" in sys.argv or sys.argv[1:] == ["version"]:  # Django would print its own number alone
        sys.stdout.write(f"Pylantir {__version__} on Django {django.get_version()}\n")
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
    take_path_from_arguments(sys.argv)
    try:
        settings.INSTALLED_APPS  # noqa: B018  (reads the settings now: some commands would hide what is wrong)
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"pylantir: {error}")


if __name__ == "__main__":
    main()
