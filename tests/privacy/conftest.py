"""Tests of exporting and erasing have what those of the worklist and of sources have."""

from __future__ import annotations

from tests.site.conftest import users_apart
from tests.sources.conftest import no_pauses, project, redcap, switches
from tests.worklist.conftest import start_recording_server, start_server

__all__ = [
    "no_pauses",
    "project",
    "redcap",
    "start_recording_server",
    "start_server",
    "switches",
    "users_apart",
]
