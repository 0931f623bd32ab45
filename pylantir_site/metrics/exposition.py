"""All that is shown is put together here, in Prometheus' text format."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from django.db import Error
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from pylantir_site.counting import keeping
from pylantir_site.metrics import kept, machine, stored
from pylantir_site.metrics.families import Family, one

logger = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OF_DATABASE: tuple[Callable[[], Iterator[Family]], ...] = (kept.families, stored.families, machine.families)


def text() -> bytes:
    """Return the exposition; while the database does not answer, what can be told without it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected())
    return generate_latest(registry)


class _Collected(Collector):
    def collect(self) -> Iterator[Family]:
        yield from machine.families_without_database()
        try:
            keeping.keep()  # what this very process has counted
            found = [family for families in OF_DATABASE for family in families()]
        except Error as error:
            logger.error("Metrics cannot be read from the database: %s", type(error).__name__)
            yield _database(up=False)
            return
        yield _database(up=True)
        yield from found


def _database(*, up: bool) -> Family:
    return one("database_up", "1 where the database answers.", up)
