"""C-ECHO is answered here (PS3.4 Annex A)."""

from __future__ import annotations

from pynetdicom.events import Event

from worklist.models import DeviceActivity
from worklist.scp import recording

SUCCESS = 0x0000


def respond(event: Event) -> int:
    """Handle EVT_C_ECHO."""
    recording.record(event.assoc, DeviceActivity.Kind.ECHO, status=SUCCESS)
    return SUCCESS
