"""A server is asked for these things against the clock, and what must come back is checked."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from datetime import date

from benchmarks import crowd, endurance, idle, items, site
from benchmarks.client import CALLED, CALLING, Association, WrongAnswerError, find_request
from benchmarks.peers import Server, Store
from benchmarks.results import Figures, Unit
from benchmarks.running import Measure, Scenario, milliseconds, timed

ECHO, TYPICAL, KEPT_OPEN, PATIENT_ID, DOE, BROAD, FINDSCU, CANCEL = (
    "C-ECHO",
    "typical query",
    "typical, kept open",
    "patient ID",
    "DOE*",
    "all items",
    "findscu -W, typical",
    "items after cancel",
)
CROWD, GREAT_CROWD, IDLE, MANY_IDLE, ENDURANCE, SITE = (
    "16 scanners at once",
    "64 scanners at once",
    "10 kept open, idle",
    "200 kept open, idle",
    "5,000 associations",
    "1,000 scanners, a site",
)
# What a person chooses by.
BY_OPTION = {
    "echo": ECHO,
    "typical": TYPICAL,
    "kept-open": KEPT_OPEN,
    "patient-id": PATIENT_ID,
    "doe": DOE,
    "all": BROAD,
    "findscu": FINDSCU,
    "cancel": CANCEL,
    "16": CROWD,
    "64": GREAT_CROWD,
    "idle-10": IDLE,
    "idle-200": MANY_IDLE,
    "5000": ENDURANCE,
    "site": SITE,
}
CANCEL_AFTER = 20
# Bytes that are read at once, and that may lie unread, so that few items are on their way unseen.
CANCEL_RECEIVES, CANCEL_KERNEL_BUFFER = 2048, 4096
FINDSCU_TIMEOUT = 60  # seconds


def scenarios(store: Store, today: date) -> tuple[Scenario, ...]:
    n = store.n
    typical = find_request(items.typical_query(today))
    by_id = find_request(items.query(root={"PatientID": items.item(n // 2, today=today).PatientID}))
    doe = find_request(items.query(root={"PatientName": "DOE*"}))
    broad = find_request(items.query())
    return (
        Scenario(ECHO, 0, timed(_echo), 0.6),
        Scenario(TYPICAL, items.TYPICAL, timed(_find(typical, items.TYPICAL))),
        Scenario(KEPT_OPEN, items.TYPICAL, _kept_open(typical, items.TYPICAL)),
        Scenario(PATIENT_ID, 1, timed(_find(by_id, 1)), 0.6),
        Scenario(DOE, items.doe_count(n), timed(_find(doe, items.doe_count(n))), 0.6),
        Scenario(BROAD, n, timed(_find(broad, n))),
        Scenario(FINDSCU, items.TYPICAL, timed(_findscu(today, items.TYPICAL)), 0.6),
        Scenario(CANCEL, n, _after_cancel(broad), 0.4),
        Scenario(CROWD, items.TYPICAL, crowd.at_once(16, today), 2.0),
        Scenario(GREAT_CROWD, items.TYPICAL, crowd.at_once(64, today), 2.0),
        Scenario(IDLE, 0, idle.kept_open(10), 5.0, once=True),
        Scenario(MANY_IDLE, 0, idle.kept_open(200), 5.0, once=True),
        Scenario(ENDURANCE, items.TYPICAL, endurance.associations(typical, items.TYPICAL), once=True),
        Scenario(SITE, items.TYPICAL, site.simulated(store, today), 60.0, once=True),
    )


def _echo(port: int) -> None:
    with Association(port) as association:
        association.echo()


def _find(request: bytes, expected: int) -> Callable[[int], None]:
    def find(port: int) -> None:
        with Association(port) as association:
            association.find(request, expected=expected)

    return find


def _kept_open(request: bytes, expected: int) -> Measure:
    def measure(server: Server, seconds: float) -> Figures:
        with Association(server.port) as association:
            taken = milliseconds(lambda: association.find(request, expected=expected), seconds)
        return {Unit.MILLISECONDS: taken}

    return measure


def _after_cancel(request: bytes) -> Measure:
    def measure(server: Server, seconds: float) -> Figures:
        counts: list[float] = []

        def cancel() -> None:
            with Association(
                server.port, received_at_once=CANCEL_RECEIVES, kernel_buffer=CANCEL_KERNEL_BUFFER
            ) as association:
                counts.append(association.find_and_cancel(request, after=CANCEL_AFTER))

        milliseconds(cancel, seconds)
        return {Unit.ITEMS: counts}

    return measure


def _findscu(today: date, expected: int) -> Callable[[int], None]:
    """Run the whole process with default settings: two writes for a request, Nagle's algorithm on."""
    keys = [
        "ScheduledProcedureStepSequence[0].Modality=MR",
        f"ScheduledProcedureStepSequence[0].ScheduledStationAETitle={items.STATION}",
        f"ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate={today:%Y%m%d}",
        "PatientName",
        "PatientID",
        "StudyInstanceUID",
    ]
    command = ["findscu", "-W", "-aet", CALLING, "-aec", CALLED]
    command += [part for key in keys for part in ("-k", key)]
    environment = {name: value for name, value in os.environ.items() if name != "TCP_NODELAY"}

    def find(port: int) -> None:
        done = subprocess.run(
            [*command, "127.0.0.1", str(port)],
            capture_output=True,
            text=True,
            timeout=FINDSCU_TIMEOUT,
            env=environment,
        )
        found = (done.stdout + done.stderr).count("(Pending)")
        if done.returncode or found != expected:
            raise WrongAnswerError(f"findscu ended with {done.returncode} and {found} items of {expected}")

    return find
