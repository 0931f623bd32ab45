"""A server of the DICOM worklist, as the tests of the worklist start it."""

from __future__ import annotations

from tests.worklist.conftest import _shared_server, server, start_server

__all__ = ["_shared_server", "server", "start_server"]
