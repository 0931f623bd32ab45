"""`pylantir --help` lists the commands: ours with a sentence on each, the rest of Django's by name."""

from __future__ import annotations

from textwrap import fill

from django.core.management import get_commands, load_command_class

OURS = ("pylantir_site", "worklist", "sources", "accounts")
USED_DAILY = frozenset({"migrate", "qcluster"})  # of Django and its apps
WIDE, COLUMN = 100, 21
USAGE = """\
usage: pylantir [options] {command} [options]

DICOM Modality Worklist and Modality Performed Procedure Step server.
Commands may be written with dashes or underscores; `pylantir COMMAND --help` tells a command's own options.

options:
  -h, --help              this list
  --version               the versions of Pylantir and Django
  --pylantir_config FILE  JSON configuration file, for every command: which databases are meant, and more

commands:
"""


def text() -> str:
    commands = {name: str(app) for name, app in get_commands().items()}
    told = {name for name, app in commands.items() if app in OURS} | USED_DAILY
    lines = [_line(name, commands[name]) for name in sorted(told, key=lambda name: (name != "start", name))]
    others = ", ".join(sorted(commands.keys() - told))
    return "\n".join([USAGE + "\n".join(lines), "", "and more of Django:", fill(others, WIDE)])


def _line(name: str, app: str) -> str:
    said = " ".join(load_command_class(app, name).help.split()).partition(". ")[0]
    begun = f"  {name.replace('_', '-')}".ljust(COLUMN)
    return fill(begun + said, WIDE, subsequent_indent=" " * COLUMN)
