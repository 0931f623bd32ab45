"""A source fails in one of these ways, told apart by what is to be done about it.

Texts are for people: they name what was asked and what to change, never a participant, a token, or what a
server's page holds beyond its title.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta


class SourceError(Exception):
    """A pull cannot go on. `retry_after` is how long to leave the source alone at least."""

    retry_after: timedelta | None = None

    def __init__(self, text: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class TransientError(SourceError):
    """Time may mend it: the server, the network."""


class OverloadError(TransientError):
    """The server did not cope with the request: where that stays so, less may be asked for."""


class SlowError(OverloadError):
    """The answer took longer than anyone waits: asking for as much again takes as long again."""


class TooMuchError(OverloadError):
    """The server says that this was too much, such as for its memory: ask for less at once."""


class ConfigurationError(SourceError):
    """Only a person can mend it, here or at the source: a URL, a field's name, export rights."""


class HeldError(SourceError):
    """What the source says is not believed until a person has looked."""


class AuthorisationError(SourceError):
    """The token is not let in, or no longer, or there is none that could be sent."""


class TokenRefused(AuthorisationError):
    """The source itself says so: where it keeps to that, it is left alone until a person acts."""


class WriteRefused(SourceError):
    """The source refuses one write and would take another: `reasons` are (field, why), the field "" for all.

    `why` is one of LOCKED, INVALID, UNKNOWN_FIELD, GONE and REFUSED. Neither it nor the text holds a value.
    """

    def __init__(self, text: str, reasons: Sequence[tuple[str, str]]) -> None:
        super().__init__(text)
        self.reasons = tuple(reasons)
