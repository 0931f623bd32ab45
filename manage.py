#!/usr/bin/env python
"""Pylantir's command line: `python manage.py help`."""

import os
import sys

from django.core.management import execute_from_command_line

from pylantir_site.config_file import take_path_from_arguments


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
    take_path_from_arguments(sys.argv)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
