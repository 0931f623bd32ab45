"""One association is kept for many questions, one after the other; it is opened anew when it has ended.

pynetdicom's threads write and read. Its socket acknowledges at once: archives send an answer in several
pieces, and wait with each until the one before is acknowledged, by default 40 ms later.
"""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pydicom import Dataset, config
from pydicom.uid import UID
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at import

from archives.asking import refuse_too_many
from archives.cfind import statuses
from archives.cfind.access import CFindAccess
from pylantir_site.outside.connecting import AddressRefused, connected
from sources.errors import ConfigurationError, SlowError, SourceError, TransientError
from sources.http.limiter import limiter_of
from worklist.dicom import json_model
from worklist.dicom.json_model import DataSet
from worklist.dicom.study_root import FIND
from worklist.scp import implementation
from worklist.scp.arrived import BETWEEN_MESSAGES, Arrived

VERIFICATION: UID = Verification
TRIES = 3  # of a question of which an answer is lost on its way to us
LONGEST_ANSWER = 60.0  # seconds for all of it, however many data sets it has
LARGEST_MESSAGE_ID = 65_535


class _AnswerDropped(Exception):
    """Fewer answers were given to us than have come."""


class Connection:
    """It counts the questions that were sent. Every method raises sources.errors.SourceError."""

    def __init__(self, access: CFindAccess, wait: Callable[[float], None] = time.sleep) -> None:
        self.access = access
        self.questions = 0
        self._wait = wait
        self._association: Association | None = None
        self._arrived: Arrived | None = None

    def close(self) -> None:
        association, self._association = self._association, None
        if association is not None and association.is_established:
            association.release()

    def echo(self) -> None:
        """Ask by C-ECHO (PS3.4 Annex A), where the archive offers it."""
        association = self._established()
        if VERIFICATION not in {context.abstract_syntax for context in association.accepted_contexts}:
            return
        status = association.send_c_echo().get("Status")
        if status is None:
            raise self._silence()
        if status != statuses.SUCCESS:
            raise TransientError(f"{self.access.place} answered C-ECHO with status {status:04X}.")
        time.sleep(BETWEEN_MESSAGES)

    def find(self, query: Dataset, *, enough: int | None = None) -> list[DataSet]:
        """Return the answers in the DICOM JSON Model; after `enough` of them the rest is cancelled.

        Raises TooMuchError for more than `asking.MOST_ANSWERS`.
        """
        for _try in range(TRIES):
            with suppress(_AnswerDropped):
                return self._asked(query, enough)
        raise TransientError(f"Answers of {self.access.place} were lost here, {TRIES} times: ask again.")

    def _asked(self, query: Dataset, enough: int | None) -> list[DataSet]:
        limiter_of(f"{self.access.host}:{self.access.port}").take(
            self.access.questions_per_minute, self._wait
        )
        self.questions += 1
        with _unvalidated():
            return self._answers(self._established(), query, enough)

    def _answers(self, association: Association, query: Dataset, enough: int | None) -> list[DataSet]:
        """Return them. Raises _AnswerDropped where one is missing."""
        assert self._arrived is not None
        found: list[DataSet] = []
        given = self._arrived.number
        ends_at = time.monotonic() + max(self.access.read_timeout, LONGEST_ANSWER)
        number = self.questions % LARGEST_MESSAGE_ID + 1
        for status, answer in self._responses(association, query, number):
            if "Status" not in status:
                if self._arrived.number > given:
                    raise _AnswerDropped  # pynetdicom has waited for it, and has aborted
                raise self._silence()
            given += 1
            if status.Status not in statuses.PENDING:
                time.sleep(BETWEEN_MESSAGES)
                if self._arrived.number > given:
                    raise _AnswerDropped
                self._refuse_unless_ended_well(status.Status, cancelled=enough is not None and bool(found))
                return found
            if answer is None:
                association.abort()
                raise TransientError(f"An answer of {self.access.place} cannot be decoded.")
            if time.monotonic() >= ends_at:  # else two thousand answers would take as many time-outs
                association.abort()
                raise self._silence()
            if enough is not None and len(found) >= enough:
                continue
            found.append(json_model.read(answer).dataset)
            if len(found) == enough:
                association.send_c_cancel(number, query_model=FIND)
            self._refuse_too_many(association, len(found))
        raise self._silence()

    def _responses(
        self, association: Association, query: Dataset, number: int
    ) -> Iterator[tuple[Dataset, Dataset | None]]:
        try:
            yield from association.send_c_find(query, FIND, msg_id=number)
        except RuntimeError:  # pynetdicom's, where the association has ended meanwhile
            if association.is_established:
                raise
            raise self._silence() from None

    def _refuse_unless_ended_well(self, status: int, *, cancelled: bool) -> None:
        if status == statuses.SUCCESS or (status == statuses.CANCELLED and cancelled):
            return
        raise statuses.refusal(status, self.access.place)

    def _refuse_too_many(self, association: Association, count: int) -> None:
        try:
            refuse_too_many(count)
        except SourceError:
            association.abort()
            raise

    def _silence(self) -> SourceError:
        self._association = None
        return SlowError(
            f"{self.access.place} ended the association before its answer was whole, "
            f"was silent for {self.access.read_timeout:g} seconds, or took too long over it."
        )

    def _established(self) -> Association:
        if self._association is None or not self._association.is_established:
            self._association = self._opened()
        return self._association

    def _opened(self) -> Association:
        access, entity = self.access, AE(ae_title=self.access.calling_ae_title)
        address = self._reachable()
        implementation.introduce(entity)
        entity.connection_timeout = access.connect_timeout
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = access.read_timeout
        entity.add_requested_context(FIND)
        entity.add_requested_context(VERIFICATION)
        association = entity.associate(
            address,
            access.port,
            ae_title=access.called_ae_title,
            tls_args=(access.tls, access.host) if access.tls is not None else None,
            evt_handlers=[
                (evt.EVT_CONN_OPEN, _send_at_once),
                (evt.EVT_PDU_SENT, _acknowledge_at_once),
                (evt.EVT_DATA_RECV, _acknowledge_at_once),
            ],
        )
        self._refuse_unless_offered(association)
        self._arrived = Arrived(association)
        return association

    def _reachable(self) -> str:
        """Return the address to connect to, once a connection there has shown that there is somebody.

        pynetdicom says why a connection failed in its log alone, and looks the name up a second time.
        """
        access = self.access
        try:
            with connected(access.host, access.port, timeout=access.connect_timeout) as opened:
                address: str = opened.getpeername()[0]
                self._try_tls(opened)
        except AddressRefused:
            raise ConfigurationError(
                f"{access.host} leads to an address of a network link's or a cloud's own use."
            ) from None
        except socket.gaierror:
            raise ConfigurationError(f"There is no host {access.host}: look at the host's name.") from None
        except ssl.SSLCertVerificationError as error:
            raise ConfigurationError(
                f"The certificate of {access.place} is not trusted ({error.verify_message}): "
                "if it is the institution's own, name its CA bundle."
            ) from None
        except ssl.SSLError:
            raise ConfigurationError(
                f"There is no secure connection with {access.place}: does that port speak TLS, "
                "and does it ask for a client certificate?"
            ) from None
        except OSError as error:
            reason = "nobody answers there" if isinstance(error, TimeoutError) else error.strerror or "failed"
            raise TransientError(f"There is no connection to {access.place}: {reason}.") from None
        return address

    def _try_tls(self, opened: socket.socket) -> None:
        if self.access.tls is not None:
            opened.settimeout(self.access.connect_timeout)
            with self.access.tls.wrap_socket(opened, server_hostname=self.access.host):
                pass

    def _refuse_unless_offered(self, association: Association) -> None:
        place = self.access.place
        if not association.is_established:
            answer = association.acceptor.primitive
            if association.is_rejected and isinstance(answer, A_ASSOCIATE):
                raise statuses.rejection(
                    answer.result or 0,
                    answer.result_source or 0,
                    answer.diagnostic or 0,
                    place=place,
                    calling=self.access.calling_ae_title,
                )
            raise TransientError(f"{place} does not speak DICOM on this port, or has hung up.")
        if FIND not in {context.abstract_syntax for context in association.accepted_contexts}:
            association.release()
            raise ConfigurationError(f"{place} does not offer C-FIND in the study root model.")


def _send_at_once(event: Any) -> None:
    _socket_of(event).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _acknowledge_at_once(event: Any) -> None:
    """Ask for it after each piece: the kernel forgets it."""
    opened = _socket_of(event)
    if opened is not None and hasattr(socket, "TCP_QUICKACK"):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _socket_of(event: Any) -> Any:
    return event.assoc.dul.socket.socket


@contextmanager
def _unvalidated() -> Iterator[None]:
    """Take values as they are: what an archive holds is what is to be seen. pydicom's log may quote them."""
    log = logging.getLogger("pydicom")
    level = log.level
    try:
        log.setLevel(logging.CRITICAL)
        with config.disable_value_validation():
            yield
    finally:
        log.setLevel(level)
