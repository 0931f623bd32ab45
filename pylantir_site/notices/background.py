"""The web server looks every half minute for what is to be told, in a thread of its own.

Not the worker, which could not tell that it is not running, and not the DICOM server, which has scanners to
serve. So a mail server that hangs keeps nobody waiting but other notices.
"""

from __future__ import annotations

import threading

from django.db import connections
from django.utils.module_loading import import_string

INTERVAL = 30.0  # seconds
# The worker and its first pulls begin with the web server, and must not be missed before they could.
FIRST_LOOK = 180.0


def notify_in_background() -> None:
    """Start the thread, which lives as long as the process."""
    threading.Thread(target=_for_ever, args=(threading.Event(),), name="notices", daemon=True).start()


def _for_ever(stopped: threading.Event) -> None:
    wait = FIRST_LOOK
    while not stopped.wait(wait):
        wait = INTERVAL
        import_string("pylantir_site.notices.sweeping.sweep")()
        connections.close_all()
