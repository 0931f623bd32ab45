"""Readiness believes nothing: here it writes, looks at the disk, and asks the DICOM server."""

from __future__ import annotations

import secrets
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction
from django.db.models import Model
from django.utils import timezone

from pylantir_site.database.faults import fault_of
from sources.models import WorkerBeat

MEGABYTE = 1_000_000
DICOM_SECONDS = 2.0


def database_answers() -> str:
    """Return why a database cannot be read; empty where all can.

    The texts of errors are never told: they may name a host or a user.
    """
    for alias in settings.DATABASES:
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT 1")
        except Error as error:
            return _told(alias, error)
    return ""


def database_takes_writes() -> str:
    """Return why nothing can be stored; empty where a row was, and was taken back before anybody saw it.

    The transaction is committed: a full disk shows only then.
    """
    for alias in settings.DATABASES:
        row = _row(alias)
        try:
            with transaction.atomic(using=alias):
                row.save(using=alias, force_insert=True)
                row.delete(using=alias)
        except Error as error:
            return _told(alias, error)
    return ""


def free_megabytes() -> int | None:
    """Return what is free on the fullest disk of those with files of the site, None if none can be asked."""
    found = []
    for folder in set(_folders()):
        try:
            found.append(shutil.disk_usage(folder).free // MEGABYTE)
        except OSError:
            continue
    return min(found, default=None)


def dicom_answers(host: str, port: int) -> str:
    """Return why the DICOM server does not answer C-ECHO; empty where it does.

    One that takes TLS alone is only connected to: it may ask for a certificate.
    """
    if settings.MWL_ADDRESS_TLS:
        return _refuses_connections(host, port)
    from worklist.scp import own_echo  # pynetdicom is for those who ask

    outcome = own_echo.ask(host, port)
    return "" if outcome.succeeded else outcome.sentence


def _refuses_connections(host: str, port: int) -> str:
    try:
        socket.create_connection((host, port), timeout=DICOM_SECONDS).close()
    except OSError:
        return f"Port {port} does not answer."
    return ""


def _row(alias: str) -> Model:
    """Return a row that nobody looks for, of a table that is in this database."""
    if alias == DEFAULT_DB_ALIAS:
        return WorkerBeat(pk=-1 - secrets.randbelow(2**31), at=timezone.now())
    return Session(session_key=f"ready{secrets.token_hex(16)}"[:40], expire_date=timezone.now())


def _folders() -> Iterator[Path]:
    yield Path(settings.DATA_DIR)
    for database in settings.DATABASES.values():
        if database["ENGINE"] == "django.db.backends.sqlite3":
            yield Path(database["NAME"]).parent


def _told(alias: str, error: Error) -> str:
    fault = fault_of(error)
    return f"The database {alias} {fault.value if fault else 'failed'}."
