"""The TCP side of an association is set up here: options of its socket, and what is logged about its peer."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary, WeakSet

import pydicom
from django.conf import settings
from pynetdicom import _config
from pynetdicom.association import Association
from pynetdicom.events import Event

from worklist.dicom.printable import escaped
from worklist.models import DeviceActivity
from worklist.scp import recording

logger = logging.getLogger(__name__)

LONGEST_TO_ASSOCIATE = 10  # seconds from the connection to the association request
TIME_TO_ABORT = 1.0  # seconds
# Of answers on their way to a slow scanner: a C-CANCEL cannot take back what the kernel holds.
SEND_BUFFER = 32 * 1024

# pynetdicom's loggers of what a peer has sent, or how it has left.
PEERS_FAULTS = ("acse", "association", "dimse", "dimse_messages", "dul", "fsm", "pdu", "utils")

_opened: WeakKeyDictionary[Association, float] = WeakKeyDictionary()
_answering: WeakSet[Association] = WeakSet()


def time_to_associate() -> int:
    """Return for how many seconds an association request is awaited."""
    return min(LONGEST_TO_ASSOCIATE, settings.MWL_NETWORK_TIMEOUT)


def peer_of(association: Association) -> str:
    primitive = association.requestor.primitive
    title = escaped(primitive.calling_ae_title) if primitive is not None else "an unknown AE"
    return f"{title} at {association.requestor.address}"


@contextmanager
def answering(association: Association) -> Iterator[None]:
    """Make a stop wait while a query of the association is answered."""
    _answering.add(association)
    try:
        yield
    finally:
        _answering.discard(association)


def is_idle(association: Association) -> bool:
    """Return whether nothing of the association is being answered, sent or waiting to be read."""
    return (
        association not in _answering
        and association.dul.to_provider_queue.empty()
        and association.dimse.msg_queue.empty()
    )


def opened(event: Event) -> None:
    """Handle EVT_CONN_OPEN."""
    connection = _socket_of(event.assoc)
    if connection is None:
        return
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # pynetdicom reads a whole PDU at once: half of one must not hold its thread for ever.
        connection.settimeout(time_to_associate())
    except OSError:  # the peer is gone already
        return
    _acknowledge_at_once(connection)


def established(event: Event) -> None:
    """Handle EVT_ESTABLISHED."""
    _opened[event.assoc] = time.monotonic()
    connection = _socket_of(event.assoc)
    if connection is not None:
        connection.settimeout(settings.MWL_NETWORK_TIMEOUT)


def sent(event: Event) -> None:
    """Handle EVT_DATA_SENT: turn delayed acknowledgement off again, which sending turns on.

    Only the last PDU matters. A scanner built on DCMTK sends a request in two writes and the second waits for
    our acknowledgement of the first: 40 ms for each request.
    """
    connection = _socket_of(event.assoc)
    if connection is not None and event.assoc.dul.to_provider_queue.empty():
        _acknowledge_at_once(connection)


def closed(event: Event) -> None:
    """Handle EVT_CONN_CLOSE: a connection that never asked for an association need not wait for its time-out.

    None is what its thread gets after waiting in vain.
    """
    if event.assoc.requestor.primitive is None:
        event.assoc.dul.to_user_queue.put(None)


def released(event: Event) -> None:
    """Handle EVT_RELEASED."""
    _log_end(event.assoc, "released")


def aborted(event: Event) -> None:
    """Handle EVT_ABORTED: many scanners end every association like this."""
    _log_end(event.assoc, "aborted")


def _log_end(association: Association, how: str) -> None:
    since = _opened.pop(association, None)
    if since is not None:
        milliseconds = (time.monotonic() - since) * 1000
        logger.info("%s: association %s after %.0f ms", peer_of(association), how, milliseconds)
        recording.record(association, DeviceActivity.Kind.ASSOCIATION, comment=how, milliseconds=milliseconds)


def _socket_of(association: Association) -> socket.socket | None:
    transport = association.dul.socket
    return transport.socket if transport is not None else None


if sys.platform == "linux":

    def _acknowledge_at_once(connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except OSError:  # closed meanwhile
            return

else:

    def _acknowledge_at_once(connection: socket.socket) -> None:
        """Do nothing: other systems have no such option."""


def abort(association: Association) -> None:
    """Abort an established association from another thread than its own.

    `Association.abort` alone lets that thread close the connection before the abort is sent.
    """
    association.abort(block=False)
    deadline = time.monotonic() + TIME_TO_ABORT
    while association.dul.state_machine.current_state == "Sta6" and time.monotonic() < deadline:
        time.sleep(0.001)
    if association.dul.state_machine.current_state == "Sta6":
        hang_up(association)
    association.kill()


def hang_up(association: Association) -> None:
    """Close the connection whatever the association is doing, a blocked send included."""
    connection = _socket_of(association)
    if connection is not None:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


def quieten_libraries() -> None:
    """Keep what a peer has sent out of the libraries' log, and take no peer's fault for an error of ours."""
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    _config.LOG_HANDLER_LEVEL = "none"
    _config.LOG_REQUEST_IDENTIFIERS = False
    _config.LOG_RESPONSE_IDENTIFIERS = False
    for name in PEERS_FAULTS:
        logging.getLogger(f"pynetdicom.{name}").addFilter(peers_fault)
    threading.excepthook = thread_failed


def peers_fault(record: logging.LogRecord) -> bool:
    """Keep the sentence and the exception's type, at INFO: port scanners and resets are daily life.

    pynetdicom logs a sentence, then the exception with a traceback; both may hold what was received.
    """
    is_exception = isinstance(record.msg, Exception)
    record.msg = type(record.msg).__name__ if is_exception else _unquoted(escaped(record.getMessage()))
    record.args = None
    record.levelno, record.levelname = logging.INFO, "INFO"
    record.exc_info = None
    return True


def _unquoted(sentence: str) -> str:
    """Cut the value off: a UID that is none may be anything that was typed."""
    return sentence.partition(" UID' value '")[0]


def thread_failed(failure: threading.ExceptHookArgs) -> None:
    """Log that a thread ended.

    A command set that cannot be decoded ends pynetdicom's thread, and with it the connection.
    """
    name = failure.thread.name if failure.thread is not None else "a thread"
    logger.warning("%s ended: %s", name, failure.exc_type.__name__)
