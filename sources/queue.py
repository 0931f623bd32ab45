"""The worker's queue is looked at here, wherever it is kept: in the database, or in Redis."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.signals import post_spawn
from django_q.signing import SignedPackage

from pylantir_site.counting import keeping, measures


class QueueState(NamedTuple):
    """So many tasks wait for the worker; `oldest` is when the first of them was queued."""

    number: int
    oldest: datetime | None


def count_starts() -> None:
    """Have each process of the worker counted as it begins; after so many tasks another follows it."""
    post_spawn.connect(_count_start, dispatch_uid="sources.queue")


def _count_start(**kwargs: Any) -> None:
    measures.STARTS.add("worker")
    keeping.keep()


def waiting() -> QueueState | None:
    """Return what waits, None where the queue cannot be asked. Raises django.db.Error."""
    return _in_redis() if "redis" in settings.Q_CLUSTER else _in_database()


def _in_database() -> QueueState:
    """What a worker has fetched is locked until it would be tried again; before, `lock` is the queueing."""
    found = OrmQ.objects.filter(lock__lte=timezone.now()).aggregate(number=Count("pk"), oldest=Min("lock"))
    return QueueState(found["number"], found["oldest"])


def _in_redis() -> QueueState | None:
    from redis.exceptions import RedisError  # its package takes 6 MB, and is loaded where a queue is in Redis

    try:
        broker = get_broker()
        number = broker.queue_size()
        first = broker.connection.lindex(broker.list_key, 0)
    except RedisError:
        return None
    return QueueState(number, SignedPackage.loads(first.decode())["started"] if first else None)
