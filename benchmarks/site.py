"""A large site is played: scanners ask now and then, while performed steps are reported and items written."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import cycle

from benchmarks import beside, crowd, items
from benchmarks.client import PERFORMED_STEP, Association, WrongAnswerError
from benchmarks.mpps import Patient
from benchmarks.peers import Server, Store
from benchmarks.repeating import Repeated
from benchmarks.results import Figures, Unit
from benchmarks.running import Measure

SCANNERS, EVERY = 1000, 30.0  # seconds between two queries of a scanner
REPORTED_EVERY = 0.5  # seconds between two cycles of N-CREATE and N-SET


def simulated(store: Store, today: date) -> Measure:
    """Measure what scanners wait for, from the moment at which each was due; all errors are counted."""

    def measure(server: Server, seconds: float) -> Figures:
        # The typical query goes on to find what it must: an item that was performed is answered no more.
        performed = cycle(reversed(range(items.TYPICAL, store.n)))
        reporting = _Reporting(server.port, Patient(today, performed))
        writer = beside.prepared("benchmarks.writing", _writing(store, seconds, today), store.environment)
        players = crowd.players(server, SCANNERS, seconds, today, every=EVERY)
        with writer as writing, players as playing, Repeated(REPORTED_EVERY, reporting.turn):
            for each in (writing, *playing):
                beside.begin(each)
            whole = crowd.found(playing, seconds)
            written = beside.printed(writing, seconds)
        whole.errors += reporting.errors
        return {
            **crowd.figures(server, whole),
            Unit.REPORTS: [float(reporting.acknowledged)],
            Unit.WRITTEN: [float(written)],
        }

    return measure


def _writing(store: Store, seconds: float, today: date) -> list[str]:
    return [f"--today={today}", f"--n={store.n}", f"--seconds={seconds}"]


class _Reporting:
    """It reports performed steps, each cycle on an association of its own."""

    def __init__(self, port: int, patient: Patient) -> None:
        self.acknowledged = 0
        self.errors: Counter[str] = Counter()
        self._port = port
        self._patient = patient

    def turn(self) -> None:
        try:
            self._report()
        except (OSError, WrongAnswerError) as error:
            self.errors[f"a report: {type(error).__name__} {error}"] += 1

    def _report(self) -> None:
        made = self._patient.cycle()
        with Association(self._port, sop_class=PERFORMED_STEP) as association:
            association.report(made.begin, what="N-CREATE")
            association.report(made.end, what="N-SET")
        self.acknowledged += 2
