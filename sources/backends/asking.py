"""A backend that asks a server has a client, which is opened with it, counts for it and waits as it waits."""

from __future__ import annotations

import time
from datetime import timedelta
from types import TracebackType
from typing import Protocol, Self

from sources.backends.mapped import MappedBackend


class SourceClient(Protocol):
    """It is what asks a server, as a context manager. Its methods raise sources.errors.SourceError."""

    @property
    def requests(self) -> int: ...

    @property
    def skew(self) -> timedelta | None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class AskingBackend(MappedBackend):
    """It is what backends share that ask a server; each brings its own `client`, made with `wait`."""

    client: SourceClient

    def __enter__(self) -> Self:
        self.client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.client.__exit__(kind, error, traceback)

    @property
    def requests(self) -> int:
        return self.client.requests

    @property
    def skew(self) -> timedelta | None:
        return self.client.skew

    def wait(self, seconds: float) -> None:
        """Wait before a request is tried again, and tell that the pull is alive."""
        self.alive()
        time.sleep(seconds)
        self.alive()
