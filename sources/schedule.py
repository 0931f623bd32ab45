"""Every migration keeps django-q2's schedules, by which the worker looks for what is due, as they must be.

Which source is pulled when is in `SourceState.next_pull_at` alone, and when an archive is asked in its state.
A schedule has whole minutes, so two of them, half a minute apart, make a look every 30 seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from django.db import connections, router, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_q.models import Schedule, Task

PRUNE_AT = time(3)  # in the night, here


class Kept(NamedTuple):
    func: str
    fields: dict[str, Any]
    first: Callable[[datetime], datetime]


def _at_night(now: datetime) -> datetime:
    tomorrow = timezone.localdate(now) + timedelta(days=1)
    return timezone.make_aware(datetime.combine(tomorrow, PRUNE_AT))


MINUTELY = {"schedule_type": Schedule.MINUTES, "minutes": 1}
SCHEDULES = {
    "pull due sources": Kept("sources.tasks.pull_due", MINUTELY, lambda now: now),
    "pull due sources, half a minute on": Kept(
        "sources.tasks.pull_due", MINUTELY, lambda now: now + timedelta(seconds=30)
    ),
    "ask archives": Kept("sources.tasks.ask_archives", MINUTELY, lambda now: now + timedelta(seconds=15)),
    "prune": Kept("sources.tasks.prune", {"schedule_type": Schedule.DAILY, "minutes": None}, _at_night),
}


def ensure(*, using: str = "default") -> None:
    """Make exactly SCHEDULES for this app; those that are right keep their next run."""
    now = timezone.now()
    with transaction.atomic(using=using):
        rows = list(Schedule.objects.using(using).filter(func__startswith="sources."))
        for name, kept in SCHEDULES.items():
            found = next((row for row in rows if row.name == name), None)
            if found:
                rows.remove(found)
            _set_right(found or Schedule(name=name, next_run=kept.first(now)), kept, using=using)
        for surplus in rows:
            surplus.delete()


def _set_right(row: Schedule, kept: Kept, *, using: str) -> None:
    wanted = {"func": kept.func, "repeats": -1, **kept.fields}
    if row.pk is None or any(getattr(row, field) != value for field, value in wanted.items()):
        vars(row).update(wanted)
        row.save(using=using)


def ensure_after_migrate(*, using: str, **kwargs: Any) -> None:
    """Take Django's signal post_migrate; a part of the migrations may have been asked for."""
    table = Schedule._meta.db_table
    if (
        router.allow_migrate_model(using, Schedule)
        and table in connections[using].introspection.table_names()
    ):
        ensure(using=using)


def finished_tasks() -> QuerySet[Task]:
    """Return what django-q2 keeps of tasks that ended, well or ill."""
    tasks: QuerySet[Task] = Task.objects.all()
    return tasks
