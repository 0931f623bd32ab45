"""The socket of an association has its options, as the kernel reports them."""

from __future__ import annotations

import socket
import sys
from types import SimpleNamespace
from typing import cast

import pytest
from pynetdicom.events import Event

from worklist.scp import connections, server


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_QUICKACK is Linux's")
def test_an_accepted_connection_neither_delays_what_it_sends_nor_its_acknowledgements() -> None:
    listener = server.listen("127.0.0.1", 0)
    with listener, socket.create_connection(listener.getsockname()):
        listener.settimeout(5)
        accepted, _ = listener.accept()
        with accepted:
            association = SimpleNamespace(dul=SimpleNamespace(socket=SimpleNamespace(socket=accepted)))
            connections.opened(cast("Event", SimpleNamespace(assoc=association)))
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK)
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert accepted.gettimeout() == connections.time_to_associate()
