"""A peer that was refused reads why before its connection is closed (PS3.8 9.2, Sta13 and its timer)."""

from __future__ import annotations

from asyncio import AbstractEventLoop, TimerHandle

from worklist.upper_layer.transport import Closed, TransportConnection

ARTIM = 2.0  # seconds that the peer has for closing
MOST = 256  # who leaves when so many are leaving is closed at once


class Farewells:
    """These connections have their last answer, which closing would take away from a peer that still sends.

    Everything happens in the loop's own thread.
    """

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._leaving: dict[TransportConnection, TimerHandle] = {}

    def say_goodbye(self, transport: TransportConnection) -> None:
        """Close when the peer has closed, or when its time is over."""
        if len(self._leaving) >= MOST:
            transport.close()
            return
        transport.finish_sending()
        self._leaving[transport] = self._loop.call_later(ARTIM, self._close, transport)
        self._loop.add_reader(transport, self._throw_away, transport)

    def _throw_away(self, transport: TransportConnection) -> None:
        try:
            transport.receive_now()
        except Closed:
            self._close(transport)

    def _close(self, transport: TransportConnection) -> None:
        self._leaving.pop(transport).cancel()
        self._loop.remove_reader(transport)
        transport.close()
