"""One look fills the outbox, then empties it; neither hinders the other, nor anybody else."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pylantir_site.database import fault_log
from pylantir_site.notices import outbox, sending

log = logging.getLogger(__name__)


def sweep() -> None:
    """Tell what is to be told; several processes may do so at once. Nothing is raised."""
    for what, act in (("Looking for notices", outbox.fill), ("Sending notices", sending.send_due)):
        _contained(what, act)


def _contained(what: str, act: Callable[[], int]) -> None:
    try:
        act()
    except Exception as error:
        fault_log.log.tell_failure(log, f"{what} failed", error)
