"""Measure the first load of a spreadsheet beside the first pull of the same records from REDCap.

    python -m benchmarks.tables [--records 5000] [--rounds 3] [--before COMMIT] [--json FILE]

Each round loads a workbook into an empty database, then asks once more for what has changed, of a file that
has not. The build before pulls the same appointments from the stand-in REDCap into an empty database. Every
pull is a process of its own, and its counts are checked. The stand-in has answered everything once before the
first of several rounds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date
from functools import partial
from pathlib import Path

from openpyxl import Workbook

from benchmarks import before, outcome, pulls, redcap
from benchmarks.client import WrongAnswerError
from benchmarks.peers import BEFORE, OURS, Store
from benchmarks.pulls import NEW, UNITS, Puller
from benchmarks.results import Key, Results, Unit
from benchmarks.wanted import Bound
from tests.redcap.studies import big

SAME_FILE = "same file"
COLUMNS = ("record_id", "dob", "sex", "scan_date", "scan_time")
UNTIL_UNCHANGED = 1  # pulls after the first, which began before the file was met, until nothing is read


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description="Measure tables.")
    parser.add_argument("--records", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    before.add_build(parser)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.set_defaults(database_url="")
    options = parser.parse_args(arguments)
    told = partial(pulls.table, title="A workbook loaded, and REDCap pulled by the build before")
    return outcome.of(options, _run, told, BOUNDS, is_told=bool(options.before))


def _run(options: argparse.Namespace) -> Results:
    found = Results()
    with before.comparison(options) as compared:
        table = compared.folder / "people.xlsx"
        write(table, options.records)
        ours = _of_table(compared.builds[OURS], compared.folder / "ours", table, options.records)
        theirs = None
        if options.before:
            url = compared.running.enter_context(redcap.running(options.records))
            theirs = _of_redcap(compared.builds[BEFORE], compared.folder / "before", url, options.records)
            _first_pull(theirs, Results())  # so that the stand-in knows the answers
        for turn in range(options.rounds):
            print(f"Round {turn + 1} of {options.rounds}", flush=True)
            _load(ours, found)
            if theirs is not None:
                _first_pull(theirs, found)
    return found


def write(path: Path, records: int) -> None:
    """Write the appointments of the stand-in's large study as a workbook, a row for each."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("People")
    sheet.append(COLUMNS)
    project = big(records, date.today())
    for number in range(1, records + 1):
        values = {"record_id": str(number)}
        for _key, row in project.rows(str(number)):
            values |= {name: value for name, value in row.items() if value}
        sheet.append([values.get(name, "") for name in COLUMNS])
    book.save(path)


def _of_table(build: Path, folder: Path, table: Path, records: int) -> Puller:
    folder.mkdir()
    puller = Puller(OURS, build, Store(records, folder))
    puller.python(puller.store, "--prepare-table", str(table))
    return puller


def _of_redcap(build: Path, folder: Path, url: str, records: int) -> Puller:
    folder.mkdir()
    puller = Puller(BEFORE, build, Store(records, folder))
    puller.prepare(url)
    return puller


def _copied(puller: Puller) -> AbstractContextManager[Store]:
    return puller.copied(puller.store.folder.with_name(f"{puller.store.folder.name}-copied"))


def _load(puller: Puller, found: Results) -> None:
    """Load the table, then pull what has changed until the file is known to be the same."""
    records = puller.store.n
    with _copied(puller) as store:
        _note(puller, store, NEW, found, created=records, done=records)
        for _ in range(UNTIL_UNCHANGED):
            puller.pull(store, "--changes")
        _note(puller, store, SAME_FILE, found, "--changes", created=0, done=0)


def _first_pull(puller: Puller, found: Results) -> None:
    with _copied(puller) as store:
        _note(puller, store, NEW, found, created=puller.store.n, done=puller.store.n)


def _note(
    puller: Puller, store: Store, scenario: str, found: Results, *arguments: str, created: int, done: int
) -> None:
    """Pull, and keep what it took. Raises WrongAnswerError for other counts."""
    taken = puller.pull(store, *arguments)
    if (taken["created"], taken["records_done"]) != (created, done):
        raise WrongAnswerError(
            f"{scenario}, {puller.name}: {taken['created']} of {taken['records_done']} were created."
        )
    for unit, name in UNITS.items():
        found.add(Key(scenario, store.n, puller.name, unit), [taken[name]], items=store.n)


def _same_file_at_most(limit: float) -> Bound:
    """Want an unchanged file to take this part of its first load at most; most of it is a pull's own."""
    return Bound(
        f"{SAME_FILE}, of a first load",
        lambda found: _of_first_load(found),
        "times",
        limit,
    )


def _of_first_load(found: Results) -> float | None:
    keys = {key.scenario: key for key in found if key.server == OURS and key.unit is Unit.SECONDS}
    same, new = keys.get(SAME_FILE), keys.get(NEW)
    return found.ratio(same, new) if same and new else None


BOUNDS = (
    pulls.faster(NEW, 4),
    pulls.less_processor_time(NEW),
    _same_file_at_most(0.1),
)


if __name__ == "__main__":
    sys.exit(main())
