"""What devices do is written into the database after it was answered, many rows at once.

A handler only puts a row into a queue. A full queue, which a database that is gone for long makes, drops
the newest rows and counts them: a scanner never waits for its own record.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event as Signal
from threading import Thread
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from pylantir_site.counting import measures
from pylantir_site.database import fault_log
from worklist.answering.compiled import LONGEST_REMEMBERED, FindRequest
from worklist.dicom import datasets
from worklist.models import DeviceActivity, writing
from worklist.models.connections import close_connections, gives_back_connection
from worklist.scp import audit_messages

logger = logging.getLogger(__name__)

LONGEST_QUEUE = 20_000  # rows
AT_ONCE = 500  # rows in one transaction
INTERVAL = 0.5  # seconds
TIME_TO_STOP = 5.0  # seconds for what is still queued

FIELDS = [field for field in DeviceActivity._meta.concrete_fields if not field.primary_key]
NAMES = [field.attname for field in FIELDS]
# Characters of what a peer may have sent.
LONGEST = {
    field.name: field.max_length
    for field in FIELDS
    if field.name in ("ae_title", "called_ae_title", "address", "comment", "sop_instance_uid")
}

LONGEST_SUBJECT = 500
AWAY = (OperationalError, InterfaceError)  # a database that may come back

ActivityRow = dict[str, Any]

_queue: Queue[ActivityRow] = Queue(LONGEST_QUEUE)


def put(kind: DeviceActivity.Kind, **more: Any) -> None:
    """Queue a row; `request` is a query's, `subject` that of a client's certificate."""
    row = {"at": timezone.now(), "kind": kind, **more}
    audit_messages.tell(row)
    if not settings.DEVICE_ACTIVITY_KEPT_DAYS:
        return
    try:
        _queue.put_nowait(row)
    except Full:
        _dropped_rows.count()


class _DroppedRows:
    """Rows that are lost are counted: the log tells of the first, and of all once one is written again."""

    def __init__(self) -> None:
        self._number = 0

    def count(self) -> None:
        if not self._number:
            logger.warning("What devices do is not recorded: the database does not take it.")
        self._number += 1
        measures.RECORDS_LOST.add()

    def told(self) -> None:
        if self._number:
            logger.warning("%d rows of what devices did were lost.", self._number)
            self._number = 0


_dropped_rows = _DroppedRows()


class Recorder:
    """This thread writes; each process of the server has one, started after the fork."""

    def __init__(self) -> None:
        self._stop = Signal()
        self._thread = Thread(target=self._run, name="recording", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued, as far as time allows."""
        self._stop.set()
        self._thread.join(TIME_TO_STOP)

    def _run(self) -> None:
        try:
            self._write_until_stopped()
        finally:
            close_connections()

    def _write_until_stopped(self) -> None:
        waiting: list[ActivityRow] = []
        while not self._stop.wait(INTERVAL):
            waiting = _written(waiting)
        while waiting or not _queue.empty():
            before = len(waiting) + _queue.qsize()
            waiting = _written(waiting)
            if len(waiting) + _queue.qsize() >= before:
                logger.warning("%d rows of what devices did were lost.", before)
                return


def _written(waiting: list[ActivityRow]) -> list[ActivityRow]:
    """Write some of what waits, and return what could not be written and waits on."""
    with suppress(Empty):
        while len(waiting) < AT_ONCE:
            waiting.append(_queue.get_nowait())
    if not waiting:
        return []
    try:
        _write(waiting)
    except AWAY as error:
        fault_log.log.tell(logger, "What devices do cannot be recorded", error)
        return waiting
    except Exception:  # one odd row must not cost the others their record
        _write_each(waiting)
    _dropped_rows.told()
    return []


@gives_back_connection
def _write(rows: list[ActivityRow]) -> None:
    values = [_prepared_values(row) for row in rows]
    with transaction.atomic():
        writing.insert_values(DeviceActivity, NAMES, values)


def _prepared_values(row: ActivityRow) -> list[Any]:
    told = _values(row)
    if unknown := told.keys() - set(NAMES):
        raise TypeError(f"no columns of an activity: {', '.join(unknown)}")
    return [
        field.get_db_prep_save(told[field.name] if field.name in told else field.get_default(), connection)
        for field in FIELDS
    ]


def _write_each(rows: list[ActivityRow]) -> None:
    for row in rows:
        try:
            _write([row])
        except Exception as error:
            fault_log.log.tell(logger, "A row of what a device did cannot be kept", error)


def _values(row: ActivityRow) -> dict[str, Any]:
    request, subject = row.get("request"), row.get("subject")
    texts = {name: _storable(row[name], longest) for name, longest in LONGEST.items() if name in row}
    identifier, implicit_vr = _plain(request) if request else (b"", True)
    return {
        **{name: value for name, value in row.items() if name not in ("request", "subject")},
        **texts,
        "certificate_subject": _storable(subject.rfc4514_string(), LONGEST_SUBJECT) if subject else "",
        "identifier": identifier,
        "implicit_vr": implicit_vr,
    }


def _storable(text: str, longest: int | None) -> str:
    """Return the text in ASCII, cut to the length: a peer may send anything as its AE title."""
    return text.encode("ascii", "backslashreplace").decode("ascii").replace("\0", "\\0")[:longest]


def _plain(request: FindRequest) -> tuple[bytes, bool]:
    """Return the query inflated, or nothing where it is longer than any scanner's."""
    identifier = request.identifier
    if request.deflated:
        with suppress(Exception):  # bytes that were never deflated
            identifier = datasets.inflate(identifier, longest=LONGEST_REMEMBERED)
    return (identifier if len(identifier) <= LONGEST_REMEMBERED else b""), request.implicit_vr
