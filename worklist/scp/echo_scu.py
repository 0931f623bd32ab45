"""A C-ECHO goes to a device when a person sets one up (PS3.4 Annex A)."""

from __future__ import annotations

import socket
import time
from typing import NamedTuple

from pynetdicom import AE, DEFAULT_TRANSFER_SYNTAXES
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at import

from worklist.scp import implementation

TRANSFER_SYNTAXES = tuple(DEFAULT_TRANSFER_SYNTAXES)
TIMEOUT = 5.0  # seconds for the connection, and for each answer


class EchoOutcome(NamedTuple):
    succeeded: bool
    sentence: str


def echo(
    host: str, port: int, *, ae_title: str, own_ae_title: str, timeout: float | None = None
) -> EchoOutcome:
    """Return whether the application entity answers, and a sentence for people."""
    timeout = TIMEOUT if timeout is None else timeout
    entity = AE(ae_title=own_ae_title)
    implementation.introduce(entity)
    entity.connection_timeout = entity.acse_timeout = entity.dimse_timeout = timeout
    entity.network_timeout = timeout
    entity.add_requested_context(Verification, list(TRANSFER_SYNTAXES))
    started = time.monotonic()
    if reason := _unreachable(host, port, timeout):
        return _failed(f"There is no connection to {host}:{port}: {reason}.")
    association = entity.associate(host, port, ae_title=ae_title)
    if not association.is_established:
        return _failed(_why(association, host, port))
    try:
        status = association.send_c_echo().get("Status")
    finally:
        association.release()
    milliseconds = (time.monotonic() - started) * 1000
    if status == 0:
        return EchoOutcome(
            succeeded=True, sentence=f"{ae_title} at {host}:{port} answered C-ECHO in {milliseconds:.0f} ms."
        )
    told = "without a status" if status is None else f"with status {status:04X}"
    return _failed(f"{ae_title} at {host}:{port} answered C-ECHO {told}.")


def _failed(sentence: str) -> EchoOutcome:
    return EchoOutcome(succeeded=False, sentence=sentence)


def _unreachable(host: str, port: int, timeout: float) -> str:
    """Return why there is no connection; empty where there is one.

    It is asked first: pynetdicom leaves the socket of a failed connection open, and its reason in the log.
    """
    try:
        socket.create_connection((host, port), timeout).close()
    except OSError as error:
        return str(error.strerror or error)
    return ""


def _why(association: object, host: str, port: int) -> str:
    """Return why there is no association (PS3.8 Table 9-21)."""
    if getattr(association, "is_rejected", False):
        primitive = association.acceptor.primitive  # type: ignore[attr-defined]
        codes = f"{primitive.result},{primitive.result_source},{primitive.diagnostic}"
        return f"{host}:{port} refused the association ({codes}: {primitive.reason_str})."
    return f"What listens at {host}:{port} does not speak DICOM, or it aborted."
