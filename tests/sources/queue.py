"""The worker's queue is in the tests' own database, and is worked off in the test's own process."""

from __future__ import annotations

from pydoc import locate
from typing import Any

from django_q.models import OrmQ


def queued() -> list[tuple[str, tuple[Any, ...]]]:
    """Return function and arguments of each task that waits."""
    return [(task.func(), task.args()) for task in OrmQ.objects.order_by("pk")]


def work_off(*, most: int = 10) -> list[Any]:
    """Run what waits, and what that queues, in order; return the results."""
    results: list[Any] = []
    while (task := OrmQ.objects.order_by("pk").first()) and len(results) < most:
        function, arguments = locate(task.func()), task.args()
        task.delete()
        assert callable(function)
        results.append(function(*arguments))
    return results
