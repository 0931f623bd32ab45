"""`manage.py ready` says what /health/ready knows, for whoever has no web server to ask."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.utils import timezone

from sources.models import WorkerBeat
from tests.conftest import free_port
from tests.site.fresh import manage
from tests.sources import making


def ready(*arguments: str) -> tuple[list[str], str]:
    """Return the lines that it prints, and what it fails with."""
    out = StringIO()
    try:
        call_command("ready", *arguments, stdout=out)
    except CommandError as error:
        return out.getvalue().splitlines(), str(error)
    return out.getvalue().splitlines(), ""


@pytest.mark.django_db
def test_each_part_is_told(settings: LazySettings) -> None:
    settings.MWL_ADDRESS = None

    lines = ["database: ok", "migrations: ok", "disk: ok", "worker: not needed", "dicom: not checked"]
    assert ready() == (lines, "")


@pytest.mark.django_db
def test_a_worker_that_is_needed_and_silent_fails(settings: LazySettings) -> None:
    settings.MWL_ADDRESS = None
    url = "https://redcap.example.org/api/"
    making.stored(name="study", enabled=True, url=url, server_timezone="UTC")

    lines, told = ready()
    assert (lines[3], lines[5], told) == ("worker: failed", "source study: never", "Not ready: worker.")
    assert ready("--only", "worker") == (["worker: failed"], "Not ready: worker.")
    assert ready("--only", "database") == (["database: ok"], "")

    WorkerBeat.objects.update_or_create(pk=1, defaults={"at": timezone.now() - timedelta(seconds=5)})
    assert ready("--only", "worker") == (["worker: ok"], "")


@pytest.mark.django_db
def test_a_part_that_fails_says_why(settings: LazySettings) -> None:
    settings.MWL_ADDRESS = ("127.0.0.1", free_port())

    (line,), told = ready("--only", "dicom")
    port = settings.MWL_ADDRESS[1]
    assert line == f"dicom: failed. There is no connection to 127.0.0.1:{port}: Connection refused."
    assert told == "Not ready: dicom."


@pytest.mark.slow
def test_a_database_without_tables_is_not_ready_in_one_line_each(tmp_path: Path) -> None:
    result = manage(tmp_path, "ready")

    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "database: ok"
    assert lines[1].startswith("migrations: failed. ")
    assert lines[2:] == ["disk: ok", "worker: unknown", "dicom: not checked"]
    assert result.stderr == "CommandError: Not ready: migrations, worker.\n"
