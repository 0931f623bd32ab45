"""One process of the DICOM server runs here, from its listening socket to its stop."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from socketserver import BaseServer
from threading import Thread
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at import
    ModalityPerformedProcedureStep,
    ModalityPerformedProcedureStepRetrieve,
    ModalityWorklistInformationFind,
    Verification,
)
from pynetdicom.transport import AssociationServer

from worklist.models import Device
from worklist.scp import admission, connections, find, implementation, mpps, verification
from worklist.scp.records import Recorder
from worklist.scp.watching import Watch

logger = logging.getLogger(__name__)

SOP_CLASSES = (
    Verification,
    ModalityWorklistInformationFind,
    ModalityPerformedProcedureStep,
    ModalityPerformedProcedureStepRetrieve,
)
# In order of preference.
TRANSFER_SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
BACKLOG = 128  # connections that wait to be accepted; a full one is retried after seconds
LARGEST_PDU = 128 * 1024  # that peers may send
STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})
# Each answer is encoded in one thread and sent by another, which would wait up to 5 ms for its turn.
SWITCH_INTERVAL = 0.0005  # seconds
GRACE = 10.0  # seconds for what runs when a stop is asked for


def listen(address: str, port: int) -> socket.socket:
    """Open a listening socket that several processes may share. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, port), family=family, backlog=BACKLOG)
    # All processes wake for a connection and one gets it: the others must not block in accept.
    listener.settimeout(0)
    return listener


class Endpoint(NamedTuple):
    """This is a listening socket, and the TLS that is spoken there; None for plain DICOM."""

    listener: socket.socket
    tls: ssl.SSLContext | None = None


class Server(AssociationServer):
    """pynetdicom's server accepts here on a socket that is listening already."""

    request_queue_size = BACKLOG

    def __init__(self, *args: Any, listener: socket.socket, **kwargs: Any) -> None:
        self._listener = listener
        super().__init__(*args, **kwargs)

    def server_bind(self) -> None:
        if self.socket is not None:
            self.socket.close()
        self.socket = self._listener
        self.server_address = self._listener.getsockname()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection, and leave the handshake to the association's own thread."""
        connection, address = self._listener.accept()
        if self.ssl_context is None:
            return connection, address
        secured = self.ssl_context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return secured, address

    def server_close(self) -> None:
        """Close without shutdown(2), which would end it for the other processes as well."""
        self._listener.close()

    def stop_accepting(self) -> None:
        BaseServer.shutdown(self)
        self.server_close()


def make_servers(endpoints: Iterable[Endpoint], *, ae_title: str) -> list[Server]:
    """Make one server for each endpoint, all of one application entity.

    What is open at any of them counts for all.
    """
    connections.quieten_libraries()
    entity = AE(ae_title=ae_title)
    implementation.introduce(entity)
    entity.acse_timeout = connections.time_to_associate()
    entity.dimse_timeout = 30
    entity.network_timeout = settings.MWL_NETWORK_TIMEOUT
    entity.maximum_pdu_size = LARGEST_PDU
    # Admission counts the open ones; this bounds the half-open ones beside them.
    entity.maximum_associations = 2 * settings.MWL_MAXIMUM_ASSOCIATIONS
    mpps.register()
    for sop_class in SOP_CLASSES:
        entity.add_supported_context(sop_class, TRANSFER_SYNTAXES)
    return [_make_server(entity, endpoint, ae_title) for endpoint in endpoints]


def _make_server(entity: AE, endpoint: Endpoint, ae_title: str) -> Server:
    made = entity.make_server(
        endpoint.listener.getsockname(),
        ssl_context=endpoint.tls,
        evt_handlers=_handlers(ae_title),
        server_class=Server,
        listener=endpoint.listener,
    )
    if not isinstance(made, Server):
        raise TypeError(f"pynetdicom made a {type(made).__name__}")
    return made


def _handlers(ae_title: str) -> list[tuple[Any, ...]]:
    return [
        (evt.EVT_CONN_OPEN, connections.opened),
        (evt.EVT_REQUESTED, admission.admit, [ae_title]),
        (evt.EVT_ESTABLISHED, connections.established),
        (evt.EVT_DATA_SENT, connections.sent),
        (evt.EVT_C_ECHO, verification.respond),
        (evt.EVT_C_FIND, find.respond),
        (evt.EVT_N_CREATE, mpps.create),
        (evt.EVT_N_SET, mpps.modify),
        (evt.EVT_N_GET, mpps.get),
        (evt.EVT_RELEASED, connections.released),
        (evt.EVT_ABORTED, connections.aborted),
        (evt.EVT_CONN_CLOSE, connections.closed),
    ]


def serve(
    endpoints: Sequence[Endpoint], *, ae_title: str, is_wanted: Callable[[], bool] = lambda: True
) -> bool:
    """Serve until SIGTERM or SIGINT, or until `is_wanted` says no, and return whether it ended as asked.

    Call it within `processes.signals_held`, so that no thread takes the signals.
    """
    servers = make_servers(endpoints, ae_title=ae_title)
    _keep_write_ahead_log()
    gc.collect()
    gc.freeze()  # a collection then looks at what associations made, not at Django
    sys.setswitchinterval(SWITCH_INTERVAL)
    recorder = Recorder()
    recorder.start()
    accepting = [_accepting(server) for server in servers]
    asked = _wait_for_stop(
        lambda: all(thread.is_alive() for thread in accepting) and is_wanted(), meanwhile=Watch()
    )
    for server in servers:
        server.stop_accepting()
    _finish(servers, seconds=GRACE)
    recorder.stop()
    connection.close()
    return asked


def _accepting(server: Server) -> Thread:
    thread = Thread(target=partial(server.serve_forever, poll_interval=0.1), name="accepting", daemon=True)
    thread.start()
    return thread


def _keep_write_ahead_log() -> None:
    """Hold a connection open: SQLite checkpoints when the last one closes, so after every query."""
    if connection.vendor == "sqlite":
        Device.objects.exists()


def _wait_for_stop(goes_on: Callable[[], bool], *, meanwhile: Callable[[], None]) -> bool:
    while goes_on():
        meanwhile()
        if signal.sigtimedwait(STOP_SIGNALS, 1) is not None:
            logger.info("Process %d stops: no new associations, what runs is finished.", os.getpid())
            return True
    return False


def _finish(servers: Iterable[Server], *, seconds: float) -> None:
    """Let queries end. An association seen idle twice is aborted, for scanners may keep one open all day."""
    deadline = time.monotonic() + seconds
    idle: set[Association] = set()
    while (active := _active(servers)) and time.monotonic() < deadline:
        still_idle = {each for each in active if connections.is_idle(each)}
        _abort(still_idle & idle)
        idle = still_idle
        time.sleep(0.1)
    for each in _active(servers):
        logger.warning("%s: cut off, it did not end within %.0f s", connections.peer_of(each), seconds)
        connections.hang_up(each)
        each.dul.kill_dul()


def _active(servers: Iterable[Server]) -> list[Association]:
    return [association for server in servers for association in server.active_associations]


def _abort(associations: Iterable[Association]) -> None:
    """Abort all at once, for each waits for its own connection."""
    threads = []
    for association in associations:
        if association.is_established:
            threads.append(Thread(target=connections.abort, args=(association,), daemon=True))
        else:
            connections.hang_up(association)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=2 * connections.TIME_TO_ABORT)
