"""Events are written here.

What a person asked for is done although its event cannot be written: it waits in memory, the log says so,
and it is written before the next. So a database that is busy for a while loses none, one that is gone until
the process ends loses what waits.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

from django.db import Error, connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest

from accounts.audit import chain, messages
from accounts.models import AuditEvent

log = logging.getLogger(__name__)

MOST_WAITING = 1000
MOST_ROWS = 10_000  # keys in one event
LOCK = 0x61756469  # "audi": who adds to the chain holds it until the commit
PATIENCE = 2000  # milliseconds for which a page waits for SQLite's one writer, for its event's sake

_waiting: deque[AuditEvent] = deque()
_guard = Lock()
_lost = 0


def record(kind: str, **about: Any) -> None:
    """Add an event; the arguments are fields of AuditEvent."""
    about["rows"] = list(about.get("rows", ()))[:MOST_ROWS]
    event = AuditEvent(kind=kind, **about)
    messages.tell(event)
    with _guard:
        events = [*_waiting, event]
        _waiting.clear()
    try:
        append(events)
    except Error as error:
        _keep(events, error)


def note(request: HttpRequest | None, kind: str, **about: str) -> None:
    """Say what a request was, in place of a page or a call: its one event then tells that."""
    if request is not None:
        request.audit_note = {"kind": kind, **about}  # type: ignore[attr-defined]


def noted(request: HttpRequest) -> Mapping[str, str]:
    found: Mapping[str, str] = getattr(request, "audit_note", {})
    return found


def append(events: list[AuditEvent]) -> None:
    """Write events at the chain's end. Raises `django.db.Error`."""
    alias = router.db_for_write(AuditEvent)
    connection = connections[alias]
    with _patience(connection), transaction.atomic(using=alias):
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        last = AuditEvent.objects.using(alias).order_by("-pk").values_list("digest", flat=True).first()
        chain.link(events, last or "")
        AuditEvent.objects.using(alias).bulk_create(events)


@contextmanager
def _patience(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Wait less long for SQLite than a person's own write would."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    connection.ensure_connection()
    usual = int(connection.settings_dict["OPTIONS"].get("timeout", 5) * 1000)
    connection.connection.execute(f"PRAGMA busy_timeout = {PATIENCE}")
    try:
        yield
    finally:
        connection.connection.execute(f"PRAGMA busy_timeout = {usual}")


def _keep(events: list[AuditEvent], error: Error) -> None:
    global _lost
    with _guard:
        for event in events:
            event.pk = None
        _waiting.extendleft(reversed(events))
        while len(_waiting) > MOST_WAITING:
            _waiting.popleft()
            _lost += 1
    log.error(
        "An event could not be written into the audit trail: %s. %d wait in memory, %d are lost.",
        type(error).__name__,
        len(_waiting),
        _lost,
    )
