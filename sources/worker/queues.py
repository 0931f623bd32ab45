"""django-q2's worker takes tasks from a queue and puts results into one: here both are its broker itself.

In its own cluster a process each, its pusher and its monitor, stand between. Here their functions are called
for one task at a time: a task is taken only when the worker is free, so none waits behind a long one while
another worker has nothing to do, and none that was fetched ahead is lost with a worker that dies.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from django_q.brokers import Broker
from django_q.monitor import monitor
from django_q.pusher import pusher

Task = dict[str, Any]
STOP = "STOP"  # what ends django-q2's loops


class Tasks:
    """The worker's queue of tasks: it asks the broker until there is one, or a stop."""

    def __init__(self, broker: Broker, stopping: threading.Event) -> None:
        self._broker, self._stopping = broker, stopping
        self._fetched: deque[Task] = deque()

    def get(self) -> Task | str:
        while not self._fetched:
            if self._stopping.is_set():
                return STOP
            pusher(self, ONCE, self._broker)
        return self._fetched.popleft()

    def put(self, task: Task) -> None:
        self._fetched.append(task)


class Results:
    """The worker's queue of results: each is saved, and its task acknowledged, at once."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def put(self, task: Task) -> None:
        monitor(_Only(task), self._broker)


class _Only:
    """A queue with one result and its end."""

    def __init__(self, task: Task) -> None:
        self._left: list[Task | str] = [STOP, task]

    def get(self) -> Task | str:
        return self._left.pop()


class _IsSet:
    """It lets django-q2's pusher ask its broker once."""

    def is_set(self) -> bool:
        return True


ONCE = _IsSet()


class Timer:
    """What django-q2's worker says of itself: seconds that its task may take, or one of these."""

    IDLE, TIMED_OUT, RECYCLED = -1, 0, -2

    def __init__(self) -> None:
        self.value: float = self.IDLE
        self._lock = threading.RLock()

    def get_lock(self) -> threading.RLock:
        return self._lock

    def is_busy(self) -> bool:
        return self.value > self.TIMED_OUT
