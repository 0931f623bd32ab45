"""Ask a Modality Worklist server, as a scanner would."""

from __future__ import annotations

import logging
import socket
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from pydicom import Dataset, config
from pydicom.multival import MultiValue
from pydicom.tag import Tag
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.sop_class import ModalityWorklistInformationFind  # type: ignore[attr-defined]  # made at import
from tabulate import tabulate

from worklist import attributes, validators
from worklist.attributes import Place

SUCCESS = 0x0000
PENDING = frozenset({0xFF00, 0xFF01})
PENDING_WITHOUT_SOME_KEYS = 0xFF01
CONNECTION_TIMEOUT, ANSWER_TIMEOUT = 5, 30  # seconds

# Columns beside date and time, which share one.
COLUMNS = {
    "Station": "ScheduledStationAETitle",
    "Patient": "PatientName",
    "Patient ID": "PatientID",
    "Modality": "Modality",
    "Description": "ScheduledProcedureStepDescription",
    "Accession": "AccessionNumber",
    "Step ID": "ScheduledProcedureStepID",
    "Status": "ScheduledProcedureStepStatus",
    "Study Instance UID": "StudyInstanceUID",
}
START = ("ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime")

# PS3.8 9.3.4: (source, diagnostic) of an A-ASSOCIATE-RJ.
REJECTIONS = {
    (1, 2): "it does not know the application context",
    (1, 3): "it does not know {calling}: make it a device there, or use --callingAEtitle",
    (1, 7): "its AE title is not {called}: use --AEtitle",
    (3, 1): "it is busy: try again",
    (3, 2): "it has as many associations as it allows: try again",
}
# PS3.4 Table K.4-1
STATUSES = {
    0xA700: "out of resources. Ask for less, and look into the server's log",
    0xA900: "the keys are not understood. Correct the one named",
    0xFE00: "cancelled",
}
UNABLE_TO_PROCESS = "the server could not process the query. Look into its log"


class Command(BaseCommand):
    help = "Ask a Modality Worklist server for its items (C-FIND) and print them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--ip", default="127.0.0.1", help="of the server (default: %(default)s)")
        parser.add_argument("--port", type=port, default=4242, help="of the server (default: %(default)s)")
        parser.add_argument(
            "--AEtitle", type=ae_title, default="MWL_SERVER", help="the server's (default: %(default)s)"
        )
        parser.add_argument(
            "--callingAEtitle", type=ae_title, default="MWL_TESTER", help="ours (default: %(default)s)"
        )
        keys = parser.add_argument_group("keys", "What to match; a key that is not given matches everything.")
        for attribute in attributes.matched():
            options = dict.fromkeys([f"--{attribute.keyword}", f"--{attribute.field}"])
            help_text = f"{attribute.name} {attribute.tag}: {attribute.matching.value}"
            keys.add_argument(*options, dest=attribute.keyword, default="", metavar="KEY", help=help_text)

    def handle(self, *args: Any, **options: Any) -> None:
        with _quiet():
            association = _associate(options)
            try:
                answers, final, incomplete = self._ask(association, identifier(options))
            finally:
                association.release()
        if answers:
            self.stdout.write(tabulate(map(_row, answers), headers="keys", disable_numparse=True))
        self._conclude(len(answers), incomplete, final)

    def _ask(self, association: Association, query: Dataset) -> tuple[list[Dataset], Dataset, int]:
        """The answers, the final status, and how many answers lack a requested attribute."""
        answers: list[Dataset] = []
        incomplete = 0
        for status, answer in association.send_c_find(query, ModalityWorklistInformationFind):
            if "Status" not in status:
                raise CommandError(
                    f"The server ended the association, or was silent for {ANSWER_TIMEOUT} s, "
                    f"after {len(answers)} answers. Look into its log."
                )
            if status.Status not in PENDING:
                return answers, status, incomplete
            incomplete += status.Status == PENDING_WITHOUT_SOME_KEYS
            answers.append(answer or Dataset())
        raise CommandError("The server gave no final status. Look into its log.")

    def _conclude(self, count: int, incomplete: int, final: Dataset) -> None:
        self.stdout.write(f"{count} {'answer' if count == 1 else 'answers'}.")
        if incomplete:
            self.stdout.write(f"{incomplete} of them with FF01: the server does not know all the keys.")
        if final.Status != SUCCESS:
            raise CommandError(f"Status {final.Status:04X}: {_meaning(final)}")
        self.stdout.write("Status 0000: success.")


def port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


def ae_title(text: str) -> str:
    try:
        validators.ae_title(text)
    except ValidationError as error:
        raise ArgumentTypeError(" ".join(error.messages)) from error
    return text


def identifier(options: dict[str, Any]) -> Dataset:
    """Every matching key, with a value where one is given, and what the table shows beside them.

    The values are sent as they are given: to see what a server makes of them is what this client is for.
    """
    query, step = Dataset(), Dataset()
    wanted = {attribute.keyword: attribute for attribute in attributes.matched()}
    wanted |= {keyword: attributes.BY_KEYWORD[keyword] for keyword in COLUMNS.values()}
    with config.disable_value_validation():
        for keyword, attribute in wanted.items():
            setattr(step if attribute.place is Place.STEP else query, keyword, options.get(keyword, ""))
    query.ScheduledProcedureStepSequence = [step]
    if not all(str(options.get(keyword, "")).isascii() for keyword in wanted):
        query.SpecificCharacterSet = "ISO_IR 192"
    return query


def _associate(options: dict[str, Any]) -> Association:
    """Raises CommandError, in a sentence that says what to do."""
    _refuse_unless_someone_listens(options["ip"], options["port"])
    entity = AE(ae_title=options["callingAEtitle"])
    entity.connection_timeout = entity.acse_timeout = CONNECTION_TIMEOUT
    entity.dimse_timeout = entity.network_timeout = ANSWER_TIMEOUT
    entity.add_requested_context(ModalityWorklistInformationFind)
    association = entity.associate(options["ip"], options["port"], ae_title=options["AEtitle"])
    if association.is_established:
        return association
    server = f"{options['ip']}:{options['port']}"
    refusal = _refusal(association)
    if refusal is not None:
        raise CommandError(f"{server} refused the association: {_rejection(refusal, options)}.")
    if association.rejected_contexts:
        raise CommandError(f"{server} does not offer Modality Worklist: is it the right server?")
    raise CommandError(f"{server} ended the association: is it a DICOM server? Look into its log.")


def _refuse_unless_someone_listens(ip: str, port: int) -> None:
    """pynetdicom does not tell a connection that was refused from one that was closed."""
    try:
        socket.create_connection((ip, port), timeout=CONNECTION_TIMEOUT).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise CommandError(
            f"Nothing answers at {ip}:{port} ({reason}): start the server (manage.py run_mwl), "
            "or use --ip and --port."
        ) from error


def _refusal(association: Association) -> A_ASSOCIATE | None:
    """pynetdicom leaves a refusal unread that comes before it has seen that the connection stands."""
    answer = association.acceptor.primitive if association.is_rejected else association.dul.receive_pdu()
    return answer if isinstance(answer, A_ASSOCIATE) and answer.result else None


def _rejection(refusal: A_ASSOCIATE, options: dict[str, Any]) -> str:
    source, reason = refusal.result_source, refusal.diagnostic
    sentence = REJECTIONS.get((source or 0, reason or 0), f"source {source}, reason {reason}")
    return sentence.format(calling=options["callingAEtitle"], called=options["AEtitle"])


def _meaning(final: Dataset) -> str:
    sentence = STATUSES.get(final.Status, UNABLE_TO_PROCESS)
    named = "".join(f" {Tag(tag)}" for tag in _list(final.get("OffendingElement")))
    comment = _printable(final.get("ErrorComment", ""))
    said = f"{named} {comment}".strip()
    return f"{sentence}: {said}." if said else f"{sentence}."


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, MultiValue | list) else [value]


def _row(answer: Dataset) -> dict[str, str]:
    items = answer.get("ScheduledProcedureStepSequence") or [Dataset()]
    both = {keyword: _text(answer, items[0], keyword) for keyword in (*START, *COLUMNS.values())}
    start = f"{both[START[0]]} {both[START[1]]}".strip()
    return {"Start": start, **{column: both[keyword] for column, keyword in COLUMNS.items()}}


def _text(answer: Dataset, step: Dataset, keyword: str) -> str:
    dataset = step if attributes.BY_KEYWORD[keyword].place is Place.STEP else answer
    return _printable("\\".join(str(each) for each in _list(dataset.get(keyword))))


def _printable(text: str) -> str:
    """A server's text must not steer the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the log of pynetdicom and pydicom: what matters is said in the command's own words."""
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
