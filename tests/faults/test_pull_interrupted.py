"""PostgreSQL is stopped in the middle of a pull: the run ends, and the source goes on by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.effort import rounds
from tests.faults.postgresql import Cluster
from tests.redcap.server import RedcapServer
from tests.site.fresh import ROOT, environment, script
from tests.sources.study import participants, study

pytestmark = [pytest.mark.torture, pytest.mark.timeout(600)]

SOURCE = """
import os
from sources.models import DataSource
from tests.sources.conftest import new_source
class Server: url = os.environ["STAND_IN"]
source = new_source(Server, batch_size=5, sync_interval=60)
print(source.pk)
"""
LOOK = """
from django_q.tasks import async_task
async_task("sources.tasks.pull_due")
"""
RUNS = "SELECT outcome, message FROM sources_syncrun ORDER BY id"


@pytest.fixture
def pulled(cluster: Cluster, tmp_path: Path) -> Iterator[Pulled]:
    project = study()
    records = participants(project, 20)
    with RedcapServer(project) as redcap:
        yield Pulled(cluster, redcap, records, tmp_path)


@pytest.mark.acceptance("H5")
@pytest.mark.parametrize("mode", ["fast", "immediate"][: rounds(1, torture=2)])
def test_a_pull_that_lost_its_database_ends_as_soon_as_that_is_back(mode: str, pulled: Pulled) -> None:
    pulled.script(SOURCE)
    pulled.pause_in_the_middle()
    with pulled.run("sync_source", "study") as process:
        pulled.lose_the_database(mode)
        pulled.is_interrupted()
        process.wait(20)
    with pulled.run("sync_source", "study") as process:
        assert process.wait(30) == 0
    assert [outcome for outcome, _ in pulled.runs] == ["INTERRUPTED", "OK"]
    pulled.has_all()


@pytest.mark.acceptance("H5")
@pytest.mark.skipif(not rounds(0, torture=1), reason="make torture: it waits for the worker's schedule")
def test_the_worker_goes_on_by_itself_after_its_database_was_away(pulled: Pulled) -> None:
    pulled.script(SOURCE + LOOK)
    pulled.pause_in_the_middle()
    with pulled.run("qcluster") as process:
        pulled.lose_the_database("fast")
        pulled.is_interrupted()
        wait_until(lambda: "OK" in [outcome for outcome, _ in pulled.runs], 90)
        assert process.poll() is None
    pulled.has_all()


@dataclass
class Pulled:
    """A source of 20 records on the cluster, and the stand-in that is asked for them."""

    cluster: Cluster
    redcap: RedcapServer
    records: list[str]
    folder: Path
    asked: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    @property
    def runs(self) -> list[tuple[str, str]]:
        return [(outcome, message) for outcome, message in self.cluster.rows(RUNS)]

    def script(self, source: str) -> None:
        ours = {"DATABASE_URL": self.cluster.url, "STAND_IN": self.redcap.url}
        done = script(self.folder, source, **ours)
        assert done.returncode == 0, done.stderr

    @contextmanager
    def run(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command on the cluster, and kill it with all that it runs in the end."""
        ours = {"DATABASE_URL": self.cluster.url, "WORKERS": "2"}
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *command],
                env=environment(self.folder, **ours),
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def pause_in_the_middle(self) -> None:
        def in_the_middle() -> None:
            self.asked.set()
            self.go_on.wait(60)

        self.redcap.before("record", lambda: self.redcap.before("record", in_the_middle))

    def lose_the_database(self, mode: str) -> None:
        wait_until(self.asked.is_set, 40)
        assert [outcome for outcome, _ in self.runs] == ["RUNNING"]
        self.cluster.stop(mode)
        self.go_on.set()
        wait_until(lambda: b"the database does not answer" in (self.folder / "log").read_bytes())
        self.cluster.start()

    def is_interrupted(self) -> None:
        """Wait for the run's end: the lease would last for five minutes."""
        wait_until(lambda: self.runs[0][0] == "INTERRUPTED", 5)
        assert "the database does not answer" in self.runs[0][1]
        wait_until(lambda: self.cluster.rows("SELECT claim FROM sources_sourcestate") == [("",)], 5)

    def has_all(self) -> None:
        found = self.cluster.rows(
            "SELECT patient_id FROM worklist_worklistitem WHERE data_source = 'study' ORDER BY patient_id"
        )
        assert found == [(record,) for record in self.records]
