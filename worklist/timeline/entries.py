"""One thing that happened to an item is an entry of its timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

SOURCE, DEVICE, ARCHIVE = "source:", "device:", "archive:"


class TimelineEntry(NamedTuple):
    """`kind` is for the page's colours, and `about` the row that tells more, where there is one.

    `changes` are lines of their own, and `note` is what somebody wrote of it.
    """

    at: datetime
    kind: str
    text: str
    actor: str = ""
    changes: tuple[str, ...] = ()
    note: str = ""
    about: Any = None


def who(actor: str | None) -> str:
    """Name an actor of the history as people speak of it."""
    if not actor:
        return _("somebody unknown")
    if actor.startswith(SOURCE):
        return _("the source %(name)s") % {"name": actor.removeprefix(SOURCE)}
    if actor.startswith(ARCHIVE):
        return _("the archive %(name)s") % {"name": actor.removeprefix(ARCHIVE)}
    return actor.removeprefix(DEVICE)
