"""This installation is ready if it can do its work: each part is asked, none believed."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from pylantir_site.environment import program
from pylantir_site.overview import probes
from sources.models import DataSource, WorkerBeat
from sources.sync import health

UNKNOWN: dict[str, Any] = {"status": "unknown"}
NEEDED = ("database", "disk", "worker", "dicom")


def checks() -> tuple[bool, dict[str, Any]]:
    """Return whether all that is needed works, and what is so of each part."""
    apart = {"disk": _disk(), "dicom": _dicom()}
    database = _part(probes.database_answers())
    if database["status"] != "ok":
        unknown = {"migrations": UNKNOWN, "worker": UNKNOWN, "sources": []}
        return False, {"database": database, **unknown, **apart}
    migrations = _migrations()
    if migrations["status"] != "ok":  # tables may lack what is asked for
        unknown = {"worker": UNKNOWN, "sources": []}
        return False, {"database": database, "migrations": migrations, **unknown, **apart}
    sources = list(DataSource.objects.filter(enabled=True).select_related("state"))
    found: dict[str, Any] = {
        "database": _part(probes.database_takes_writes()),
        "migrations": migrations,
        "worker": _worker(is_needed=bool(sources)),
        **apart,
        "sources": [_source(source) for source in sources],
    }
    return all(found[name]["status"] != "failed" for name in NEEDED), found


def _part(failure: str) -> dict[str, Any]:
    return {"status": "failed", "message": failure} if failure else {"status": "ok"}


def _disk() -> dict[str, Any]:
    least, free = settings.DISK_FREE_MINIMUM_MB, probes.free_megabytes()
    if not least or free is None:
        return {"status": "not checked"}
    failure = f"{free} MB are free, and {least} must be: DISK_FREE_MINIMUM_MB." if free < least else ""
    return {**_part(failure), "free_mb": free}


def _migrations() -> dict[str, Any]:
    pending = sum(_pending(alias) for alias in settings.DATABASES)
    if pending:
        way = f"run `{program.name()} migrate`"
        return {"status": "failed", "message": f"{pending} migrations are pending: {way}."}
    return {"status": "ok"}


def _pending(alias: str) -> int:
    if alias in _migrated():
        return 0
    executor = MigrationExecutor(connections[alias])
    pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if not pending:
        _migrated().add(alias)
    return pending


@cache
def _migrated() -> set[str]:
    """Return the databases that had every migration: this process's code asks for no more."""
    return set()


def _worker(*, is_needed: bool) -> dict[str, Any]:
    beat = WorkerBeat.objects.order_by("-at").first()
    trouble = health.worker_trouble()
    seen = round((timezone.now() - beat.at).total_seconds()) if beat else None
    status = "ok" if not trouble else "failed" if is_needed else "not needed"
    return {"status": status, "last_seen_seconds": seen}


def _dicom() -> dict[str, Any]:
    if not settings.MWL_ADDRESS:
        return {"status": "not checked"}
    return {**_part(probes.dicom_answers(*settings.MWL_ADDRESS)), "ae_title": settings.MWL_AETITLE}


def _source(source: DataSource) -> dict[str, Any]:
    state = source.state
    at = state.last_success_at
    return {
        "name": source.name,
        "status": "late" if health.is_late(source) else state.state.lower(),
        "last_success_seconds": None if at is None else round((timezone.now() - at).total_seconds()),
    }
