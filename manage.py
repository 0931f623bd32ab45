#!/usr/bin/env python
"""Pylantir's command line: `python manage.py help`."""

from pylantir_site.command_line.main import main

if __name__ == "__main__":
    main()
