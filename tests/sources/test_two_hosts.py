"""Two hosts run all of Pylantir on one PostgreSQL, behind HAProxy; one dies, and the other does all."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from django.db import connection
from django_q.tasks import async_task

from sources.models import DataSource
from sources.sync import claims
from tests import haproxy
from tests.conftest import wait_until
from tests.redcap.project import Project
from tests.sources import whole_site
from tests.sources.conftest import items
from tests.sources.study import participant
from tests.sources.whole_site import Asking, Reporting, assert_all_is_there, is_pulled

pytestmark = [pytest.mark.slow, pytest.mark.torture, pytest.mark.django_db(transaction=True)]

BALANCER = "127.0.0.1"
SERVED_WITHIN = 5.0  # seconds: the balancer must notice first
A_FEW = 5  # examinations


def pulled(source: DataSource) -> None:
    claims.request_pull(source, by="alice")
    async_task("sources.tasks.pull_due")
    wait_until(lambda: is_pulled(source), 60)


@pytest.mark.timeout(240)
@pytest.mark.acceptance("H184")
def test_one_of_two_hosts_dies_and_the_other_asks_answers_and_pulls(
    source: DataSource, project: Project, tmp_path: Path
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite is for one host.")
    stopped = threading.Event()
    with (
        haproxy.running(tmp_path) as (port, (one, other)),
        whole_site.started(dicom=one, MWL_PROXY_PROTOCOL=BALANCER) as dying,
        whole_site.started(dicom=other, MWL_PROXY_PROTOCOL=BALANCER) as staying,
    ):
        asking, reporting = Asking(port, stopped), Reporting(port, stopped)
        asking.thread.start()
        reporting.thread.start()
        participant(project, "P-001")
        pulled(source)
        wait_until(lambda: len(reporting.done) >= A_FEW, 60)

        os.killpg(dying.process.pid, signal.SIGKILL)
        moment, before = time.monotonic(), len(reporting.done)

        wait_until(lambda: asking.after(moment) is not None, 30)
        assert (asking.after(moment) or 0) < SERVED_WITHIN
        wait_until(lambda: len(reporting.done) >= before + A_FEW, 60)
        participant(project, "P-002")
        pulled(source)
        assert staying.serves_web()
        stopped.set()
        asking.thread.join(30)
        reporting.thread.join(30)
    assert reporting.wrong == []
    assert_all_is_there(reporting.done)
    assert set(items(source)) == {"P-001", "P-002"}
