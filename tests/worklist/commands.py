"""Commands of `manage.py` run here one after another in one process, for its start takes long."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import NamedTuple

from pylantir_site.command_line.main import main


class Outcome(NamedTuple):
    """This is what a shell would have of a command."""

    code: int
    printed: str
    errors: str


def prepare(environment: dict[str, str]) -> None:
    os.environ.update(environment)


def run(*arguments: str) -> Outcome:
    sys.argv = ["manage.py", *arguments]
    with redirect_stdout(StringIO()) as printed, redirect_stderr(StringIO()) as errors:
        code = _code()
    return Outcome(code, printed.getvalue(), errors.getvalue())


def _code() -> int:
    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, str):  # as the interpreter does
            sys.stderr.write(f"{end.code}\n")
            return 1
        return end.code or 0
    return 0
