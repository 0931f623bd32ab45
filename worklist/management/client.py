"""`test_client` and `test_mpps` speak to a server as a scanner does, and share how."""

from __future__ import annotations

import logging
import socket
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from pydicom import Dataset, config
from pydicom.multival import MultiValue
from pydicom.tag import Tag
from pydicom.uid import UID
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at import
    ModalityPerformedProcedureStep,
    ModalityWorklistInformationFind,
)

from pylantir_site.environment import program
from worklist import validators
from worklist.dicom import decoding
from worklist.dicom.printable import readable
from worklist.scp import implementation
from worklist.scp.arrived import BETWEEN_MESSAGES, Arrived

WORKLIST: UID = ModalityWorklistInformationFind
PERFORMED_STEP: UID = ModalityPerformedProcedureStep
SERVICES = {WORKLIST: "Modality Worklist", PERFORMED_STEP: "Modality Performed Procedure Step"}

SUCCESS = 0x0000
PENDING = frozenset({0xFF00, 0xFF01})
PENDING_WITHOUT_SOME_KEYS = 0xFF01
CONNECTION_TIMEOUT, ANSWER_TIMEOUT = 5, 30  # seconds
NO_ANSWER = f"The server ended the association, or was silent for {ANSWER_TIMEOUT} s"

# PS3.8 9.3.4: (source, diagnostic) of an A-ASSOCIATE-RJ.
REJECTIONS = {
    (1, 2): "it does not know the application context",
    (1, 3): "it does not know {calling}: make it a device there, or use --callingAEtitle",
    (1, 7): "its AE title is not {called}: use --AEtitle",
    (3, 1): "it is busy: try again",
    (3, 2): "it has as many associations as it allows: try again",
}
# PS3.4 Table K.4-1
FIND_STATUSES = {
    0xA700: "out of resources. Ask for less, and look into the server's log",
    0xA900: "the keys are not understood. Correct the one named",
    0xFE00: "cancelled",
}
UNABLE_TO_PROCESS = "the server could not process the query. Look into its log"


class FindResult(NamedTuple):
    """A query ends with its answers, a final status, and how many answers lack a requested attribute."""

    answers: list[Dataset]
    final: Dataset
    incomplete: int


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--ip", default="127.0.0.1", help="of the server (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=4242, help="of the server (default: %(default)s)")
    parser.add_argument(
        "--AEtitle", type=_ae_title, default=settings.MWL_AETITLE, help="the server's (default: %(default)s)"
    )
    parser.add_argument(
        "--callingAEtitle", type=_ae_title, default="MWL_TESTER", help="ours (default: %(default)s)"
    )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


def _ae_title(text: str) -> str:
    try:
        validators.ae_title(text)
    except ValidationError as error:
        raise ArgumentTypeError(" ".join(error.messages)) from error
    return text


@contextmanager
def associated(options: dict[str, Any], *services: UID) -> Iterator[Association]:
    """Associate for the services, all of which the server has accepted; release at the end.

    Meanwhile values are not validated: to see what a server makes of them is what the clients are for.
    Raises CommandError, in a sentence that says what to do.
    """
    with _quiet():
        association = _associate(options, services)
        try:
            _refuse_unless_offered(association, options, services)
            yield association
        except RuntimeError as error:  # pynetdicom's, when it is asked to send on what has ended
            if association.is_established:
                raise
            raise CommandError("The server ended the association. Look into its log.") from error
        finally:
            association.release()


def find(association: Association, query: Dataset) -> FindResult:
    """Ask the worklist. Raises CommandError when the answers break off, or one is lost."""
    answers: list[Dataset] = []
    incomplete = 0
    arrived = Arrived(association)
    for status, answer in association.send_c_find(query, WORKLIST):
        if "Status" not in status:
            raise CommandError(f"{NO_ANSWER}, after {len(answers)} answers. Look into its log.")
        if status.Status not in PENDING:
            time.sleep(BETWEEN_MESSAGES)
            if arrived.number > len(answers) + 1:
                raise CommandError("An answer came, and was lost within this client: ask once more.")
            return FindResult(answers, status, incomplete)
        incomplete += status.Status == PENDING_WITHOUT_SOME_KEYS
        answers.append(decoding.decoded(answer or Dataset()))
    raise CommandError("The server gave no final status. Look into its log.")


def refuse_unless_found(final: Dataset) -> None:
    """Raise CommandError for a query's final status that is not success."""
    if final.Status != SUCCESS:
        sentence = FIND_STATUSES.get(final.Status, UNABLE_TO_PROCESS)
        raise CommandError(explained(final, sentence, named=final.get("OffendingElement")))


def explained(status: Dataset, sentence: str, *, named: Any) -> str:
    """Return the status in words, with the tags that it names and the server's comment."""
    tags = "".join(f" {Tag(tag)}" for tag in as_list(named))
    said = f"{tags} {readable(status.get('ErrorComment') or '')}".strip()
    return (
        f"Status {status.Status:04X}: {sentence}: {said}."
        if said
        else f"Status {status.Status:04X}: {sentence}."
    )


def as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, MultiValue | list) else [value]


def _associate(options: dict[str, Any], services: tuple[UID, ...]) -> Association:
    _refuse_unless_someone_listens(options["ip"], options["port"])
    entity = AE(ae_title=options["callingAEtitle"])
    implementation.introduce(entity)
    entity.connection_timeout = entity.acse_timeout = CONNECTION_TIMEOUT
    entity.dimse_timeout = entity.network_timeout = ANSWER_TIMEOUT
    for service in services:
        entity.add_requested_context(service)
    return entity.associate(options["ip"], options["port"], ae_title=options["AEtitle"])


def _refuse_unless_someone_listens(ip: str, port: int) -> None:
    """Raise CommandError where nothing listens.

    pynetdicom does not tell a connection that was refused from one that was closed.
    """
    try:
        socket.create_connection((ip, port), timeout=CONNECTION_TIMEOUT).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise CommandError(
            f"Nothing answers at {ip}:{port} ({reason}): start the server ({program.name()} run_mwl), "
            "or use --ip and --port."
        ) from error


def _refuse_unless_offered(
    association: Association, options: dict[str, Any], services: tuple[UID, ...]
) -> None:
    server = f"{options['ip']}:{options['port']}"
    refusal = None if association.is_established else _refusal(association)
    if refusal is not None:
        raise CommandError(f"{server} refused the association: {_rejection(refusal, options)}.")
    rejected = {context.abstract_syntax for context in association.rejected_contexts}
    for service in services:
        if service in rejected:
            raise CommandError(f"{server} does not offer {SERVICES[service]}: is it the right server?")
    if not association.is_established:
        raise CommandError(f"{server} ended the association: is it a DICOM server? Look into its log.")


def _refusal(association: Association) -> A_ASSOCIATE | None:
    """Return the refusal, if there is one.

    pynetdicom leaves one unread that comes before it has seen that the connection stands.
    """
    answer = association.acceptor.primitive if association.is_rejected else association.dul.receive_pdu()
    return answer if isinstance(answer, A_ASSOCIATE) and answer.result else None


def _rejection(refusal: A_ASSOCIATE, options: dict[str, Any]) -> str:
    source, reason = refusal.result_source, refusal.diagnostic
    sentence = REJECTIONS.get((source or 0, reason or 0), f"source {source}, reason {reason}")
    return sentence.format(calling=options["callingAEtitle"], called=options["AEtitle"])


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the log of pynetdicom and pydicom: what matters is said in the command's own words."""
    logs = [logging.getLogger(name) for name in ("pynetdicom", "pydicom")]
    levels = [log.level for log in logs]
    try:
        for log in logs:
            log.setLevel(logging.CRITICAL)
        with config.disable_value_validation():
            yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)
