"""One process of the DICOM server runs here, from its listening socket to its stop."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import connection

from pylantir_site.atna import sending, sources
from pylantir_site.database import fault_log
from worklist.models import Device
from worklist.scp import memory, quiet
from worklist.scp.door import Door, Endpoint
from worklist.scp.measuring import Measuring
from worklist.scp.reception import Reception
from worklist.scp.records import Recorder
from worklist.scp.refusals import refusals
from worklist.scp.watching import Watch
from worklist.upper_layer.transport import OPTIONS

logger = logging.getLogger(__name__)

BACKLOG = 512  # connections that wait to be accepted; a full one is retried after seconds
LONGEST_TO_ASSOCIATE = 10  # seconds from the connection to the association request
STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})
APPLICATION = "Pylantir DICOM server"
GRACE = 10.0  # seconds for what runs when a stop is asked for


def listen(address: str, port: int) -> socket.socket:
    """Open a listening socket that several processes may share. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, port), family=family, backlog=BACKLOG)
    for level, option, value in OPTIONS:
        listener.setsockopt(level, option, value)
    # All processes wake for a connection and one gets it: the others must not block in accept.
    listener.settimeout(0)
    return listener


def time_to_associate() -> int:
    """Return for how many seconds an association request is awaited."""
    return min(LONGEST_TO_ASSOCIATE, settings.MWL_NETWORK_TIMEOUT)


def serve(
    endpoints: Sequence[Endpoint], *, ae_title: str, is_wanted: Callable[[], bool] = lambda: True
) -> bool:
    """Serve until SIGTERM or SIGINT, or until `is_wanted` says no, and return whether it ended as asked.

    Call it within `processes.signals_held`, so that no thread takes the signals.
    """
    quiet.quieten_libraries()
    memory.map_what_is_large()
    _keep_write_ahead_log()
    gc.collect()
    gc.freeze()  # a collection then looks at what associations made, not at Django
    recorder = Recorder()
    recorder.start()
    reception = Reception(own_ae_title=ae_title)
    door = Door(
        endpoints,
        seconds=time_to_associate(),
        deliver=lambda arrival: reception.receive(arrival, door.see_off),
        balancers=settings.MWL_PROXY_PROTOCOL,
    )
    door.open()
    sources.tell_start(APPLICATION)
    tidying = memory.Tidying(lambda: reception.places.taken, reception.places.most_taken_since)
    measuring = Measuring(lambda: reception.places.taken)
    looks = (Watch(), refusals.sweep, fault_log.log.sweep, tidying, measuring)
    asked = _wait_for_stop(lambda: door.is_open and is_wanted(), meanwhile=looks)
    door.close()
    _finish(reception, seconds=GRACE)
    refusals.sweep(all_of_them=True)
    recorder.stop()
    measuring.stop()
    sources.tell_stop(APPLICATION)
    sending.end()
    connection.close()
    return asked


def _keep_write_ahead_log() -> None:
    """Hold a connection open: SQLite checkpoints when the last one closes, so after every query."""
    if connection.vendor == "sqlite":
        Device.objects.exists()


def _wait_for_stop(goes_on: Callable[[], bool], *, meanwhile: Sequence[Callable[[], None]]) -> bool:
    while goes_on():
        for look in meanwhile:
            look()
        if signal.sigtimedwait(STOP_SIGNALS, 1) is not None:
            logger.info("Process %d stops: no new associations, what runs is finished.", os.getpid())
            return True
    return False


def _finish(reception: Reception, *, seconds: float) -> None:
    """Let queries end; an association that waits has heard of the stop and aborts itself."""
    for association in reception.places.wait_until_empty(seconds):
        logger.warning("%s: cut off, it did not end within %.0f s", association.peer, seconds)
        association.hang_up()
