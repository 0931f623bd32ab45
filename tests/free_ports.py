"""Ports of this computer on which servers of tests and of the demonstration listen."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path


def _ports() -> Iterator[int]:
    """Yield ports that no outgoing connection is given, others in each of the processes that test."""
    first = 20_000
    ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range")
    last = int(ephemeral.read_text(encoding="ascii").split()[0]) if ephemeral.is_file() else 32_768
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    own = range(first + worker % WORKERS_APART, last, WORKERS_APART)
    start = os.getpid() % len(own)
    return cycle((*own[start:], *own[:start]))


WORKERS_APART = 16  # processes that test side by side, at most
PORTS = _ports()


def free_port() -> int:
    """Return a port on which nothing listens, and which no other test is given while this one runs.

    One that the system chooses is free only until any client's connection is given it.
    """
    return next(filter(_is_free, PORTS))


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True
