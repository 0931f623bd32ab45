"""These tests run `sync_source` as an administrator types it."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sources.models import DataSource, SourceState, SyncRun
from sources.sync import claims
from tests.redcap.project import Project
from tests.redcap.server import Failure, RedcapServer
from tests.redcap.studies import TOKEN
from tests.site.fresh import ROOT
from tests.sources.conftest import items, pull
from tests.sources.study import book, participant, participants
from worklist.management import progress
from worklist.models import WorklistItem

pytestmark = pytest.mark.django_db


def sync(*arguments: str, **options: Any) -> str:
    """Return what it prints."""
    out = io.StringIO()
    call_command("sync_source", *arguments, stdout=out, **options)
    return out.getvalue()


def counts(printed: str) -> dict[str, str]:
    lines = [line.rsplit(maxsplit=1) for line in printed.splitlines()]
    return {line[0].strip(): line[1] for line in lines if len(line) == 2 and line[1].isdigit()}


def test_it_pulls_and_prints_the_counts(source: DataSource, project: Project) -> None:
    participants(project, 3)

    printed = sync("study")

    assert set(items(source)) == {"P-001", "P-002", "P-003"}
    found = counts(printed)
    assert (found["records done"], found["created"], found["withdrawn"]) == ("3", "3", "0")
    assert printed.rstrip().endswith("Done.")
    run = SyncRun.objects.get()
    assert (run.trigger, run.actor, run.outcome) == ("PERSON", "sync_source", "OK")


def test_it_reads_what_changed_unless_all_is_asked_for(source: DataSource, project: Project) -> None:
    participants(project, 2)
    sync("study")

    sync("study")
    sync("study", "--full")

    assert list(SyncRun.objects.order_by("pk").values_list("is_full", flat=True)) == [True, False, True]


def test_a_dry_run_counts_and_writes_nothing(source: DataSource, project: Project) -> None:
    participants(project, 2)
    pull(source)
    book(project, "P-001", mri_time="14:15")
    participant(project, "P-003")
    before = list(WorklistItem.objects.order_by("pk").values())

    printed = sync("study", "--dry-run")

    assert (counts(printed)["create"], counts(printed)["change"]) == ("1", "1")
    assert "Nothing was written" in printed
    assert list(WorklistItem.objects.order_by("pk").values()) == before
    assert SyncRun.objects.count() == 1
    assert SourceState.objects.get().claim == ""


@pytest.mark.acceptance("RC170")
def test_a_dry_run_tells_what_would_be_held_and_a_pull_what_is(source: DataSource, project: Project) -> None:
    records = participants(project, 5)
    pull(source)
    for record in records[:4]:
        project.delete_record(record)

    assert "Held: 4 records can no longer be seen" in sync("study", "--dry-run")
    with pytest.raises(CommandError, match=r"4 records can no longer be seen.*Cancel them"):
        sync("study", "--full")


@pytest.mark.acceptance("RC82")
def test_names_and_values_are_printed_only_where_they_are_asked_for(
    source: DataSource, project: Project
) -> None:
    participants(project, 1)
    pull(source)
    project.save("P-001", last_name="Smith")

    quiet, wordy, all_of_it = (sync("study", "--dry-run", verbosity=level) for level in (1, 2, 3))

    assert "P-001" not in quiet
    assert "change P-001, mri, 1: patient_name" in wordy
    assert "Smith" not in wordy
    assert "Smith^Jane" in all_of_it


@pytest.mark.acceptance("RC57")
def test_one_pull_of_a_source_runs_at_a_time(source: DataSource, redcap: RedcapServer) -> None:
    held = claims.claim(source.pk)

    with pytest.raises(CommandError, match="is running: one at a time"):
        sync("study")

    assert not redcap.requests
    assert SourceState.objects.get().claim == held


@pytest.mark.parametrize("option", ["--full", "--dry-run"])
def test_what_went_wrong_is_the_commands_error(source: DataSource, redcap: RedcapServer, option: str) -> None:
    redcap.fail(Failure.FORBIDDEN_403, times=100)

    with pytest.raises(CommandError) as error:
        sync("study", option)

    assert TOKEN not in str(error.value)
    assert len(str(error.value)) > 20
    assert SourceState.objects.get().claim == ""


def test_an_unknown_name_lists_the_known_ones(source: DataSource) -> None:
    with pytest.raises(CommandError, match=r"There is no source cpip\. Known: study\."):
        sync("cpip")


@pytest.mark.acceptance("RC93")
def test_a_disabled_source_is_not_asked(source: DataSource, redcap: RedcapServer) -> None:
    DataSource.objects.update(enabled=False)

    for option in ("--full", "--dry-run"):
        with pytest.raises(CommandError, match="study is disabled"):
            sync("study", option)
    assert not redcap.requests


def test_without_a_terminal_progress_is_a_line_now_and_then(
    source: DataSource, project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
    participants(project, 2)

    sync("study")

    assert capsys.readouterr().err.splitlines()[:2] == ["1 of 2 records", "2 of 2 records"]


@pytest.mark.slow
def test_on_a_terminal_progress_is_a_bar() -> None:
    script = (
        "import django; django.setup()\n"
        "from worklist.management.progress import ProgressDisplay\n"
        "with ProgressDisplay('records') as shown:\n"
        "    for done in range(1, 4): shown(done, 3)\n"
    )
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    try:
        subprocess.run(
            [sys.executable, "-c", script],
            check=True,
            cwd=ROOT,
            stderr=theirs,
            stdout=subprocess.DEVNULL,
            timeout=50,
        )
        drawn = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)

    assert "3/3" in drawn
    assert "100%" in drawn
