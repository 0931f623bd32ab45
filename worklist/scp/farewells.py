"""A peer that was refused reads why before its connection is closed (PS3.8 9.2, Sta13 and its timer)."""

from __future__ import annotations

from asyncio import AbstractEventLoop

from worklist.upper_layer.transport import Closed, TransportConnection

ARTIM = 2.0  # seconds that the peer has for closing


def say_goodbye(transport: TransportConnection, loop: AbstractEventLoop) -> None:
    """Close when the peer has closed, or when its time is over; call it in the loop's own thread.

    Closing at once would take the last answer away from a peer that is still sending.
    """

    def close() -> None:
        timer.cancel()
        loop.remove_reader(transport)
        transport.close()

    def throw_away() -> None:
        try:
            transport.receive_now()
        except Closed:
            close()

    transport.finish_sending()
    timer = loop.call_later(ARTIM, close)
    loop.add_reader(transport, throw_away)
