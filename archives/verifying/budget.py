"""A round asks an archive only so much, and holds the worker only so long: pulls wait behind it."""

from __future__ import annotations

import time

from archives.contract import ArchiveClient

SECONDS = 20.0


class QuestionBudget:
    """It counts what is left of one round's questions and time."""

    def __init__(self, client: ArchiveClient, questions: int, *, seconds: float = SECONDS) -> None:
        self._client = client
        self._most = client.questions + questions
        self._end = time.monotonic() + seconds

    @property
    def is_spent(self) -> bool:
        return self._client.questions >= self._most or time.monotonic() >= self._end
