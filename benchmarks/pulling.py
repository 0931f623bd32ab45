"""One process prepares a database with a source, or pulls from it once, and says in JSON what it took.

It is run as a file in the folder of a build, this one or an earlier one, and uses what all builds have: their
models and their commands.

    python -P benchmarks/pulling.py --prepare URL
    python -P benchmarks/pulling.py --prepare-table FILE
    python -P benchmarks/pulling.py [--changes]
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
from pathlib import Path
from typing import Any

SOURCE, TOKEN_VARIABLE = "benchmark", "PYLANTIR_TOKEN_BENCHMARK"
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
    parser.add_argument("--prepare-table", metavar="FILE", help="migrate, and make a source of the table")
    parser.add_argument("--changes", action="store_true", help="pull what has changed, and not all")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
    import django

    django.setup()
    if options.prepare:
        migrate()
        make_source(options.prepare)
    elif options.prepare_table:
        migrate()
        make_table(Path(options.prepare_table))
    else:
        print(json.dumps(pull(full=not options.changes)))


def migrate() -> None:
    from django.core.management import call_command
    from django.db import connection

    if connection.introspection.table_names():
        sys.exit("The database is not empty: a benchmark fills one of its own.")
    call_command("migrate", verbosity=0)


def make_source(url: str, **options: Any) -> None:
    """Make the source of the stand-in's large study, enabled, with its mapping."""
    source = _stored(
        SOURCE,
        name=SOURCE,
        url=url,
        server_timezone="UTC",
        enabled=True,
        token_variable=TOKEN_VARIABLE,
        session_kind="event",
        session_instrument="scan",
        horizon_ahead_days=90,
        requests_per_minute=6000,
        **options,
    )
    _map(source)


def make_table(path: Path) -> None:
    """Make a source of an uploaded table, whose columns are called as the large study's fields are."""
    from sources import models
    from sources.tables.content import TableContent

    source = models.DataSource(name=SOURCE, kind="table", enabled=True, horizon_ahead_days=90)
    source.details = models.TableFile(record_column="record_id")
    source.save_with_details(SOURCE)
    models.UploadedTable.keep(source, TableContent(path.name, path.read_bytes()), by=SOURCE)
    _map(source)


def _map(source: Any) -> None:
    from sources.models import MappingRule

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
    if hasattr(source, "identifying_agreements"):  # earlier builds ask nobody
        source.identifying_agreements.create(how="PERSON", agreed_by=SOURCE)


def _stored(actor: str, **values: Any) -> Any:
    """Store a source; in earlier builds what is its project's stands in the source's own row."""
    from sources import models

    project: Any = getattr(models, "RedcapProject", None)
    if project is None:
        source: Any = models.DataSource(**values)
        source.save_as(actor)
        return source
    columns = {field.name for field in project._meta.concrete_fields}
    source = models.DataSource(**{name: value for name, value in values.items() if name not in columns})
    source.details = project(**{name: value for name, value in values.items() if name in columns})
    source.save_with_details(actor)
    return source


def pull(*, full: bool = True) -> dict[str, Any]:
    """Pull all records, or what has changed; return counts, seconds and the process's largest size in MiB."""
    from django.core.management import call_command

    from sources.models import SyncRun

    wait = Wait()
    at, processor = time.perf_counter(), time.process_time()
    call_command("sync_source", SOURCE, full=full, stdout=StringIO())
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
