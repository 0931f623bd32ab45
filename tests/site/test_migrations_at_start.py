"""`start` brings databases up to date: here an empty one, and one that lacks a migration or none."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django_q.models import Schedule

from pylantir_site.processes import migrations
from sources import schedule
from tests.site.fresh import script

MIGRATE = "from pylantir_site.processes import migrations; migrations.migrate('default'); "
COUNT = "from worklist.models import WorklistItem; print(WorklistItem.objects.count())"


def test_the_files_of_migrations_are_those_that_django_loads() -> None:
    assert migrations.there() == set(MigrationLoader(None).disk_migrations)


@pytest.mark.acceptance("H40")
@pytest.mark.django_db
def test_where_none_is_missing_none_is_applied_and_schedules_are_set_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(migrations, "_apply", lambda alias: pytest.fail("It applies."))
    Schedule.objects.all().delete()

    migrations.migrate("default")

    assert Schedule.objects.count() == len(schedule.SCHEDULES)


@pytest.mark.acceptance("H40")
@pytest.mark.django_db
def test_one_that_is_missing_is_seen() -> None:
    assert migrations.are_applied("default")

    MigrationRecorder(connection).record_unapplied("sources", "0001_initial")

    assert not migrations.are_applied("default")


@pytest.mark.slow
@pytest.mark.acceptance("H40")
def test_an_empty_database_is_migrated(tmp_path: Path) -> None:
    done = script(tmp_path, MIGRATE + COUNT)

    assert (done.stdout, done.returncode) == ("0\n", 0), done.stderr
