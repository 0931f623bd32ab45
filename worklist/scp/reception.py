"""Who has asked for an association is given a thread that judges and serves it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock

from django.conf import settings

from worklist.devices import access
from worklist.scp import measuring
from worklist.scp.association import Association
from worklist.scp.places import Places
from worklist.scp.refusals import Refused, refusals
from worklist.scp.visitors import Arrival
from worklist.scp.workers import Workers
from worklist.upper_layer import pdus
from worklist.upper_layer.budget import Budget
from worklist.upper_layer.transport import Closed, TimedOut, TransportConnection

MOST_JUDGED = 32  # requests at a time, beside the associations that are open
MEMORY = 24 * 1024 * 1024  # bytes of unfinished messages, of all associations


SeeOff = Callable[[TransportConnection], None]


class Reception:
    """This reception leads those whom the door delivers to threads of their own."""

    def __init__(self, *, own_ae_title: str) -> None:
        self.places: Places[Association] = Places(settings.MWL_MAXIMUM_ASSOCIATIONS)
        self._own_ae_title = own_ae_title
        self._budget = Budget(MEMORY)
        self._workers = Workers()
        self._most = settings.MWL_MAXIMUM_ASSOCIATIONS + MOST_JUDGED
        self._running = 0
        self._lock = Lock()

    def receive(self, arrival: Arrival, see_off: SeeOff) -> None:
        """Have it judged and served, or refuse it where too many are being judged; this never waits.

        `see_off` closes a connection whose peer has yet to read why it was refused.
        """
        with self._lock:
            has_room = self._running < self._most
            self._running += has_room
        if not has_room:
            _refuse(arrival.transport, see_off, f"{MOST_JUDGED} association requests wait to be judged")
            return
        try:
            self._workers.do(partial(self._run, arrival, see_off))
        except RuntimeError:
            self._leave()
            _refuse(arrival.transport, see_off, "the system gives no more threads")

    def _run(self, arrival: Arrival, see_off: SeeOff) -> None:
        try:
            Association(
                arrival, places=self.places, budget=self._budget, own_ae_title=self._own_ae_title
            ).run(see_off)
        except BaseException:  # whatever way the thread goes on, nobody is left holding
            arrival.transport.close()
            raise
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._running -= 1


def _refuse(transport: TransportConnection, see_off: SeeOff, reason: str) -> None:
    address = transport.address
    measuring.refused(access.TEMPORARY_CONGESTION)
    try:
        transport.send(pdus.rejection(*access.TEMPORARY_CONGESTION), deadline=0)
    except (Closed, TimedOut):
        transport.close()
    else:
        see_off(transport)
    refusals.tell(
        Refused(address, "", "", f"{reason} (2,3,1)"),
        f"Association refused {access.TEMPORARY_CONGESTION} to {address}: {reason}.",
    )
