"""C-ECHO is answered here (PS3.4 Annex A)."""

from __future__ import annotations

from worklist.models import DeviceActivity
from worklist.scp import recording
from worklist.scp.requests import Request
from worklist.upper_layer.commands import Outcome

SUCCESS = 0x0000


def respond(request: Request) -> None:
    recording.record(request.peer, DeviceActivity.Kind.ECHO, status=SUCCESS)
    request.respond(Outcome(SUCCESS))
