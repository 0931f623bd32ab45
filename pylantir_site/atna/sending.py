"""A thread sends audit messages; whoever has one only puts it into a queue, and never waits.

Where the repository is away, messages stay in the queue and are tried again. A full queue drops the newest;
how many were lost is told in the log, once it takes messages again and when the process ends.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable, Iterable
from queue import Empty, Full, Queue

from django.conf import settings
from django.db import connections

from pylantir_site.atna import syslog
from pylantir_site.atna.messages import SUCCESS, AuditMessage
from pylantir_site.atna.syslog import DatagramTooLong, SyslogTransport
from pylantir_site.environment.atna import AtnaSettings
from pylantir_site.environment.logs import traceback_of

log = logging.getLogger(__name__)

Messages = Callable[[], Iterable[AuditMessage]]
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds between two tries
TIME_TO_END = 3.0  # seconds for what is queued when the process ends
IDLE = 5.0  # seconds without a message, after which connections to the database are given back


class MessageSender:
    """One for a process: it makes messages, for that may ask the database, and sends them."""

    def __init__(self, to: AtnaSettings) -> None:
        self.process = os.getpid()
        self.lost = 0
        self._to = to
        self._queue: Queue[Messages] = Queue(to.longest_queue)
        self._waiting: list[bytes] = []
        self._transport: SyslogTransport | None = None
        self._pause = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="atna", daemon=True)
        self._thread.start()

    def put(self, messages: Messages) -> None:
        try:
            self._queue.put_nowait(messages)
        except Full:
            if not self.lost:
                log.error("Audit messages are lost: the queue for the audit record repository is full.")
            self.lost += 1

    def end(self, seconds: float = TIME_TO_END) -> None:
        """Send what is queued, as far as time allows, and say how many were lost."""
        self._ending.set()
        self._thread.join(seconds)
        left = self._queue.qsize() + len(self._waiting)
        if left + self.lost:
            log.error("%d audit messages were lost.", left + self.lost)

    def _run(self) -> None:
        try:
            while not (self._ending.is_set() and self._queue.empty()):
                if not self._step():
                    return
        finally:
            self._hang_up()
            connections.close_all()

    def _step(self) -> bool:
        """Send the next; return False where the process ends and the repository does not take it."""
        try:
            messages = self._queue.get(timeout=0.2 if self._ending.is_set() else IDLE)
        except Empty:
            connections.close_all()
            return True
        self._waiting = self._frames(messages)
        while self._waiting:
            if self._sent(self._waiting[0]):
                del self._waiting[0]
            elif self._ending.wait(self._pause):
                return False
        return True

    def _frames(self, messages: Messages) -> list[bytes]:
        try:
            return [
                syslog.frame(
                    each.xml(source_id=self._to.source_id, site_id=self._to.site_id),
                    at=each.at,
                    is_failure=each.outcome != SUCCESS,
                )
                for each in messages()
            ]
        except Exception as error:  # one that cannot be made must not cost the others
            log.error("An audit message could not be made: %s", traceback_of(error))
            self.lost += 1
            return []

    def _sent(self, frame: bytes) -> bool:
        try:
            self._transport = self._transport or syslog.transport(self._to)
            self._transport.send(frame)
        except DatagramTooLong:
            log.error("An audit message of %d bytes is too long for UDP, and is lost: use TLS.", len(frame))
            self.lost += 1
            return True
        except OSError as error:
            self._failed(error)
            return False
        self._went_well()
        return True

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _failed(self, error: OSError) -> None:
        self._hang_up()
        if not self._pause:
            log.error("The audit record repository does not take messages: %s.", _reason(error))
        self._pause = min(max(FIRST_PAUSE, self._pause * 2), LONGEST_PAUSE)

    def _went_well(self) -> None:
        if self._pause:
            log.warning("The audit record repository takes messages again.")
            self._pause = 0.0
        if self.lost and not self._queue.full():
            log.error("%d audit messages were lost.", self.lost)
            self.lost = 0


_sender: MessageSender | None = None
_guard = threading.Lock()


def send(messages: Messages) -> None:
    """Queue what makes messages; it is called in the sender's thread, which may ask the database."""
    if settings.ATNA is not None:
        _of_this_process(settings.ATNA).put(messages)


def end(seconds: float = TIME_TO_END) -> None:
    """Send what is queued before the process ends."""
    global _sender
    sender, _sender = _sender, None
    if sender is not None and sender.process == os.getpid():
        sender.end(seconds)


def _of_this_process(to: AtnaSettings) -> MessageSender:
    """Return the process's sender; a fork has none of its parent's threads."""
    global _sender
    with _guard:
        if _sender is None or _sender.process != os.getpid():
            _sender = MessageSender(to)
        return _sender


def _reason(error: OSError) -> str:
    return str(getattr(error, "verify_message", "") or error.strerror or type(error).__name__)


atexit.register(end)
os.register_at_fork(after_in_child=lambda: globals().update(_guard=threading.Lock()))
