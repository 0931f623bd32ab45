"""This installation is ready if it can do its work: each part is asked, none believed."""

from __future__ import annotations

import socket
from functools import cache
from typing import Any

from django.conf import settings
from django.db import Error, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from pylantir_site.environment import program
from sources.models import DataSource, WorkerBeat
from sources.sync import health

DICOM_SECONDS = 2.0
UNKNOWN: dict[str, Any] = {"status": "unknown"}


def checks() -> tuple[bool, dict[str, Any]]:
    """Return whether all that is needed works, and what is so of each part."""
    database = _database()
    if database["status"] != "ok":
        unknown = {"migrations": UNKNOWN, "worker": UNKNOWN, "sources": []}
        return False, {"database": database, **unknown, "dicom": _dicom()}
    migrations = _migrations()
    if migrations["status"] != "ok":  # tables may lack what is asked for
        unknown = {"worker": UNKNOWN, "sources": []}
        return False, {"database": database, "migrations": migrations, **unknown, "dicom": _dicom()}
    sources = list(DataSource.objects.filter(enabled=True).select_related("state"))
    found: dict[str, Any] = {
        "database": database,
        "migrations": migrations,
        "worker": _worker(is_needed=bool(sources)),
        "dicom": _dicom(),
        "sources": [_source(source) for source in sources],
    }
    needed = (found[name]["status"] != "failed" for name in ("worker", "dicom"))
    return all(needed), found


def _database() -> dict[str, Any]:
    for alias in settings.DATABASES:
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT 1")
        except Error:  # its text may name a host or a user
            return {"status": "failed", "message": f"The database {alias} does not answer."}
    return {"status": "ok"}


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
    """Tell whether the port takes a connection; what is said there, `manage.py test_client` asks."""
    if not settings.MWL_ADDRESS:
        return {"status": "not checked"}
    host, port = settings.MWL_ADDRESS
    named = {"ae_title": settings.MWL_AETITLE}
    try:
        socket.create_connection((host, port), timeout=DICOM_SECONDS).close()
    except OSError:
        return {"status": "failed", "message": f"Port {port} does not answer.", **named}
    return {"status": "ok", **named}


def _source(source: DataSource) -> dict[str, Any]:
    state = source.state
    at = state.last_success_at
    return {
        "name": source.name,
        "status": "late" if health.is_late(source) else state.state.lower(),
        "last_success_seconds": None if at is None else round((timezone.now() - at).total_seconds()),
    }
