"""Databases are made here as the original's own code made them."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sources.original import reading
from sources.original.reading import OriginalFile

ROOT = "1.2.840.10008.3.1.2.3.4."  # which the original made its UIDs under
WORKLIST = {
    "id": "INTEGER NOT NULL",
    "study_instance_uid": "VARCHAR(100)",
    "patient_name": "VARCHAR(100)",
    "patient_id": "VARCHAR(50)",
    "patient_birth_date": "VARCHAR(8)",
    "patient_sex": "VARCHAR(1)",
    "patient_weight_lb": "VARCHAR(10)",
    "accession_number": "VARCHAR(50)",
    "referring_physician_name": "VARCHAR(100)",
    "modality": "VARCHAR(10)",
    "study_description": "VARCHAR(100)",
    "scheduled_station_aetitle": "VARCHAR(100)",
    "scheduled_start_date": "VARCHAR(8)",
    "scheduled_start_time": "VARCHAR(6)",
    "performing_physician": "VARCHAR(100)",
    "procedure_description": "VARCHAR(200)",
    "protocol_name": "VARCHAR(100)",
    "station_name": "VARCHAR(100)",
    "hisris_coding_designator": "VARCHAR(100)",
    "performed_procedure_step_status": "VARCHAR",
    "data_source": "VARCHAR(255)",
}
USERS = {
    "id": "INTEGER NOT NULL",
    "username": "VARCHAR(50) NOT NULL",
    "email": "VARCHAR(100)",
    "full_name": "VARCHAR(100)",
    "hashed_password": "VARCHAR(255) NOT NULL",
    "role": "VARCHAR(5) NOT NULL",
    "is_active": "BOOLEAN",
    "created_at": "DATETIME",
    "last_login": "DATETIME",
    "created_by": "INTEGER",
}
_numbers = itertools.count(1)


def scheduled(**cells: Any) -> dict[str, Any]:
    """Return a row as the original's REDCap plugin wrote one, of a participant of its own."""
    number = next(_numbers)
    return {
        "study_instance_uid": f"{ROOT}{10**37 + number}",
        "patient_name": f"cpip-id-{number:04}^fa-{number}",
        "patient_id": f"sub_{number:04}_ses_1_fam_{number}_site_792",
        "patient_birth_date": "2012",
        "patient_sex": "2",
        "patient_weight_lb": "100",
        "modality": "MR",
        "scheduled_start_date": "2026-11-29",
        "scheduled_start_time": "09:30",
        "protocol_name": "BRAIN_MRI_3T",
        "performed_procedure_step_status": "SCHEDULED",
        "data_source": "REDCap",
        **cells,
    }


def completed(**cells: Any) -> dict[str, Any]:
    return scheduled(performed_procedure_step_status="COMPLETED", **cells)


def by_people(**cells: Any) -> dict[str, Any]:
    """Return a row as a client of the original's API wrote one."""
    return scheduled(data_source=None, **cells)


def worklist(path: Path, *rows: Mapping[str, Any], without: str = "", wal: bool = False) -> Path:
    """Write the rows, numbered from 1; `without` names a column that an older version had not."""
    columns = {name: kind for name, kind in WORKLIST.items() if name != without}
    return _written(path, "worklist_items", columns, rows, wal=wal)


def users(path: Path, *rows: Mapping[str, Any], wal: bool = False) -> Path:
    return _written(path, "users", USERS, rows, wal=wal)


def _written(
    path: Path, table: str, columns: Mapping[str, str], rows: tuple[Mapping[str, Any], ...], *, wal: bool
) -> Path:
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        if wal:
            database.execute("PRAGMA journal_mode=WAL")
        kinds = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        database.execute(f"CREATE TABLE IF NOT EXISTS {table} ({kinds}, PRIMARY KEY (id))")
        insert(database, table, columns, *rows)
    return path


def insert(
    database: sqlite3.Connection, table: str, columns: Mapping[str, str], *rows: Mapping[str, Any]
) -> None:
    marks = ", ".join("?" * len(columns))
    values = ([row.get(name) for name in columns] for row in rows)
    database.executemany(f"INSERT INTO {table} VALUES ({marks})", values)


def read(path: Path) -> OriginalFile:
    [file] = reading.read(path)
    return file


def person(username: str, hashed_password: str, **cells: Any) -> dict[str, Any]:
    return {
        "username": username,
        "email": f"{username}@example.org",
        "full_name": username.title(),
        "hashed_password": hashed_password,
        "role": "READ",
        "is_active": 1,
        "created_at": "2025-11-18 12:00:00.000000",
        **cells,
    }
