"""Something breaks every now and then: processes, REDCap, and scanners that leave without a word."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import cycle

from benchmarks import items, proc
from benchmarks.client import ASSOCIATE, PERFORMED_STEP, find_request
from benchmarks.soak.samples import Log
from benchmarks.soak.site import Site
from tests.redcap.failures import Failure
from tests.redcap.server import RedcapServer

WEB_KILLED, WORKER_KILLED, REDCAP_DOWN, LEFT, SILENT = (
    "a web process killed",
    "a worker process killed",
    "REDCap answers with errors",
    "a scanner left in mid-message",
    "connections that say nothing",
)
FAILED_REQUESTS = 10
SILENT_CONNECTIONS = 5


class Faults:
    """Each turn breaks the next thing."""

    def __init__(self, site: Site, log: Log, redcap: RedcapServer) -> None:
        self._site, self._log, self._redcap = site, log, redcap
        self._silent: list[socket.socket] = []
        kinds: list[tuple[str, Callable[[], None]]] = [
            (WEB_KILLED, lambda: self._kill("web")),
            (LEFT, self._leave),
            (WORKER_KILLED, lambda: self._kill("worker")),
            (REDCAP_DOWN, self._fail),
            (SILENT, self._say_nothing),
        ]
        self._kinds: Iterator[tuple[str, Callable[[], None]]] = cycle(kinds)

    def turn(self) -> None:
        for each in self._silent:
            each.close()
        self._silent.clear()
        what, do = next(self._kinds)
        self._log.breaks(what)
        do()

    def _kill(self, role: str) -> None:
        with suppress(ProcessLookupError):  # it ended by itself meanwhile
            os.kill(process_of(self._site.pid, role), signal.SIGKILL)

    def _fail(self) -> None:
        self._redcap.fail(Failure.PROXY_504, times=FAILED_REQUESTS)

    def _leave(self) -> None:
        request = find_request(items.query())
        for sop_class, message in ((PERFORMED_STEP, request[:40]), (PERFORMED_STEP, b"\4\0\0\0")):
            with socket.create_connection(("127.0.0.1", self._site.dicom), timeout=10) as left:
                left.sendall(ASSOCIATE[sop_class])
                left.recv(1)
                left.sendall(message)

    def _say_nothing(self) -> None:
        for port in (self._site.dicom, self._site.web):
            for _ in range(SILENT_CONNECTIONS):
                self._silent.append(socket.create_connection(("127.0.0.1", port), timeout=10))


def process_of(pid: int, role: str) -> int:
    """Return one of the processes of `start` that does this, the last born. Raises ProcessLookupError."""
    for each in reversed(list(proc.family(pid))):
        with suppress(OSError):
            if (proc.PROC / str(each) / "comm").read_text().startswith(f"pylantir {role}"[:15]):
                return each
    raise ProcessLookupError(f"No process of {role} is there.")
