"""Databases that may be broken, and servers on them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import free_port, wait_until
from tests.faults.asking import ask
from tests.faults.postgresql import Cluster
from tests.site.fresh import ROOT, environment, manage, script
from tests.worklist.conftest import SOON, RunningServer

ITEMS = """
from tests.worklist.conftest import make_item
from worklist.models import WorklistItem
WorklistItem.objects.bulk_create([make_item(number) for number in range(1, 21)])
"""
StartHere = Callable[..., RunningServer]


@pytest.fixture(scope="session")
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster()
    try:
        cluster.make()
        folder = tmp_path_factory.mktemp("cluster")
        done = manage(folder, "migrate", "--verbosity", "0", DATABASE_URL=cluster.url)
        assert done.returncode == 0, done.stderr
        done = script(folder, ITEMS, DATABASE_URL=cluster.url)
        assert done.returncode == 0, done.stderr
        cluster.keep_as_it_is()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def cluster(_cluster: Cluster) -> Cluster:
    """Give the tests' own PostgreSQL, running, with 20 scheduled items and no performed step."""
    if not _cluster.is_running:
        _cluster.start()
    _cluster.make_anew()
    return _cluster


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[StartHere]:
    """Start `run_mwl` on a database that the settings name; all are stopped at the end."""
    started: list[RunningServer] = []

    def start(*arguments: str, **settings: str) -> RunningServer:
        port = free_port()
        log_path = tmp_path / f"{port}.log"
        ours = {"ATTENTION_INTERVAL": "0", **settings}
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "run_mwl", "--port", str(port), "--processes", "1", *arguments],
                env=environment(tmp_path, **ours),
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        server = RunningServer(process, port, log_path)
        started.append(server)
        wait_until(lambda: " listens at " in server.log or process.poll() is not None, SOON)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Start the web server on a database that the settings name, and return its port."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**settings: str) -> int:
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "manage.py", "start_api", "--api-port", str(port)],
            env=environment(tmp_path, **settings),
            cwd=ROOT,
        )
        started.append(process)
        wait_until(lambda: process.poll() is not None or ask(port, "/health/live")[0] == 200, 20)
        return port

    yield start
    for process in started:
        process.terminate()
        process.wait(20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder: they break what they use."""
    here = os.fspath(Path(__file__).parent)
    for item in items:
        if os.fspath(item.path).startswith(here):
            item.add_marker("slow")
