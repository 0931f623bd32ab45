"""Several processes serve the same listening sockets: the one that is free takes the next connection."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.db import connections

from pylantir_site.processes.restarts import Restarts
from worklist.scp.door import Endpoint
from worklist.scp.server import GRACE, STOP_SIGNALS, serve

logger = logging.getLogger(__name__)

SIGNALS = STOP_SIGNALS | {signal.SIGCHLD}


@contextmanager
def signals_held() -> Iterator[None]:
    """Make signals wait until they are asked for, so that a stop never interrupts what runs."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        while signal.sigtimedwait(SIGNALS, 0) is not None:  # a second Ctrl-C
            continue
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run(endpoints: Sequence[Endpoint], *, ae_title: str, processes: int, prepare: Callable[[], None]) -> bool:
    """Serve until SIGTERM or SIGINT, and return whether it ended as asked. `prepare` runs in each process.

    Call it within `signals_held`.
    """
    if processes == 1:
        prepare()
        return serve(endpoints, ae_title=ae_title)
    connections.close_all()  # a connection must not be shared over a fork
    parent = os.getpid()

    def begin() -> int:
        return _fork(endpoints, ae_title, parent, prepare)

    def close() -> None:
        for endpoint in endpoints:
            endpoint.listener.close()

    return _supervise({begin() for _ in range(processes)}, begin, close)


def _fork(endpoints: Sequence[Endpoint], ae_title: str, parent: int, prepare: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        prepare()
        asked = serve(endpoints, ae_title=ae_title, is_wanted=lambda: os.getppid() == parent)
        status = 0 if asked else 1
    except Exception:
        logger.exception("Process %d failed.", os.getpid())
    finally:
        logging.shutdown()
        os._exit(status)  # the parent's own clean-up is not for a child to do


def _supervise(children: set[int], begin: Callable[[], int], close: Callable[[], None]) -> bool:
    """Forward a stop to all, and return whether all ended as asked.

    A child that dies on its own is replaced at once. Where that is in vain, all stop.
    """
    deaths, begun = Restarts(), time.monotonic()
    asked = False
    while not asked:
        told = signal.sigtimedwait(SIGNALS, 1)
        asked = told is not None and told.si_signo in STOP_SIGNALS
        died = _reap(children)
        if asked or not died:
            continue
        deaths.count(time.monotonic() - begun)
        if deaths.are_in_vain():
            logger.error("A process of the DICOM server died (%s): all stop.", _told(died))
            break
        logger.error("A process of the DICOM server died (%s): it is restarted.", _told(died))
        begun = time.monotonic()
        children |= {begin() for _ in died}
    close()  # until now for those that replace others
    codes = _stop(children)
    return asked and not any(codes.values()) and not any(died.values())


def _stop(children: set[int]) -> dict[int, int]:
    """Stop the children and return their exit codes by process; what does not stop is killed."""
    for pid in children:
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE + 5
    codes: dict[int, int] = {}
    while children and time.monotonic() < deadline:
        signal.sigtimedwait({signal.SIGCHLD}, 0.1)
        codes |= _reap(children)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        codes[pid] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return codes


def _reap(children: set[int]) -> dict[int, int]:
    """Return the exit codes of those that have ended, and take them from the children."""
    codes = {}
    for pid in list(children):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            children.discard(pid)
            codes[pid] = os.waitstatus_to_exitcode(status)
    return codes


def _told(codes: dict[int, int]) -> str:
    return ", ".join(f"{pid} with exit code {code}" for pid, code in codes.items())
