"""Associations that are kept open and say nothing cost a server this much of one core."""

from __future__ import annotations

import time
from contextlib import ExitStack

from benchmarks import proc
from benchmarks.client import Association
from benchmarks.peers import Server
from benchmarks.results import Figures, Unit
from benchmarks.running import Measure

SETTLED_AFTER = 1.0  # seconds: what the last association began has ended


def kept_open(count: int) -> Measure:
    """Measure so many associations that were opened one after the other, each with a C-ECHO."""

    def measure(server: Server, seconds: float) -> Figures:
        with ExitStack() as opened:
            for _ in range(count):
                opened.enter_context(Association(server.port)).echo()
            time.sleep(SETTLED_AFTER)
            return {Unit.CORE: [_share_of_a_core(server.pid, seconds)]}

    return measure


def _share_of_a_core(pid: int, seconds: float) -> float:
    begun, before = time.monotonic(), proc.processor_seconds(pid)
    time.sleep(seconds)
    taken = proc.processor_seconds(pid) - before
    return 100 * taken / (time.monotonic() - begun)
