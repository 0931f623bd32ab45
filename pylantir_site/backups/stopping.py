"""Who stops a backup or a restore midway leaves no half of one behind."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from pylantir_site.backups.errors import BackupError


@contextlib.contextmanager
def ending_in_order() -> Iterator[None]:
    """Make of SIGTERM and Ctrl-C a BackupError, so that what was begun is taken away or taken back."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python hears signals in the main thread alone
        return
    heeded = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, _stop) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise BackupError("It was stopped before its end.")
