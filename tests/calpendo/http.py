"""The stand-in Calpendo speaks HTTP: paths as they were sent, credentials, and faults on the wire."""

from __future__ import annotations

from typing import Protocol, cast

from tests.redcap.answers import Answer
from tests.redcap.failures import Failure
from tests.redcap.http import Handler, StandIn


class Calpendo(StandIn, Protocol):
    moved_to: str

    def received(self, path: str, authorization: str) -> tuple[Answer, Failure | None]: ...


class CalpendoHandler(Handler):
    server_version = "Apache-Coyote/1.1"

    def do_GET(self) -> None:
        calpendo = cast("Calpendo", self.server.stand_in)
        if calpendo.moved_to:
            self._send(Answer(302, headers=(("Location", calpendo.moved_to),)))
            return
        self.deliver(*calpendo.received(self.path, self.headers.get("Authorization", "")))
