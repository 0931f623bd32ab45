"""Something is done again and again in a thread of its own, for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread


class Repeated:
    """Within it the turn is taken after each pause; one that fails is the turn's own to bear."""

    def __init__(self, every: float, turn: Callable[[], None]) -> None:
        """`every` is the pause between two turns, in seconds."""
        self._every, self._turn = every, turn
        self._ended = Event()
        self._thread = Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            self._turn()
