"""One process migrates a database, or brings in and reads many items of it, and says in JSON what each took.

It is run as a file in the folder of a build, this one or an earlier one, and uses what all builds have: their
commands, their API and `intake.create`. `FOLDER` has worklist files, and beside it stands the list of items
that are sent at once, as JSON.

    python -P benchmarks/batching.py --prepare
    python -P benchmarks/batching.py FOLDER
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

ACTOR = "benchmark"
BODIES = "bodies.json"
READ = 1000  # items in an answer
ONE_BY_ONE = 100  # items
READINGS = 5
NAMED = b"OE^A"
FORMS = {"JSON": "application/json", "DICOM JSON": "application/dicom+json", "CSV": "text/csv"}
Taken = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--prepare", action="store_true", help="migrate")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
    import django

    django.setup()
    if options.prepare:
        prepare()
    else:
        print(json.dumps(taken(options.folder)))


def prepare() -> None:
    from django.core.management import call_command
    from django.db import connection

    if connection.introspection.table_names():
        sys.exit("The database is not empty: a benchmark fills one of its own.")
    call_command("migrate", verbosity=0)


def taken(folder: Path) -> dict[str, Taken]:
    """Return the seconds of each scenario, those of a processor, and how many items were done."""
    bodies = json.loads(folder.with_name(BODIES).read_text())
    one_by_one, sent = bodies[:ONE_BY_ONE], bodies[ONE_BY_ONE:]
    client = _client()
    found = {
        "import, new": _timed(lambda: _imported(folder, "created")),
        "import, unchanged": _timed(lambda: _imported(folder, "unchanged")),
        "one by one": _timed(lambda: _made(one_by_one)),
        "POST of a list": _timed(lambda: _posted(client, sent)),
    }
    return found | {f"GET, {name}": _readings(client, form) for name, form in FORMS.items()}


def _readings(client: Any, form: str) -> Taken:
    """Return the median of some readings, after one by which all is loaded.

    A web process's first garbage is frozen, too, so that no collection looks at Django.
    """
    _read(client, form)
    gc.collect()
    gc.freeze()
    readings = [_timed(lambda: _read(client, form)) for _ in range(READINGS)]
    return {unit: median(each[unit] for each in readings) for unit in readings[0]}


def _timed(act: Callable[[], int]) -> Taken:
    at, processor = time.perf_counter(), time.process_time()
    done = act()
    return {
        "seconds": time.perf_counter() - at,
        "processor": time.process_time() - processor,
        "items": done,
    }


def _client() -> Any:
    from rest_framework.test import APIClient

    from accounts.models import User

    client = APIClient(SERVER_NAME="localhost")
    client.force_authenticate(User.objects.create_user(ACTOR, role="admin"))
    _read(client, FORMS["JSON"])  # what loads the routes, which a build may load at its start
    return client


def _imported(folder: Path, outcome: str) -> int:
    from django.core.management import call_command

    said = StringIO()
    call_command("import_worklist", str(folder), stdout=said, stderr=said)
    last = said.getvalue().splitlines()[-1]  # Items: 3 created, 0 updated, 0 unchanged. Refused: 0.
    counts = {name.strip(".,"): int(count) for count, name in _pairs(last.split()[1:7])}
    return counts[outcome]


def _pairs(words: list[str]) -> list[tuple[str, str]]:
    return list(zip(words[::2], words[1::2], strict=True))


def _made(bodies: list[dict[str, Any]]) -> int:
    from worklist.items import intake

    return len([intake.create(body, actor=ACTOR) for body in bodies])


def _posted(client: Any, bodies: list[dict[str, Any]]) -> int:
    response = client.post("/worklist", bodies, format="json")
    if response.status_code != 201:
        sys.exit(f"POST: {response.status_code} {response.content[:500]!r}")
    return _counted(response)


def _read(client: Any, form: str) -> int:
    response = client.get("/worklist", {"limit": READ}, headers={"accept": form})
    if response.status_code != 200:
        sys.exit(f"GET: {response.status_code}")
    return _counted(response)


def _counted(response: Any) -> int:
    """Count the items by what each one's name has, for to decode an answer is its reader's time."""
    return int(response.content.count(NAMED))


if __name__ == "__main__":
    main()
