"""An association names its implementation: the server's, the clients' and that of a C-ECHO."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from pylantir_site import __version__
from tests import scu
from tests.worklist.conftest import SOON, RunningServer, manage
from worklist.scp import implementation
from worklist.scp.echo_scu import echo

# PS3.7 D.3.3.2: the items of the user information that hold the UID and the name, each after its length.
CLASS_UID = b"\x52\x00" + len(implementation.CLASS_UID).to_bytes(2) + implementation.CLASS_UID.encode()
VERSION_NAME = (
    b"\x55\x00" + len(implementation.VERSION_NAME).to_bytes(2) + implementation.VERSION_NAME.encode()
)


class Listener:
    """A listener reads the association request of whoever comes, and hangs up."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(SOON)
        self.port = self.socket.getsockname()[1]

    def request(self, ask: Callable[[], object]) -> bytes:
        """Return what is received while `ask` runs in a thread."""
        asking = threading.Thread(target=ask)
        asking.start()
        received = b""
        while not received:  # clients look first whether anyone listens, and close that connection
            connection, _ = self.socket.accept()
            with connection:
                connection.settimeout(SOON)
                received = connection.recv(65_536)
        asking.join(SOON)
        return received


@pytest.fixture
def listener() -> Listener:
    return Listener()


def test_the_name_holds_the_version_and_fits_its_value_representation() -> None:
    assert __version__.replace(".", "_") in implementation.VERSION_NAME
    assert 1 <= len(implementation.VERSION_NAME) <= 16
    assert len(implementation.CLASS_UID) <= 64


def test_the_server_says_it(server: RunningServer) -> None:
    with scu.RawUser(server.port) as user:
        user.socket.sendall(scu.association_request("MR1", "MWL_SERVER", scu.WORKLIST, 0))
        kind, accepted = user.read_pdu()

    assert kind == scu.ASSOCIATE_AC
    assert CLASS_UID in accepted
    assert VERSION_NAME in accepted


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "command", [["test_client"], ["test_mpps", "--mpps_action", "create", "--study_uid", "1.2.3"]]
)
def test_the_clients_say_it(listener: Listener, command: list[str]) -> None:
    with listener.socket:
        request = listener.request(
            lambda: manage(*command, "--port", str(listener.port), stderr=-3).wait(SOON)
        )

    assert CLASS_UID in request
    assert VERSION_NAME in request


def test_a_c_echo_says_it(listener: Listener) -> None:
    with listener.socket:
        request = listener.request(
            lambda: echo("127.0.0.1", listener.port, ae_title="MR1", own_ae_title="MWL_SERVER")
        )

    assert CLASS_UID in request
    assert VERSION_NAME in request
