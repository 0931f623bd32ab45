"""The socket of an association has its options, as the kernel reports them."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from worklist.scp import server
from worklist.upper_layer.transport import MOST_UNSENT, TimedOut, TransportConnection


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_QUICKACK is Linux's")
def test_an_accepted_connection_neither_delays_what_it_sends_nor_its_acknowledgements() -> None:
    stop, stopper = os.pipe()
    listener = server.listen("127.0.0.1", 0)
    with listener, socket.create_connection(listener.getsockname()):
        listener.settimeout(5)
        accepted, (address, _) = listener.accept()
        with accepted:
            transport = TransportConnection(accepted, address, stop=stop)
            with pytest.raises(TimedOut):
                transport.receive(0, until_stop=False)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == MOST_UNSENT
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert accepted.gettimeout() == 0
    os.close(stop)
    os.close(stopper)
