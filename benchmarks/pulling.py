"""One process prepares a database with a source, or pulls from it once, and says in JSON what it took.

It is run as a file in the folder of a build, this one or an earlier one, and uses what all builds have: their
models and their commands.

    python -P benchmarks/pulling.py --prepare URL
    python -P benchmarks/pulling.py
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import sys
import time
from io import StringIO
from typing import Any

SOURCE, TOKEN_VARIABLE = "benchmark", "BENCHMARK_TOKEN"
# A row for each: target, field, level, transforms, default.
RULES = (
    ("patient_id", "record_id", "record", "", ""),
    ("patient_name", "", "record", "template P^{record_id}", ""),
    ("patient_birth_date", "dob", "record", "", ""),
    ("patient_sex", "sex", "record", "codes 1=M, 2=F", ""),
    ("scheduled_start_date", "scan_date", "session", "", ""),
    ("scheduled_start_time", "scan_time", "session", "", ""),
    ("modality", "", "session", "", "MR"),
)
COUNTS = ("records_done", "created", "changed", "unchanged", "withdrawn", "issues", "requests")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--prepare", metavar="URL", help="migrate, and make a source of the REDCap there")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
    import django

    django.setup()
    if options.prepare:
        prepare(options.prepare)
    else:
        print(json.dumps(pull()))


def prepare(url: str) -> None:
    from django.core.management import call_command
    from django.db import connection

    if connection.introspection.table_names():
        sys.exit("The database is not empty: a benchmark fills one of its own.")
    call_command("migrate", verbosity=0)
    from sources.models import DataSource, MappingRule

    source = DataSource(
        name=SOURCE,
        url=url,
        server_timezone="UTC",
        enabled=True,
        token_variable=TOKEN_VARIABLE,
        session_kind="event",
        session_instrument="scan",
        horizon_ahead_days=90,
        requests_per_minute=6000,
    )
    source.save_as(SOURCE)
    for position, (target, field, level, transforms, default) in enumerate(RULES):
        MappingRule.objects.create(
            source=source,
            position=position,
            target=target,
            field=field,
            level=level,
            transforms=transforms,
            default=default,
        )


def pull() -> dict[str, Any]:
    """Pull all records; return counts, seconds and the process's largest size in MiB."""
    from django.core.management import call_command

    from sources.models import SyncRun

    wait = Wait()
    at, processor = time.perf_counter(), time.process_time()
    call_command("sync_source", SOURCE, full=True, stdout=StringIO())
    taken = {
        "seconds": time.perf_counter() - at,
        "processor": time.process_time() - processor,
        "waited": wait.seconds,
        "mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    run = SyncRun.objects.latest("started_at")
    return taken | {name: getattr(run, name) for name in COUNTS}


class Wait:
    """It counts the seconds in which this process waits for answers over HTTP."""

    def __init__(self) -> None:
        self.seconds = 0.0
        read = socket.SocketIO.readinto

        def timed(file: socket.SocketIO, buffer: Any) -> int | None:
            at = time.perf_counter()
            try:
                return read(file, buffer)
            finally:
                self.seconds += time.perf_counter() - at

        socket.SocketIO.readinto = timed  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    main()
