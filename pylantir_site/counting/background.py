"""A process that serves no scanner keeps its counts by a thread of its own."""

from __future__ import annotations

import threading

from django.conf import settings
from django.db import connections

from pylantir_site.counting import measures


def keep_in_background(*, process: str) -> None:
    """Count that a process of this kind has started, and keep its counts for as long as it lives."""
    measures.STARTS.add(process)
    if settings.METRICS_INTERVAL:
        threading.Thread(
            target=_keep_for_ever, args=(threading.Event(),), name="counting", daemon=True
        ).start()


def _keep_for_ever(stopped: threading.Event) -> None:
    from pylantir_site.counting.keeping import keep  # it needs the models, and wsgi imports this before them

    while not stopped.is_set():
        keep()
        connections.close_all()
        stopped.wait(settings.METRICS_INTERVAL)
