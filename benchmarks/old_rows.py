"""Old rows are made, deleted as retention does, and written beside, on whichever build's code is on the path.

    python -P benchmarks/old_rows.py fill|prune|write --rows 100000

What prunes prints the seconds that it took, and the milliseconds of each statement that deleted: so long is
the write lock held at most, for each is a transaction. What writes prints the milliseconds that each write
took, waiting included, until its input ends.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

BATCH = 5000
EVERY = 0.005  # seconds between two writes


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("act", choices=("fill", "prune", "write"))
    parser.add_argument("--rows", type=int, default=0)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
    django.setup()
    if options.act == "fill":
        fill(options.rows)
    else:
        print(json.dumps(written() if options.act == "write" else prune()))


def fill(rows: int) -> None:
    from django.utils import timezone

    from worklist.models import DeviceActivity

    long_ago = timezone.now() - timedelta(days=4000)
    made = (DeviceActivity(kind="ECHO", ae_title="GONE", at=long_ago) for _ in range(rows))
    DeviceActivity.objects.bulk_create(made, batch_size=BATCH)


def prune() -> tuple[float, list[float]]:
    """Delete all that is old, see that nothing of it is left, and return what that took."""
    from django.db import connection

    from worklist.devices import retention
    from worklist.models import DeviceActivity

    held: list[float] = []

    def timed(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        began = time.perf_counter()
        done = execute(sql, *arguments)
        if sql.startswith("DELETE"):
            held.append((time.perf_counter() - began) * 1000)
        return done

    began = time.perf_counter()
    with connection.execute_wrapper(timed):
        retention.prune()
    if DeviceActivity.objects.filter(ae_title="GONE").exists():
        sys.exit("Old rows are left.")
    return time.perf_counter() - began, held


def written() -> list[float]:
    """Write a row now and then until the input ends, and return how many milliseconds each took."""
    from worklist.models import DeviceActivity

    over = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait, daemon=True).start()
    DeviceActivity.objects.create(kind="ECHO", ae_title="BESIDE")
    print("ready", flush=True)
    taken = []
    while not over.wait(EVERY):
        start = time.perf_counter()
        DeviceActivity.objects.create(kind="ECHO", ae_title="BESIDE")
        taken.append((time.perf_counter() - start) * 1000)
    return taken


if __name__ == "__main__":
    main()
