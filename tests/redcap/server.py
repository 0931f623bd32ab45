"""A stand-in REDCap server speaks real HTTP on loopback, has projects in memory, and fails on demand.

It answers as a REDCap server does, its errors and silences included; `Switches` has what is not known.
`python -m tests.redcap.server --study cpip` serves one until it is stopped.
"""

from __future__ import annotations

import ssl
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from threading import Event as Signal
from threading import Lock, Thread
from types import TracebackType
from typing import get_args

from tests.redcap.answers import (
    Answer,
    DateRangeRows,
    Limits,
    OutOfMemory,
    Parameters,
    RecordsPlusDateRange,
    Switches,
)
from tests.redcap.export import answer, is_import
from tests.redcap.failures import BANNED, ON_THE_WIRE, Failure, spoiled
from tests.redcap.http import PATH, HTTPServer
from tests.redcap.project import Clock, Project, User
from tests.redcap.trigger import SURVEY_RESPONDENT, test_trigger, trigger, trigger_form

__all__ = [
    "ALL_SWITCHES", "SURVEY_RESPONDENT", "Clock", "Failure", "Limits", "Project", "RedcapServer", "Request",
    "Switches", "User", "test_trigger", "trigger", "trigger_form",
]  # fmt: skip

MINUTE = timedelta(minutes=1)


def _all_switches() -> tuple[Switches, ...]:
    """Return every pair of the two that decide which rows come back, with the others in turn."""
    pairs = product(get_args(DateRangeRows), get_args(RecordsPlusDateRange))
    others = (
        Switches(),
        Switches(id_only_rows="first", blank_checkbox="", quiet_changes="seen"),
        Switches(unknown_token_status=401, content_type="text/html; charset=utf-8"),
    )
    return tuple(
        replace(others[number % len(others)], daterange_rows=rows, records_plus_daterange=together)
        for number, (rows, together) in enumerate(pairs)
    )


ALL_SWITCHES = _all_switches()


@dataclass(frozen=True)
class Request:
    """A request came in; its parameters are as they were sent, the token left out."""

    content: str
    params: dict[str, str]
    at: datetime
    parameters: Parameters
    user_agent: str = ""

    def values(self, name: str) -> list[str]:
        """Return an array parameter: `request.values("records")`."""
        return self.parameters.values(name)


@dataclass
class _Planned:
    failure: Failure
    times: int
    content: str | None
    after: int
    is_before: bool


class RedcapServer(Limits):
    """It serves from construction until it is closed, or as a context manager.

    Its clock is the first project's, and from then on every project's: the `Date` header, the log and date
    ranges come from it. `drip` is the seconds between two bytes of a SLOW_DRIP, `overload` what comes where
    its limits are passed. With `moved_to`, every request is redirected there. Closing raises what went wrong
    in the stand-in itself.
    """

    def __init__(
        self,
        *projects: Project,
        ssl_context: ssl.SSLContext | None = None,
        port: int = 0,
        switches: Switches = Switches(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__()
        self.projects = list(projects)
        self.switches = switches
        self.clock = projects[0].clock if projects else Clock()
        self.requests: list[Request] = []
        self.drip = 1.0
        self.overload = Failure.OUT_OF_MEMORY
        self.moved_to = ""
        self.closing = Signal()
        self.errors: list[BaseException] = []
        self._lock = Lock()
        self._failures: deque[_Planned] = deque()
        self._actions: list[tuple[str, Callable[[], None]]] = []
        self._is_banned = False
        self._forgiven = 0  # how many requests came before the last unban
        self._http = HTTPServer(self, ssl_context, port)
        scheme = "https" if ssl_context else "http"
        self.url = f"{scheme}://127.0.0.1:{self._http.server_port}{PATH}"
        for project in self.projects:
            project.clock = self.clock
            project.base_url = self.url.removesuffix("api/")
        self._thread = Thread(target=self._http.serve_forever, args=(0.005,), daemon=True)
        self._thread.start()

    def __enter__(self) -> RedcapServer:
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

    def fail(
        self,
        failure: Failure,
        *,
        times: int = 1,
        content: str | None = None,
        after: int = 0,
        is_before: bool = False,
    ) -> None:
        """Spoil the next `times` requests (of a content, if one is given), once `after` have gone well.

        An import is of the content "import", and is stored all the same unless the failure comes before.
        """
        with self._lock:
            self._failures.append(_Planned(failure, times, content, after, is_before))

    def recover(self) -> None:
        """Forget the failures that have not happened yet."""
        with self._lock:
            self._failures.clear()

    def before(self, content: str, action: Callable[[], None]) -> None:
        """Do something once, just before the next request of that content is answered.

        Of several for one content, each next request has one, in turn.
        """
        with self._lock:
            self._actions.append((content, action))

    def unban(self) -> None:
        with self._lock:
            self._is_banned = False
            self._forgiven = len(self.requests)

    def received(self, parameters: Parameters, user_agent: str) -> tuple[Answer, Failure | None]:
        """Return the answer to a form, and what is to go wrong as it is sent."""
        content = "import" if is_import(parameters) else parameters.get("content")
        with self._lock:
            now = self.clock.now()
            kept = parameters.without_token()
            self.requests.append(Request(content, dict(kept.pairs), now, kept, user_agent))
            if self._bans(now):
                return BANNED, None
            planned = self._next_failure(content)
            action = self._next_action(content)
        if action is not None:
            action()
        if planned and planned.is_before:
            return self._spoiled(Answer(200, b"[]"), planned.failure)
        right, overload = self._answer(parameters)
        return self._spoiled(right, planned.failure if planned else overload)

    def _spoiled(self, right: Answer, failure: Failure | None) -> tuple[Answer, Failure | None]:
        if failure is None:
            return right, None
        return spoiled(right, failure), failure if failure in ON_THE_WIRE else None

    def _answer(self, parameters: Parameters) -> tuple[Answer, Failure | None]:
        """Return what would be answered, and what comes instead where that is too much."""
        try:
            return answer(self.projects, parameters, switches=self.switches, limits=self), None
        except OutOfMemory:
            right = answer(self.projects, parameters, switches=self.switches, limits=Limits())
            return right, self.overload

    def _bans(self, now: datetime) -> bool:
        if self.ban_over is not None and not self._is_banned:
            recent = [each for each in self.requests[self._forgiven :] if each.at > now - MINUTE]
            self._is_banned = len(recent) > self.ban_over
        return self._is_banned

    def _next_action(self, content: str) -> Callable[[], None] | None:
        for number, (wanted, action) in enumerate(self._actions):
            if wanted == content:
                del self._actions[number]
                return action
        return None

    def _next_failure(self, content: str) -> _Planned | None:
        for planned in self._failures:
            if planned.content not in {None, content}:
                continue
            if planned.after:
                planned.after -= 1
                continue
            planned.times -= 1
            if not planned.times:
                self._failures.remove(planned)
            return planned
        return None


if __name__ == "__main__":
    from tests.redcap.main import main

    main(sys.argv[1:])
