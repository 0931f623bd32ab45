"""Each command line begins anew here, in a fork of one process that has imported what takes long.

python -m tests.site.forks < command-lines.json > what-came-of-each.json
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from tests.site.fresh import ROOT, environment


class Ran(NamedTuple):
    """This is what came of a command line, and which databases it would have asked."""

    code: int
    out: str
    err: str
    databases: dict[str, str]


def each(data: Path, lines: list[list[str]], **variables: str) -> list[Ran]:
    """Run the command lines, one after another, in fresh processes."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.site.forks"],
        input=json.dumps(lines),
        env=environment(data, **variables),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Ran(**came) for came in json.loads(done.stdout)]


# None of them reads Django's settings.
TAKE_LONG = (
    *("django.core.management.commands.makemigrations", "django.contrib.admin.sites", "psycopg"),
    *(
        "django.db.backends.sqlite3.base",
        "django.forms",
        "django.template.engine",
        "django_filters",
        "psutil",
    ),
    *("pynetdicom.sop_class", "requests", "rest_framework.serializers", "tabulate", "tqdm", "jsonschema"),
    *("pylantir_site.command_line.main", "worklist.dicom.item_attributes", "sources.redcap.client"),
)


def _in_a_fork(words: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryFile("w+", encoding="utf-8") as answer:
        child = os.fork()
        if not child:
            json.dump(_came_of(words), answer)
            answer.flush()
            os._exit(0)
        os.waitpid(child, 0)
        answer.seek(0)
        came: dict[str, Any] = json.load(answer)
    return came


def _came_of(words: list[str]) -> dict[str, Any]:
    from django.conf import settings

    from pylantir_site.command_line.main import main

    sys.argv = ["pylantir", *words]
    code: object = 0
    with contextlib.redirect_stdout(StringIO()) as out, contextlib.redirect_stderr(StringIO()) as err:
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    databases = {alias: str(kept["NAME"]) for alias, kept in settings.DATABASES.items()}
    return {"code": code, "out": out.getvalue(), "err": err.getvalue(), "databases": databases}


if __name__ == "__main__":
    for name in TAKE_LONG:
        importlib.import_module(name)
    json.dump([_in_a_fork(words) for words in json.load(sys.stdin)], sys.stdout)
