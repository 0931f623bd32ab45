"""What real clients sent is damaged here in many ways, each from a seed, and played to a server.

`record_clients.py` made the recordings. They hold a patient's name and ID that stand nowhere else, so that a
log can be searched for them.
"""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from pathlib import Path

RECORDINGS = Path(__file__).resolve().parent / "recordings"
PATIENT_NAME, PATIENT_ID = "Zyxomark^Quorl", "QX7193ZV"
MARKERS = ("Zyxomark", "Quorl", PATIENT_ID)
P_DATA = 4
PATIENCE = 15  # seconds for a server to close a connection that its peer has ended
AT_ONCE = 50  # mutations before the server is looked at
LENGTHS = (0, 1, 2, 5, 7, 255, 256, 65535, 65536, 2**20, 2**24, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)

Pdus = list[bytes]
Mutator = Callable[[random.Random, Pdus], Pdus]


class StillOpenError(Exception):
    """The server did not close a connection that had ended."""


class Ending(Enum):
    """A peer's way to go: it reads to the end, does not read, or resets the connection."""

    HALF_CLOSED = 1
    CLOSED = 2
    RESET = 3


@dataclass(frozen=True)
class Mutation:
    """This is what one seed makes: the bytes as they are sent one after the other."""

    seed: int
    sent: tuple[bytes, ...]
    ending: Ending


def recordings() -> list[Pdus]:
    return [pdus(path.read_bytes()) for path in sorted(RECORDINGS.glob("*.bin"))]


def pdus(stream: bytes) -> Pdus:
    found = []
    while stream:
        (length,) = struct.unpack(">2xL", stream[:6])
        found.append(stream[: 6 + length])
        stream = stream[6 + length :]
    return found


def mutation(seed: int, recorded: Sequence[Pdus]) -> Mutation:
    """Damage one of the recordings once, or a few times."""
    rng = random.Random(seed)
    changed = list(rng.choice(recorded))
    if rng.random() < 0.1:
        changed = spliced(rng, changed, rng.choice(recorded))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if any(changed):  # there may be nothing left
            changed = rng.choice(MUTATORS)(rng, list(filter(None, changed)))
    ending = rng.choices(list(Ending), (8, 1, 1))[0]
    return Mutation(seed, tuple(pieces(rng, b"".join(changed))), ending)


def pieces(rng: random.Random, stream: bytes) -> Iterator[bytes]:
    """Yield the stream whole, or cut at random places."""
    cuts = rng.choice((0, 0, 1, 3, 8))
    places = sorted({0, len(stream), *(rng.randrange(len(stream) + 1) for _ in range(cuts))})
    yield from (stream[start:end] for start, end in pairwise(places))


def play(port: int, played: Mutation) -> None:
    """Send it on a connection of its own. Raises StillOpenError where the server leaves it open."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if played.ending is Ending.RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            for piece in played.sent:
                connection.sendall(piece)
            if played.ending is Ending.HALF_CLOSED:
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    continue
        except TimeoutError as error:
            raise StillOpenError(f"seed {played.seed}") from error
        except OSError:  # the server has closed it, as it may
            return


def spliced(rng: random.Random, first: Pdus, second: Pdus) -> Pdus:
    """Go on with another client's bytes, at a PDU's end or within one."""
    if rng.random() < 0.5:
        return [*first[: rng.randrange(len(first)) + 1], *second[rng.randrange(len(second)) :]]
    one, other = b"".join(first), b"".join(second)
    return [one[: rng.randrange(len(one))] + other[rng.randrange(len(other)) :]]


def flipped(rng: random.Random, changed: Pdus) -> Pdus:
    def flip(pdu: bytes) -> bytes:
        damaged = bytearray(pdu)
        for _ in range(rng.choice((1, 1, 2, 8, 40))):
            damaged[rng.randrange(len(pdu))] ^= 1 << rng.randrange(8)
        return bytes(damaged)

    return _one_of(rng, changed, flip)


def overwritten(rng: random.Random, changed: Pdus) -> Pdus:
    """Write bytes that are often special: zeros, ones, control characters, escapes."""

    def overwrite(pdu: bytes) -> bytes:
        written = rng.choice((b"\0", b"\xff", b"\x7f", b"\x80", b"\n", b"\\", b"\x1b$)A")) * rng.choice(
            (1, 2, 8)
        )
        place = rng.randrange(len(pdu))
        return (pdu[:place] + written + pdu[place + len(written) :])[: len(pdu)]

    return _one_of(rng, changed, overwrite)


def truncated(rng: random.Random, changed: Pdus) -> Pdus:
    """End within a PDU, or leave a PDU's end away and go on."""
    place = rng.randrange(len(changed))
    cut = changed[place][: rng.randrange(len(changed[place]) + 1)]
    return [*changed[:place], cut, *([] if rng.random() < 0.5 else changed[place + 1 :])]


def inserted(rng: random.Random, changed: Pdus) -> Pdus:
    def insert(pdu: bytes) -> bytes:
        place = rng.randrange(len(pdu) + 1)
        return pdu[:place] + rng.randbytes(rng.choice((1, 2, 4, 100))) + pdu[place:]

    return _one_of(rng, changed, insert)


def duplicated(rng: random.Random, changed: Pdus) -> Pdus:
    place = rng.randrange(len(changed))
    return [*changed[:place], *[changed[place]] * rng.choice((2, 2, 2, 3, 90)), *changed[place + 1 :]]


def dropped(rng: random.Random, changed: Pdus) -> Pdus:
    place = rng.randrange(len(changed))
    return [*changed[:place], *changed[place + 1 :]]


def swapped(rng: random.Random, changed: Pdus) -> Pdus:
    shuffled = list(changed)
    first, second = rng.randrange(len(shuffled)), rng.randrange(len(shuffled))
    shuffled[first], shuffled[second] = shuffled[second], shuffled[first]
    return shuffled


def retyped(rng: random.Random, changed: Pdus) -> Pdus:
    return _one_of(rng, changed, lambda pdu: bytes([rng.randrange(12)]) + pdu[1:])


def lengthened(rng: random.Random, changed: Pdus) -> Pdus:
    """Let a PDU tell another length than it has."""
    return _one_of(rng, changed, lambda pdu: _with_number(pdu, 2, ">L", _other_length(rng, len(pdu) - 6)))


def with_other_item_length(rng: random.Random, changed: Pdus) -> Pdus:
    """Change the length of an item or sub-item of the association request."""

    def change(pdu: bytes) -> bytes:
        if pdu[:1] != b"\1" or len(pdu) < 78:  # it has no item
            return pdu
        place = rng.choice(list(_items(pdu, 74)))
        length = _other_length(rng, int.from_bytes(pdu[place + 2 : place + 4]))
        return _with_number(pdu, place + 2, ">H", length & 0xFFFF)

    return [change(changed[0]), *changed[1:]]


def with_other_pdv(rng: random.Random, changed: Pdus) -> Pdus:
    """Change a PDV's length, presentation context or control header."""

    def change(pdu: bytes) -> bytes:
        if len(pdu) < 12:
            return pdu
        match rng.randrange(3):
            case 0:
                return _with_number(pdu, 6, ">L", _other_length(rng, len(pdu) - 10))
            case 1:
                return _with_number(pdu, 10, ">B", rng.choice((0, 1, 2, 3, 5, 255)))
            case _:
                return _with_number(
                    pdu, 11, ">B", rng.randrange(256) if rng.random() < 0.2 else rng.randrange(4)
                )

    return _data_pdu(rng, changed, change)


def with_other_element(rng: random.Random, changed: Pdus) -> Pdus:
    """Change the length, tag or value of an element of a command or data set, or drop it."""

    def change(pdu: bytes) -> bytes:
        places = list(_elements(pdu))
        if not places:
            return pdu
        start, length_at, form, end = rng.choice(places)
        match rng.randrange(4):
            case 0:
                changed_pdu = pdu[:start] + pdu[end:]
                return _sized(changed_pdu)
            case 1:
                return pdu[:start] + rng.randbytes(4) + pdu[start + 4 :]
            case 2:
                value = rng.randbytes(end - length_at - struct.calcsize(form))
                return pdu[: end - len(value)] + value + pdu[end:]
            case _:
                size = struct.calcsize(form)
                length = _other_length(rng, end - length_at - size) % 256**size
                return _with_number(pdu, length_at, form, length)

    return _data_pdu(rng, changed, change)


def fragmented(rng: random.Random, changed: Pdus) -> Pdus:
    """Divide each message into PDVs of a few bytes, as a peer may."""
    return [part for pdu in changed for part in _fragments(pdu, rng.choice((1, 7, 50, 500)), rng)]


def pipelined(rng: random.Random, changed: Pdus) -> Pdus:
    """Send all messages several times before the release."""
    first, *messages, last = changed if len(changed) > 2 else [*changed, *changed, *changed]
    return [first, *messages * rng.choice((2, 5)), last]


def _fragments(pdu: bytes, size: int, rng: random.Random) -> Iterator[bytes]:
    if pdu[:1] != bytes([P_DATA]) or len(pdu) < 12 or len(pdu) // size > 300:
        yield pdu
        return
    content, context, control = pdu[12:], pdu[10:11], pdu[11]
    parts = [content[start : start + size] for start in range(0, len(content), size)] or [b""]
    for number, part in enumerate(parts, start=1):
        flag = control if number == len(parts) else control & 1
        yield _sized(bytes([P_DATA, 0]) + bytes(8) + context + bytes([flag]) + part)


def _sized(pdu: bytes) -> bytes:
    """Set the lengths of a PDU and of the one PDV that it holds."""
    return pdu[:2] + struct.pack(">LL", len(pdu) - 6, len(pdu) - 10) + pdu[10:]


def _elements(pdu: bytes) -> Iterator[tuple[int, int, str, int]]:
    """Yield start, place and form of the length, and end of each element of the PDU's one PDV."""
    place = 12
    while place + 8 <= len(pdu):
        vr = pdu[place + 4 : place + 6]
        if not vr.isalpha() or not vr.isupper():
            length_at, form = place + 4, "<L"
        elif vr in {b"SQ", b"UN", b"OB", b"OW", b"UT", b"UC"}:
            length_at, form = place + 8, "<L"
        else:
            length_at, form = place + 6, "<H"
        size = struct.calcsize(form)
        if length_at + size > len(pdu):
            return
        (length,) = struct.unpack(form, pdu[length_at : length_at + size])
        # Into sequences and items, whose length may be unknown, the walk goes on inside.
        is_outer = length == 2**32 - 1 or vr == b"SQ" or pdu[place : place + 2] == b"\xfe\xff"
        end = length_at + size + (0 if is_outer else length)
        if end > len(pdu):
            return
        yield place, length_at, form, end
        place = end


def _items(pdu: bytes, start: int) -> Iterator[int]:
    """Yield where each item begins, and each sub-item of contexts and user information."""
    place = start
    while place + 4 <= len(pdu):
        yield place
        kind = pdu[place]
        inside = {0x20: 8, 0x50: 4}.get(kind)
        place += inside or 4 + int.from_bytes(pdu[place + 2 : place + 4])


def _with_number(pdu: bytes, place: int, form: str, number: int) -> bytes:
    packed = struct.pack(form, number)
    return pdu[:place] + packed + pdu[place + len(packed) :]


def _other_length(rng: random.Random, length: int) -> int:
    return rng.choice((length + 1, max(length - 1, 0), length + 2, length // 2, length * 2, *LENGTHS)) % 2**32


def _one_of(rng: random.Random, changed: Pdus, change: Callable[[bytes], bytes]) -> Pdus:
    place = rng.randrange(len(changed))
    return [*changed[:place], change(changed[place]), *changed[place + 1 :]]


def _data_pdu(rng: random.Random, changed: Pdus, change: Callable[[bytes], bytes]) -> Pdus:
    places = [number for number, pdu in enumerate(changed) if pdu[:1] == bytes([P_DATA])]
    if not places:
        return changed
    place = rng.choice(places)
    return [*changed[:place], change(changed[place]), *changed[place + 1 :]]


MUTATORS: tuple[Mutator, ...] = (
    *(flipped, overwritten, truncated, inserted, duplicated, dropped, swapped, retyped, lengthened),
    *(with_other_item_length, with_other_pdv, with_other_pdv, with_other_element, with_other_element),
    *(with_other_element, fragmented, pipelined),
)


def wrong_lines(log: str) -> list[str]:
    """Return the lines of a server's log that damaged messages must not bring about.

    They are errors of the server itself, and whatever names a participant.
    """
    wrong = ("Traceback", " ERROR ", " CRITICAL ", *MARKERS)
    return [line for line in log.splitlines() if any(each in line for each in wrong)]


def play_all(port: int, seeds: Sequence[int], check: Callable[[], None]) -> None:
    """Play the mutation of each seed, and check the server after every fifty.

    Raises StillOpenError and what `check` raises, with the seeds of which one is the cause.
    """
    recorded = recordings()
    for start in range(0, len(seeds), AT_ONCE):
        some = seeds[start : start + AT_ONCE]
        try:
            for seed in some:
                play(port, mutation(seed, recorded))
            check()
        except Exception as error:
            error.add_note(f"It is one of the seeds {some[0]} to {some[-1]}.")
            raise
