"""A database of each version that landed, with a row in every table, upgrades to this one and loses nothing.

What migrations of data make of what they find is in tests/worklist/test_migrations.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps as present_apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from pytest_django.plugin import DjangoDbBlocker

from pylantir_site.backups import making
from tests.effort import rounds
from tests.site.fresh import manage
from tests.supply import contents, databases, filling

State = dict[str, str]
# The newest migration of each app in each state that was on the main branch, the oldest first.
LANDED: list[State] = [
    {"accounts": "0001_initial", "worklist": "0001_initial"},
    {"worklist": "0002_performed_steps"},
    {"sources": "0001_initial"},
    {"accounts": "0002_sign_in_failures_and_api_requests"},
    {"worklist": "0003_devices"},
    {"worklist": "0005_doubtful_ids"},
    {"sources": "0002_sources_name_a_scanner"},
    {"worklist": "0006_attention_names_for_people"},
    {"worklist": "0007_search_words"},
    {"worklist": "0008_devices_may_have_iso_2022_ir_58"},
    {"worklist": "0009_reports_of_scanners"},
    {"sources": "0003_what_waits_for_a_person"},
    {"sources": "0004_a_row_used_again"},
    {"sources": "0005_what_came_from_the_original"},
    {"sources": "0006_known_dictionaries"},
    {"sources": "0007_clock_and_refusals"},
    {
        "accounts": "0003_roles_are_called_what_people_are",
        "notices": "0001_initial",
        "sources": "0009_edited_marks",
        "worklist": "0012_plots_and_texts_of_devices",
    },
    {"worklist": "0014_calendar_feeds"},
    {"worklist": "0015_names_for_people"},
    {"worklist": "0016_lists_by_time"},
    {
        "accounts": "0006_admin_log_by_keys",
        "counting": "0001_counts_of_all_processes",
        "privacy": "0001_erasures",
        "sources": "0013_identifying_fields",
        "worklist": "0018_data_sets_that_are_json_already",
    },
    {"sources": "0017_guards_of_identity", "worklist": "0020_values_in_lists"},
    {
        "archives": "0002_states_of_archives",
        "notices": "0003_qa_scans_overdue",
        "sources": "0019_naming_rules",
        "worklist": "0023_phantoms_and_qa_scans",
    },
    {
        "archives": "0003_archives_of_pseudonyms",
        "notices": "0004_what_is_written_back_and_kinds_added_later",
    },
]


@pytest.fixture
def empty_database(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let Django's connection lead to a database without tables, and back to the tests' own afterwards."""
    with databases.own(tmp_path) as variables, django_db_blocker.unblock():
        before = connection.settings_dict["NAME"]
        connection.close()
        url = variables.get("DATABASE_URL")
        connection.settings_dict["NAME"] = url.rpartition("/")[2] if url else variables["DB_PATH"]
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = before


def reached(number: int) -> list[tuple[str, str]]:
    """Return the newest migration of each app in that state."""
    found: State = {}
    for state in LANDED[: number + 1]:
        found.update(state)
    return sorted(found.items())


def fill(number: int) -> list[filling.Row]:
    """Bring the database to that state, and store a row in each of its tables."""
    executor = MigrationExecutor(connection)
    executor.migrate(reached(number))
    executor = MigrationExecutor(connection)
    return filling.one_of_each(executor.loader.project_state(reached(number)).apps)


RENAMED = {"accounts.ApiRequest": "accounts.AuditEvent"}


def told_lost(rows: list[filling.Row]) -> list[str]:
    """Say which rows are gone, or are not as they were."""
    lost = []
    for row in rows:
        try:
            model: Any = present_apps.get_model(RENAMED.get(row._meta.label, row._meta.label))
        except LookupError:
            lost.append(f"{row._meta.label} is no model any more.")
            continue
        kept = model._default_manager.filter(pk=row.pk).values().first()
        if kept is None:
            lost.append(f"{row._meta.label} {row.pk} is gone.")
            continue
        for field in row._meta.concrete_fields:
            name, was = field.attname, getattr(row, field.attname)
            if name in kept and kept[name] != was:
                lost.append(f"{row._meta.label}.{name}: {was!r} became {kept[name]!r}.")
    return lost


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.acceptance("H152")
def test_what_every_version_stored_is_there_after_the_upgrade(empty_database: None) -> None:
    """On the way from the oldest to this version, each state stores rows of its own."""
    rows = [row for number in range(len(LANDED)) for row in fill(number)]

    call_command("migrate", verbosity=0)

    assert len({row._meta.label for row in rows}) > 20
    assert told_lost(rows) == []


@pytest.mark.slow
@pytest.mark.torture
@pytest.mark.timeout(300)
@pytest.mark.acceptance("H152")
@pytest.mark.parametrize("number", range(rounds(1, torture=len(LANDED))))
def test_a_database_of_one_version_upgrades_at_once(number: int, empty_database: None) -> None:
    rows = fill(number)

    call_command("migrate", verbosity=0)

    assert told_lost(rows) == []
    call_command("check", databases=["default"])


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.acceptance("H152")
def test_a_backup_of_an_earlier_version_is_restored_into_this_one(
    empty_database: None, tmp_path: Path
) -> None:
    rows = fill(4)
    path = making.make(tmp_path / "before.zip")
    there = tmp_path / "there"
    there.mkdir(mode=0o700)

    with databases.own(there) as variables:
        done = manage(there, "restore", str(path), **variables)
        assert done.returncode == 0, done.stderr
        assert manage(there, "migrate", "--check", **variables).returncode == 0
        found = contents.of(variables)

    for label in ("worklist.WorklistItem", "worklist.Device", "accounts.User", "sources.DataSource"):
        (row,) = (row for row in rows if row._meta.label == label)
        assert len(found[row._meta.db_table]) == 1, label


def test_what_is_lost_is_told(db: None) -> None:
    from worklist.models import Device

    kept, gone = Device.objects.create(ae_title="MR1"), Device.objects.create(ae_title="MR2")
    Device.objects.filter(pk=gone.pk).delete()
    Device.objects.filter(pk=kept.pk).update(name="Room 2")

    assert told_lost([kept]) == ["worklist.Device.name: '' became 'Room 2'."]
    assert told_lost([gone]) == [f"worklist.Device {gone.pk} is gone."]


def test_every_migration_is_in_a_state_that_landed() -> None:
    """One that is about to land gets a row at the end of LANDED."""
    graph = MigrationLoader(None).graph
    newest = {app: name for app, name in graph.leaf_nodes() if app in filling.OURS}

    assert dict(reached(len(LANDED) - 1)) == newest, "Add what lands with you to LANDED."
