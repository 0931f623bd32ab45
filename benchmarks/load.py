"""One process plays many scanners, each with an association of its own for each query, without threads.

    python -m benchmarks.load --port 4242 --scanners 8 --seconds 2 --today 2026-01-10 [--every 30]

It says `ready`, waits for a line, and prints what it found as JSON. A scanner asks again at once, or with
`--every` so many seconds after it asked before, from a moment that chance chooses; then what it waits is
counted from the moment at which it was due, so that a server or a client that lags behind does not look
faster than it is.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

from benchmarks import beside, items
from benchmarks.client import (
    ASSOCIATE,
    ASSOCIATE_AC,
    PENDING,
    RELEASE_REQUEST,
    RELEASE_RESPONSE,
    STATUS_HEADER,
    SUCCESS,
    WORKLIST,
    WrongAnswerError,
    find_request,
)

ANSWERED_WITHIN = 30  # seconds, for a whole association
LOOKED_EVERY = 1.0  # seconds, at the longest, for what is not answered
RECEIVED_AT_ONCE = 64 * 1024  # bytes
HEADER = 6  # bytes of a PDU before its content


@dataclass
class Found:
    milliseconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0  # until the last association had ended


@dataclass(frozen=True)
class Question:
    """Each scanner sends this to the port, and must be answered so many items."""

    port: int
    request: bytes
    expected: int


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--scanners", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--today", type=date.fromisoformat, required=True)
    parser.add_argument("--every", type=float, help="Seconds between two queries of a scanner.")
    options = parser.parse_args()
    question = Question(options.port, find_request(items.typical_query(options.today)), items.TYPICAL)
    beside.await_begin()
    print(json.dumps(asdict(Player(question, options.seconds, options.every).play(options.scanners))))


class Player:
    """It plays scanners for so many seconds; what has begun by then is awaited."""

    def __init__(self, question: Question, seconds: float, every: float | None) -> None:
        self._question = question
        self._seconds = seconds
        self._every = every
        self._found = Found()
        self._due: list[float] = []  # a heap: when scanners ask next
        self._visits: dict[Visit, None] = {}  # the one that began first stands first
        self._selector = DefaultSelector()
        self._end = 0.0

    def play(self, scanners: int) -> Found:
        begun = time.monotonic()
        self._end = begun + self._seconds
        phases = (random.uniform(0, self._every or 0) for _ in range(scanners))
        self._due = sorted(begun + phase for phase in phases if phase <= self._seconds)
        with self._selector:
            while self._due or self._visits:
                self._begin_what_is_due()
                for key, _ in self._selector.select(self._until_next()):
                    self._go_on(key.data)
                self._give_up_on_the_slow()
        self._found.seconds = time.monotonic() - begun
        return self._found

    def _begin_what_is_due(self) -> None:
        while self._due and self._due[0] <= time.monotonic():
            visit = Visit(self._question, heapq.heappop(self._due))
            self._visits[visit] = None
            self._selector.register(visit.connection, EVENT_WRITE, visit)

    def _until_next(self) -> float:
        until = self._due[0] - time.monotonic() if self._due else LOOKED_EVERY
        return min(max(until, 0), LOOKED_EVERY)

    def _go_on(self, visit: Visit) -> None:
        try:
            events = next(visit.steps)
        except StopIteration:
            self._found.milliseconds.append((time.monotonic() - visit.due) * 1000)
            self._leave(visit)
        except (OSError, WrongAnswerError) as error:
            self._fail(visit, error)
        else:
            if events != self._selector.get_key(visit.connection).events:
                self._selector.modify(visit.connection, events, visit)

    def _give_up_on_the_slow(self) -> None:
        while self._visits and (visit := next(iter(self._visits))).begun + ANSWERED_WITHIN < time.monotonic():
            self._fail(visit, TimeoutError(f"not served within {ANSWERED_WITHIN} s"))

    def _fail(self, visit: Visit, error: Exception) -> None:
        self._found.errors[f"{type(error).__name__} {error}".strip()] += 1
        self._leave(visit)

    def _leave(self, visit: Visit) -> None:
        """Close the connection, and note when the scanner asks again."""
        del self._visits[visit]
        self._selector.unregister(visit.connection)
        visit.connection.close()
        again = time.monotonic() if self._every is None else visit.due + self._every
        if again < self._end:
            heapq.heappush(self._due, again)


class Visit:
    """A scanner asks once, on an association of its own that goes from its connection to its release."""

    def __init__(self, question: Question, due: float) -> None:
        self.due = due
        self.begun = time.monotonic()
        self.connection = socket.socket()
        self.connection.settimeout(0)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.connect_ex(("127.0.0.1", question.port))
        self.steps = self._steps(question)

    def _steps(self, question: Question) -> Iterator[int]:
        """Go on when the connection can be written, then whenever it can do what was yielded.

        Requests are short, so the kernel takes each whole. Raises WrongAnswerError and OSError.
        """
        self.connection.send(ASSOCIATE[WORKLIST])
        accepted = yield from self._received(_is_pdu)
        if accepted[0] != ASSOCIATE_AC:
            raise WrongAnswerError(f"a PDU of type {accepted[0]} came instead of an acceptance")
        self.connection.send(question.request)
        answers = yield from self._received(_is_final)
        _check(answers, question.expected)
        self.connection.send(RELEASE_REQUEST)
        yield from self._received(_is_released)

    def _received(self, is_whole: Callable[[bytearray, int], bool]) -> Generator[int, None, bytearray]:
        """Receive until it is whole, by all that has come and where the last piece begins."""
        received, begins = bytearray(), 0
        while not received or not is_whole(received, begins):
            yield EVENT_READ
            begins = len(received)
            received += self.connection.recv(RECEIVED_AT_ONCE)
            if len(received) == begins:
                raise WrongAnswerError("the server closed the connection")
        return received


def _is_pdu(received: bytearray, _: int) -> bool:
    return len(received) >= HEADER and len(received) >= HEADER + int.from_bytes(received[2:HEADER], "big")


def _is_final(received: bytearray, begins: int) -> bool:
    """Tell whether a status that is not pending has come; nothing else is looked at, which is cheap."""
    last = received.rfind(STATUS_HEADER, max(0, begins - len(STATUS_HEADER) - 1))
    value = received[last + len(STATUS_HEADER) :][:2]
    return last >= 0 and len(value) == 2 and int.from_bytes(value, "little") not in PENDING


def _is_released(received: bytearray, _: int) -> bool:
    return received.endswith(RELEASE_RESPONSE)


def _check(received: bytearray, expected: int) -> None:
    *pending, final = received.split(STATUS_HEADER)[1:]
    if int.from_bytes(final[:2], "little") != SUCCESS:
        raise WrongAnswerError("the query did not end with success")
    if len(pending) != expected:
        raise WrongAnswerError(f"{len(pending)} items were answered instead of {expected}")


if __name__ == "__main__":
    main()
