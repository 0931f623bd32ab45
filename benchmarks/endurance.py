"""A server that has served thousands must hold no more than after the first: memory, descriptors, threads."""

from __future__ import annotations

import time

from benchmarks import proc
from benchmarks.client import Association
from benchmarks.peers import Server
from benchmarks.results import Figures, Unit
from benchmarks.running import Measure

ASSOCIATIONS, WARM_UP = 5000, 500
SETTLED_AFTER = 5.0  # seconds: threads that are kept for the next association have ended
MEBIBYTE = 2**20


def associations(request: bytes, expected: int) -> Measure:
    """Measure what the server's processes hold more after associations one after the other, a query on each.

    What they hold at first is taken after the warm-up, and both times when nobody has asked for a while.
    """

    def measure(server: Server, seconds: float) -> Figures:
        del seconds  # it is a number of associations that is measured
        before = _after(WARM_UP, server, request, expected)
        after = _after(ASSOCIATIONS, server, request, expected)
        return {
            Unit.MEMORY: [(after.bytes - before.bytes) / MEBIBYTE],
            Unit.DESCRIPTORS: [float(after.descriptors - before.descriptors)],
            Unit.THREADS: [float(after.threads - before.threads)],
        }

    return measure


def _after(count: int, server: Server, request: bytes, expected: int) -> proc.Usage:
    for _ in range(count):
        with Association(server.port) as association:
            association.find(request, expected=expected)
    time.sleep(SETTLED_AFTER)
    return proc.usage(server.pid)
