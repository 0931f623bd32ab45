"""Three hosts that start at once on one database: one makes its tables, the others wait and go on."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError

from pylantir_site.processes import migrating
from tests.effort import IS_NIGHTLY, IS_TORTURE
from tests.site.fresh import ROOT, environment, manage
from tests.supply import databases

# What `start` does before it starts anything.
PREPARE = """
import django
django.setup()
from pylantir_site.management.commands.start import Command
Command().prepare()
"""

FRESH, OLD = (
    pytest.param(None, id="no tables yet"),
    pytest.param("0003_devices", id="tables of an earlier version"),
)
# Each takes long: a usual run tries the one on SQLite and the other on PostgreSQL.
TRIED = [FRESH, OLD] if IS_TORTURE or IS_NIGHTLY else [OLD if databases.is_postgresql() else FRESH]


@pytest.fixture
def variables(tmp_path: Path) -> Iterator[dict[str, str]]:
    with databases.own(tmp_path) as found:
        yield found


def three_hosts(folder: Path, variables: dict[str, str]) -> list[tuple[int, str]]:
    hosts = [
        subprocess.Popen(
            [sys.executable, "-c", PREPARE],
            cwd=ROOT,
            env=environment(folder, **variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(3)
    ]
    said = [host.communicate(timeout=100)[0] for host in hosts]
    return [(host.returncode, text) for host, text in zip(hosts, said, strict=True)]


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.acceptance("H143")
@pytest.mark.parametrize("old", TRIED)
def test_three_hosts_that_start_at_once_end_with_one_good_database(
    old: str | None, tmp_path: Path, variables: dict[str, str]
) -> None:
    if old:
        assert manage(tmp_path, "migrate", "worklist", old, "--verbosity", "0", **variables).returncode == 0

    ends = three_hosts(tmp_path, variables)

    assert [code for code, _ in ends] == [0, 0, 0], ends
    said = "".join(text for _, text in ends)
    assert said.count("First admin:") == 1
    assert said.count("waiting for it") <= 2  # who comes later may find it done
    assert "Traceback" not in said
    left = manage(tmp_path, "migrate", "--check", **variables)
    assert left.returncode == 0, left.stderr
    assert len(manage(tmp_path, "list_users", **variables).stdout.splitlines()) > 1


@pytest.mark.acceptance("H143")
@pytest.mark.django_db(transaction=True)
def test_who_waits_says_so_and_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "LOOK_EVERY", 0.01)
    told: list[str] = []
    holding, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with migrating.alone(told.append):
            migrating._held.clear()  # as another process sees it
            holding.set()
            let_go.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert holding.wait(10)
        with pytest.raises(CommandError, match="for too long"), migrating.alone(told.append, at_most=0.05):
            pass
    finally:
        let_go.set()
        holder.join()
    assert told == ["Another process is changing the tables of this database: waiting for it."]
    with migrating.alone(told.append), migrating.alone(told.append):
        pass
    assert len(told) == 1, "Nobody holds it any more, and who has it has it again."
