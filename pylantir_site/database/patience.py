"""A server that hangs, as of a machine that was paused, is given up after some seconds of silence."""

from __future__ import annotations

import time
from typing import Any

from psycopg import Connection, OperationalError


class ServerSilent(OperationalError, TimeoutError):
    """The server has the statement, and says nothing."""


class ConnectionOfNoPatience(Connection[Any]):
    """A connection is over once its server took longer than so many seconds for a statement.

    No setting of PostgreSQL's bounds that: its time-outs are the server's own, and a machine that is paused
    still acknowledges what comes by TCP.
    """

    longest_silence: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        if timeout is not None or self.longest_silence is None:
            return super().wait(gen, interval, timeout)
        began = time.monotonic()
        try:
            return super().wait(gen, interval, self.longest_silence)
        except OperationalError as error:
            if time.monotonic() - began < self.longest_silence:
                raise
            self.pgconn.finish()  # what comes later is nobody's answer
            raise ServerSilent("the server is silent") from error
