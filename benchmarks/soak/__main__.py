"""Let a whole site work for a long time while things break, and say whether anything grew or was lost.

    python -m benchmarks.soak [--minutes 30] [--svg docs/images/soak.svg] [--database-url postgres://...]

Four scanners ask and two report, REDCap's people enter records, a program uses the API and somebody has Today
open; every twentieth of the time, and at least every ten seconds, something breaks. The exit code is 1 where
a scanner was failed, an acknowledged report is not in the database, or memory, descriptors or waits grew.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import date
from pathlib import Path

from benchmarks import postgresql
from benchmarks.peers import ROOT, Store
from benchmarks.soak import actors, drawing, faults, samples, site, verdicts
from benchmarks.soak.actors import actor
from tests.redcap.server import RedcapServer
from tests.redcap.studies import big

ITEMS, RECORDS = 2000, 200
ASKING, REPORTING = 4, 2  # scanners
QUIET = 0.15  # of the time, at its end, in which nothing breaks
BREAKS, LEAST_BETWEEN = 20, 10.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--svg", type=Path, help="where the picture goes")
    parser.add_argument("--database-url", default="", help="a database of its own is made there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        url = options.database_url
        own = running.enter_context(postgresql.database(url)) if url else ""
        store = Store(ITEMS, Path(folder), own)
        log, acknowledged = soaked(store, options.minutes * 60)
        wrong = verdicts.complaints(log, options.minutes * 60)
        stored = completed(store)
        if stored < acknowledged:
            wrong.append(f"{acknowledged} examinations were acknowledged, and {stored} are there.")
    if options.svg:
        options.svg.write_text(drawing.svg(log, options.minutes * 60), encoding="utf-8")
    tell(log, acknowledged, stored)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


def soaked(store: Store, seconds: float) -> tuple[samples.Log, int]:
    """Let all work for so long; return what was noted, and how many examinations were acknowledged."""
    today = date.today()
    project = big(RECORDS, today)
    with RedcapServer(project) as redcap, site.running(store, redcap.url) as served:
        log = samples.Log()
        reports = [actors.Reports(served, log, today, share, REPORTING) for share in range(REPORTING)]
        breaking = faults.Faults(served, log, redcap)
        with ExitStack() as working:
            working.enter_context(samples.sampler(log, served.pid))
            for _ in range(ASKING):
                working.enter_context(actor(log, 0.5, actors.queries(served, log, today), actors.QUERY))
            for each in reports:
                working.enter_context(actor(log, 0.5, each.turn, actors.REPORT))
            working.enter_context(actor(log, 3.0, actors.redcaps_people(project), "REDCap"))
            working.enter_context(actor(log, 1.0, actors.Program(served, log).turn, actors.API))
            working.enter_context(actor(log, 2.0, actors.Coordinator(served, log).turn, actors.TODAY))
            with actor(log, max(seconds / BREAKS, LEAST_BETWEEN), breaking.turn, "faults"):
                time.sleep(seconds * (1 - QUIET))
            time.sleep(seconds * QUIET)
        return log, sum(each.acknowledged for each in reports)


def completed(store: Store) -> int:
    """Return how many performed steps are completed in the database, with their items."""
    command = [sys.executable, "-m", "benchmarks.database", "--completed"]
    asked = subprocess.run(
        command, cwd=ROOT, env=store.environment, capture_output=True, text=True, check=True
    )
    return int(asked.stdout)


def tell(log: samples.Log, acknowledged: int, stored: int) -> None:
    print(f"{acknowledged} examinations were acknowledged, {stored} are in the database.")
    print(f"{len(log.faults)} times something broke.")
    for kind in sorted({each.kind for each in log.waits}):
        waited = [each.milliseconds for each in log.waits if each.kind == kind]
        print(f"{kind}: {len(waited)} answered, 95 % within {verdicts.percentile(waited):.0f} ms")
    for name, values in (
        ("MiB", [each.kib / 1024 for each in log.held]),
        ("descriptors", [float(each.descriptors) for each in log.held]),
        ("processes", [float(each.processes) for each in log.held]),
    ):
        print(f"{name}: {values[0]:.0f} at first, {max(values):.0f} at most, {values[-1]:.0f} at the end")


if __name__ == "__main__":
    sys.exit(main())
