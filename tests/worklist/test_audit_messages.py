"""The DICOM server itself tells a repository on loopback when it starts, what was asked, and when it stops.

What each message holds is tested in tests/atna.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.atna.repository import UdpRepository
from tests.atna.schema import parsed
from tests.conftest import wait_until
from tests.scu import keys
from tests.worklist.conftest import StartServer
from worklist.models import Device

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def repository() -> Iterator[UdpRepository]:
    found = UdpRepository()
    yield found
    found.close()


def events(repository: UdpRepository) -> list[str | None]:
    return [
        code.get("originalText")
        for each in repository.messages
        for element in parsed(each).iter("EventIdentification")
        for code in [*element.findall("EventTypeCode"), *element.findall("EventID")][:1]
    ]


@pytest.mark.acceptance("H96")
def test_the_server_tells_its_day(
    repository: UdpRepository,
    start_server: StartServer,
    query: Callable[..., Any],
    echo: Callable[..., Any],
) -> None:
    server = start_server(ATNA_SYSLOG=f"udp://127.0.0.1:{repository.port}")
    Device.objects.create(ae_title="MR1")

    query(keys({}, PatientID="P1"), port=server.port)
    echo(port=server.port, calling="STRANGER")
    server.stop()

    wait_until(lambda: len(repository.frames) >= 4)
    assert events(repository) == ["Application Start", "Query", "Node Authentication", "Application Stop"]
