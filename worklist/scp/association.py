"""One association is judged, served and ended here, in a thread of its own."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable

from django.conf import settings

from pylantir_site.environment import log_lines
from pylantir_site.environment.logs import traceback_of
from worklist.devices import access
from worklist.devices.access import AssociationRefusal
from worklist.models import DeviceActivity
from worklist.scp import admission, measuring, own_echo, recording, services
from worklist.scp.places import Places
from worklist.scp.recording import Peer
from worklist.scp.refusals import Refused, refusals
from worklist.scp.requests import Request
from worklist.scp.visitors import Arrival
from worklist.upper_layer import negotiation
from worklist.upper_layer.acceptor import Acceptor, AssociationEnded
from worklist.upper_layer.budget import Budget
from worklist.upper_layer.messages import Message
from worklist.upper_layer.transport import TransportConnection

logger = logging.getLogger(__name__)

# pynetdicom 3.0.4 as a requestor takes a refusal that comes before it waits for one for a lost connection.
BEFORE_REFUSAL = 0.03  # seconds
numbers = itertools.count(1)  # of this process
RELEASED, STOPPED = "released", "aborted, for the server stops"


class Association:
    """An association has asked to be let in; `run` leads it to its end."""

    def __init__(
        self, arrival: Arrival, *, places: Places[Association], budget: Budget, own_ae_title: str
    ) -> None:
        proposal = negotiation.proposal(arrival.request, services.SUPPORTED)
        self._places = places
        self._own_ae_title = own_ae_title
        self._transport = arrival.transport
        self._acceptor = Acceptor(
            arrival.transport,
            proposal,
            rest=arrival.rest,
            budget=budget,
            timeout=settings.MWL_NETWORK_TIMEOUT,
        )
        self.peer = Peer(
            proposal.calling_ae_title,
            proposal.called_ae_title,
            arrival.transport.address,
            arrival.transport.certificate,
            is_own_echo=own_echo.is_own(proposal),
        )

    @property
    def address(self) -> str:
        return self.peer.address

    def hang_up(self) -> None:
        """End it from another thread, whatever it is doing."""
        self._transport.hang_up()

    def run(self, see_off: Callable[[TransportConnection], None]) -> None:
        """Serve until the end; `see_off` closes a connection whose peer has yet to read why it is over."""
        with log_lines.of_association(next(numbers)):
            self._run(see_off)

    def _run(self, see_off: Callable[[TransportConnection], None]) -> None:
        acceptor, is_refused = self._acceptor, False
        try:
            if found := self._refusal():
                is_refused = True
                if not acceptor.proposal.reason:
                    time.sleep(BEFORE_REFUSAL)
                acceptor.reject(found[:3])
                admission.tell(self.peer, found)
            else:
                self._serve()
        finally:
            self._places.leave(self)
            acceptor.give_back()
            if not is_refused:  # the door waits for those: their threads are for others who ask to be let in
                acceptor.await_close()
            if acceptor.is_over:
                self._transport.close()
            else:
                see_off(self._transport)

    def _refusal(self) -> AssociationRefusal | None:
        """Return why it is refused, or take a place for it."""
        proposal = self._acceptor.proposal
        if proposal.reason:
            return AssociationRefusal(*proposal.codes, proposal.reason)
        places = self._places
        found = admission.refusal(
            self.peer,
            own_ae_title=self._own_ae_title,
            established=places.taken,
            of_address=places.taken_from(self.address),
        )
        if found and self.peer.is_own_echo and found[:3] == access.CALLING_AE_TITLE_NOT_RECOGNIZED:
            found = None  # nobody lists the site itself; that the devices could be read is what it asks
        if found is None and not places.take(self):
            found = AssociationRefusal(*access.LOCAL_LIMIT_EXCEEDED, access.all_taken(places.taken))
        return found

    def _serve(self) -> None:
        """Accept, and answer what is asked until the end."""
        began = time.monotonic()
        try:
            self._acceptor.accept()
            measuring.accepted(self.peer.ae_title)
            while (message := self._acceptor.next_message()) is not None:
                services.respond(self._request(message))
            how = self._end()
        except AssociationEnded as ended:
            how = str(ended)
            if ended.is_fault:
                self._tell_fault(how)
                how = f"aborted: {how}"
                measuring.aborted(self.peer.ae_title)
        except Exception as error:
            logger.error("%s: an association failed: %s", self.peer, traceback_of(error))
            self._acceptor.abort()
            measuring.aborted(self.peer.ae_title)
            how = "aborted for an error of the server"
        milliseconds = (time.monotonic() - began) * 1000
        level = logging.DEBUG if self.peer.is_own_echo else logging.INFO
        logger.log(level, "%s: association %s after %.0f ms", self.peer, how, milliseconds)
        recording.record(self.peer, DeviceActivity.Kind.ASSOCIATION, comment=how, milliseconds=milliseconds)

    def _request(self, message: Message) -> Request:
        context = self._acceptor.contexts[message.context_id]
        return Request(self._acceptor, self.peer, context, message.command, message.data)

    def _end(self) -> str:
        if self._acceptor.is_release_asked:
            self._acceptor.release()
            return RELEASED
        self._acceptor.abort()
        return STOPPED

    def _tell_fault(self, reason: str) -> None:
        refusals.tell(
            Refused(self.address, self.peer.ae_title, self.peer.called_ae_title, f"aborted: {reason}"),
            f"{self.peer}: association aborted: {reason}.",
            subject=self.peer.subject,
        )
