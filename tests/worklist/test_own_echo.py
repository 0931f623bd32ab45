"""The site asks its own DICOM server by C-ECHO, whichever devices are listed, and nobody else may so."""

from __future__ import annotations

import re

import pytest

from tests.conftest import wait_until
from tests.scu import VERIFICATION, WORKLIST
from tests.worklist.conftest import RunningServer, StartServer
from worklist.models import Device, DeviceActivity
from worklist.scp import own_echo

ACCEPTED, REJECTED = 2, 3


@pytest.mark.acceptance("H10")
def test_the_site_is_answered_though_it_is_no_device_and_nothing_of_it_is_kept(
    start_recording_server: StartServer, transactional_db: None
) -> None:
    server = start_recording_server()
    Device.objects.create(ae_title="MR1")

    assert own_echo.ask("127.0.0.1", server.port).succeeded

    with server.raw() as user:
        assert user.associate(sop_class=VERIFICATION) == ACCEPTED
        user.release()
    wait_until(lambda: DeviceActivity.objects.exists())
    assert set(DeviceActivity.objects.values_list("ae_title", flat=True)) == {"MR1"}
    assert own_echo.ae_title() not in server.log


@pytest.mark.acceptance("H10")
def test_by_the_sites_own_name_nobody_gets_more_than_c_echo(server: RunningServer) -> None:
    Device.objects.create(ae_title="MR1")
    with server.raw() as user:
        assert (
            user.associate(calling=own_echo.ae_title(), sop_class=WORKLIST, beside=[VERIFICATION]) == REJECTED
        )
    with server.raw() as user:
        assert user.associate(calling="PYLANTIR", sop_class=VERIFICATION) == REJECTED


def test_its_name_is_an_ae_title_that_follows_from_the_secret_key() -> None:
    one, other = own_echo._of_key("a key"), own_echo._of_key("another")

    assert re.fullmatch(r"PYL[A-Z2-7]{13}", one)
    assert one != other
