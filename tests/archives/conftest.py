"""Each kind of client asks a stand-in, Orthanc or dcmqrscp."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from archives.cfind.access import CFindAccess
from archives.cfind.client import CFindClient
from archives.contract import ArchiveClient
from archives.dicomweb.access import DicomwebAccess
from archives.dicomweb.client import DicomwebClient
from tests.archives.images import MadeStudy
from tests.archives.stand_in import AE_TITLE, StandIn, running_stand_in

OFTEN = 60_000  # questions a minute
BOTH = ("C-FIND", "QIDO-RS")
MakeStandIn = Callable[..., StandIn]


@pytest.fixture
def stand_in() -> Iterator[MakeStandIn]:
    """Give what starts a stand-in with studies and switches; it runs until the test ends."""
    with ExitStack() as stack:

        def started(*studies: MadeStudy, **switches: Any) -> StandIn:
            return stack.enter_context(running_stand_in(*studies, **switches))

        yield started


def client_of(kind: str, archive: StandIn, **access: Any) -> ArchiveClient:
    """Return a client of the stand-in that speaks one of BOTH."""
    if kind == "QIDO-RS":
        return DicomwebClient(DicomwebAccess(**{"url": archive.url, "requests_per_minute": OFTEN, **access}))
    return CFindClient(cfind_access(archive.dicom_port, AE_TITLE, **access))


def cfind_access(port: int, called: str, **access: Any) -> CFindAccess:
    own = {"host": "127.0.0.1", "port": port, "called_ae_title": called, "calling_ae_title": "PYLANTIR"}
    return CFindAccess(**{**own, "questions_per_minute": OFTEN, "read_timeout": 10, **access})
