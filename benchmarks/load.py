"""One process plays many scanners, each with an association of its own for each query, without threads.

    python -m benchmarks.load --port 4242 --scanners 8 --seconds 2 --today 2026-01-10 [--every 30]

It says `ready`, waits for a line, and prints what it found as JSON. A scanner asks again at once, or with
`--every` so many seconds after it asked before, from a moment that chance chooses; then what it waits is
counted from the moment at which it was due, so that a server or a client that lags behind does not look
faster than it is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date

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
RECEIVED_AT_ONCE = 256 * 1024  # bytes
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
    found = asyncio.run(play(question, options.scanners, options.seconds, options.every))
    print(json.dumps(asdict(found)))


async def play(question: Question, scanners: int, seconds: float, every: float | None) -> Found:
    """Play so many scanners for so long; what has begun by then is awaited."""
    found = Found()
    start = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(scanners):
            if every is None:
                group.create_task(_ask_at_once(question, start + seconds, found))
            else:
                due = start + random.uniform(0, every)
                group.create_task(_ask_regularly(question, due, start + seconds, every, found))
    found.seconds = time.monotonic() - start
    return found


async def _ask_at_once(question: Question, end: float, found: Found) -> None:
    """Ask at least once."""
    while True:
        begun = time.monotonic()
        await _ask(question, begun, found)
        if time.monotonic() >= end:
            return


async def _ask_regularly(question: Question, due: float, end: float, every: float, found: Found) -> None:
    while due < end:
        await asyncio.sleep(due - time.monotonic())
        await _ask(question, due, found)
        due += every


async def _ask(question: Question, due: float, found: Found) -> None:
    try:
        async with asyncio.timeout(ANSWERED_WITHIN):
            await visit(question)
    except (OSError, WrongAnswerError) as error:  # a time-out is an OSError
        found.errors[f"{type(error).__name__} {error}".strip()] += 1
    else:
        found.milliseconds.append((time.monotonic() - due) * 1000)


async def visit(question: Question) -> None:
    """Ask on an association of its own. Raises WrongAnswerError and OSError."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(connection, ("127.0.0.1", question.port))
        await loop.sock_sendall(connection, ASSOCIATE[WORKLIST])
        accepted = await _receive(connection, _is_pdu)
        if accepted[0] != ASSOCIATE_AC:
            raise WrongAnswerError(f"a PDU of type {accepted[0]} came instead of an acceptance")
        await loop.sock_sendall(connection, question.request)
        _check(await _receive(connection, _is_final), question.expected)
        await loop.sock_sendall(connection, RELEASE_REQUEST)
        await _receive(connection, lambda received, _: received.endswith(RELEASE_RESPONSE))


async def _receive(connection: socket.socket, is_whole: Callable[[bytearray, int], bool]) -> bytearray:
    """Receive until it is whole, by all that has come and where the last piece begins."""
    loop = asyncio.get_running_loop()
    received = bytearray()
    while True:
        piece = await loop.sock_recv(connection, RECEIVED_AT_ONCE)
        if not piece:
            raise WrongAnswerError("the server closed the connection")
        begins = len(received)
        received += piece
        if is_whole(received, begins):
            return received


def _is_pdu(received: bytearray, _: int) -> bool:
    return len(received) >= HEADER and len(received) >= HEADER + int.from_bytes(received[2:HEADER], "big")


def _is_final(received: bytearray, begins: int) -> bool:
    """Tell whether a status that is not pending has come; nothing else is looked at, which is cheap."""
    last = received.rfind(STATUS_HEADER, max(0, begins - len(STATUS_HEADER) - 1))
    value = received[last + len(STATUS_HEADER) :][:2]
    return last >= 0 and len(value) == 2 and int.from_bytes(value, "little") not in PENDING


def _check(received: bytearray, expected: int) -> None:
    *pending, final = received.split(STATUS_HEADER)[1:]
    if int.from_bytes(final[:2], "little") != SUCCESS:
        raise WrongAnswerError("the query did not end with success")
    if len(pending) != expected:
        raise WrongAnswerError(f"{len(pending)} items were answered instead of {expected}")


if __name__ == "__main__":
    main()
