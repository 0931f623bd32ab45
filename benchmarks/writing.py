"""Items are made and changed through the intake one after the other, as a pull from a source does.

    python -m benchmarks.writing --n 1000 --seconds 60 --today 2026-01-10

The numbers of new items begin at n, so that no query of the benchmark finds another number of them. It says
`ready`, waits for a line, and prints how many writes were committed.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from datetime import date
from itertools import count

import django

from benchmarks import beside, database, items

ACTOR = "benchmark"
WEIGHT = "80.5"  # kg; other than the weight that an item is made with


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--today", type=date.fromisoformat, required=True)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
    django.setup()
    written = writes(options.n, options.today)
    beside.await_begin()
    end = time.monotonic() + options.seconds
    done = 0
    while time.monotonic() < end:
        next(written)
        done += 1
    print(done)


def writes(first: int, today: date) -> Iterator[None]:
    """Make an item, then change it, then make the next, each time it is asked."""
    from worklist.items import intake

    common = database.common_values()
    for number in count(first):
        own = database.own_values(items.item(number, today=today))
        item = intake.create({**common, **own}, actor=ACTOR)
        yield
        intake.change(item, {"patient_weight_kg": WEIGHT}, actor=ACTOR)
        yield


if __name__ == "__main__":
    main()
