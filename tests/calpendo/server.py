"""A stand-in Calpendo speaks real HTTP on loopback, has bookings in memory, and fails on demand."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Literal
from urllib.parse import parse_qs, unquote
from zoneinfo import ZoneInfo

from tests.calpendo import grammar, shapes
from tests.calpendo.bookings import EEG, T3, Booking, Named
from tests.calpendo.grammar import Compared, Misread
from tests.calpendo.http import CalpendoHandler
from tests.calpendo.shapes import Shape
from tests.redcap.answers import Answer
from tests.redcap.failures import ON_THE_WIRE, Failure, page, spoiled
from tests.redcap.http import HTTPServer
from tests.redcap.log import Clock

__all__ = ["Booking", "CalpendoServer", "Failure", "Named", "Request", "Shape", "Switches"]

ZONE = ZoneInfo("America/Edmonton")
USER, PASSWORD = "pylantir", "pässword: 1"
BOOKING = "Calpendo.Booking"


@dataclass(frozen=True)
class Switches:
    """Nobody has written down which way Calpendo does these: a client must work with all of them."""

    literals: frozenset[str] = frozenset({"-"})  # what stands between date and time
    wrong_literal: Literal["refused", "fails", "nothing", "everything"] = "refused"
    unknown_path: Literal["null", "refused"] = "null"
    slashes: Literal["taken", "refused"] = "taken"  # as %2F in a value
    forbidden: frozenset[str] = frozenset()  # types that the user may not read


@dataclass(frozen=True)
class Request:
    path: str  # as it was sent, behind /webdav/
    paths: tuple[str, ...]
    is_signed_in: bool

    @property
    def expression(self) -> str:
        return self.path.partition("/")[2].partition("/")[2]


@dataclass
class _Planned:
    failure: Failure
    times: int
    asked: str


class _Refused(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


@dataclass
class CalpendoServer:
    """It serves from construction until it is closed, or as a context manager.

    `drops` are paths that its answers lack, as where rights are missing. Closing raises what went wrong in
    the stand-in itself.
    """

    bookings: list[Booking] = field(default_factory=list)
    resources: list[Named] = field(default_factory=lambda: [T3, EEG])
    shape: Shape = field(default_factory=Shape)
    switches: Switches = field(default_factory=Switches)
    zone: ZoneInfo = ZONE
    moved_to: str = ""
    drops: frozenset[str] = frozenset()
    drip: float = 1.0

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.closing = Event()
        self.errors: list[BaseException] = []
        self.requests: list[Request] = []
        self._lock = Lock()
        self._failures: deque[_Planned] = deque()
        self._http = HTTPServer(self, None, 0, CalpendoHandler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/calpendo"
        self._thread = Thread(target=self._http.serve_forever, args=(0.005,), daemon=True)
        self._thread.start()

    def __enter__(self) -> CalpendoServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is None and self.errors:
            raise self.errors[0]

    def close(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.hang_up()
        self._http.server_close()
        self._thread.join()

    def booking(self, number: int) -> Booking:
        return next(each for each in self.bookings if each.id == number)

    def fail(self, failure: Failure, *, times: int = 1, asked: str = "") -> None:
        """Spoil the next requests whose path begins with `asked`, such as `q/`."""
        with self._lock:
            self._failures.append(_Planned(failure, times, asked))

    def recover(self) -> None:
        with self._lock:
            self._failures.clear()

    def received(self, sent: str, authorization: str) -> tuple[Answer, Failure | None]:
        """Return the answer to a GET, and what is to go wrong as it is sent."""
        path, _, query = sent.partition("?")
        below = path.removeprefix("/calpendo/webdav/")
        paths = tuple(parse_qs(query).get("paths", [""])[0].split(",")) if query else ()
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        is_signed_in = authorization == f"Basic {expected}"
        with self._lock:
            self.requests.append(Request(below, paths, is_signed_in))
            failure = self._next_failure(below)
        right = self._answered(below, paths) if is_signed_in and below != path else None
        if right is None:
            missing = page("404", "Not found", 404)
            right = missing if is_signed_in else page("401 Unauthorized", "Who is it?", 401)
        return (
            (spoiled(right, failure), failure if failure in ON_THE_WIRE else None)
            if failure
            else (right, None)
        )

    def found(self, expression: str) -> list[Booking]:
        """Return the bookings that an expression of a path means. Raises grammar.Misread."""
        tree = grammar.read(expression)
        return [each for each in self.bookings if grammar.holds(tree, self._compares(each))]

    def _answered(self, below: str, paths: tuple[str, ...]) -> Answer | None:
        verb, _, rest = below.partition("/")
        kind, _, more = rest.partition("/")
        try:
            self._refuse(unquote(kind), more, paths)
            if verb == "q":
                return self._listed(unquote(kind), more, paths)
            return self._object(unquote(kind), unquote(more)) if verb == "b" else None
        except _Refused as refused:
            return refused.answer
        except (Misread, KeyError):
            return page("400 Bad Request", "The expression cannot be read.", 400)

    def _refuse(self, kind: str, more: str, paths: Iterable[str]) -> None:
        if kind in self.switches.forbidden:
            raise _Refused(page("403 Forbidden", "No right.", 403))
        if "%2F" in more.upper() and self.switches.slashes == "refused":
            raise _Refused(page("400 Bad Request", "Invalid URI.", 400))
        known = {"Operator.name", *_known_paths()}
        if self.switches.unknown_path == "refused" and set(paths) - known:
            raise _Refused(page("500 Internal Server Error", "No such property.", 500))

    def _listed(self, kind: str, expression: str, paths: tuple[str, ...]) -> Answer:
        try:
            found = self.found(expression)
        except _EverythingMeant:
            found = self.bookings
        except _NothingMeant:
            found = []
        found = [each for each in found if kind in (BOOKING, each.kind)]
        return _json({"biskits": [self._shown(each, paths) for each in found]})

    def _shown(self, booking: Booking, paths: tuple[str, ...]) -> dict[str, Any]:
        asked = [path for path in paths if path not in self.drops]
        if not paths:
            everything = shapes.whole(booking, self.shape, self.zone)
            return {name: value for name, value in everything.items() if name != "properties"}
        return shapes.with_paths(booking, asked, self.shape, self.zone)

    def _object(self, kind: str, number: str) -> Answer | None:
        if kind == "Calpendo.Resource" and not number:
            return _json({"biskits": [each.as_json() for each in self.resources]})
        booking = next((each for each in self.bookings if str(each.id) == number), None)
        return _json(shapes.whole(booking, self.shape, self.zone)) if booking else None

    def _compares(self, booking: Booking) -> Callable[[Compared], bool]:
        def compares(compared: Compared) -> bool:
            left, right = booking.at(compared.path), self._value(compared)
            return left is not None and grammar.RELATIONS[compared.relation](left, right)

        return compares

    def _value(self, compared: Compared) -> Any:
        if compared.path == "id":
            return int(compared.value)
        return self._moment(compared.value) if compared.path.startswith("dateRange.") else compared.value

    def _moment(self, text: str) -> datetime:
        if text[8:9] in self.switches.literals:
            return datetime.strptime(text.replace(text[8], " "), "%Y%m%d %H%M")
        match self.switches.wrong_literal:
            case "refused":
                raise Misread(text)
            case "fails":
                raise _Refused(page("500 Internal Server Error", "NullPointerException", 500))
            case "nothing":
                raise _NothingMeant
        raise _EverythingMeant

    def _next_failure(self, below: str) -> Failure | None:
        for planned in self._failures:
            if below.startswith(planned.asked):
                planned.times -= 1
                if not planned.times:
                    self._failures.remove(planned)
                return planned.failure
        return None


class _NothingMeant(Exception):
    pass


class _EverythingMeant(Exception):
    pass


def _known_paths() -> frozenset[str]:
    return frozenset(
        {"id", "title", "status", "cancelled", "description", "created", "modified", "formattedName"}
        | {"dateRange.start", "dateRange.finish", "resource.name", "project.name", "owner.name"}
        | {"project.formattedName", "project.id", "durationInMinutes", "resource.formattedName"}
    )


def _json(content: object) -> Answer:
    return Answer(200, json.dumps(content, ensure_ascii=False).encode(), "application/json;charset=UTF-8")
