"""The stand-in REDCap runs as a program: it serves one study on a port, until it is stopped."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import date
from threading import Event

from tests.redcap.server import RedcapServer
from tests.redcap.studies import STUDIES, TOKEN


def main(arguments: Sequence[str]) -> None:
    parser = ArgumentParser(prog="python -m tests.redcap.server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--study", choices=sorted(STUDIES), default="cpip")
    parser.add_argument("--today", type=date.fromisoformat, default=date.today(), help="YYYY-MM-DD")
    options = parser.parse_args(arguments)
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with RedcapServer(STUDIES[options.study](options.today), port=options.port) as server:
        sys.stdout.write(f"REDCap stand-in: {server.url} token {TOKEN}\n")
        sys.stdout.flush()
        stopped.wait()
