"""The DICOM server counts what happens on associations, in all its processes, and is not slower for it."""

from __future__ import annotations

import os
import re
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from pylantir_site.counting import measures
from pylantir_site.counting.models import ProcessReading, Tally
from pylantir_site.counting.tallies import tallies
from tests import scu
from tests.conftest import free_port, wait_until
from tests.worklist.conftest import SOON, RunningServer, StartServer, make_item
from tests.worklist.tls_certificates import Authority
from worklist.devices import access
from worklist.models import Device, DeviceActivity
from worklist.scp import measuring
from worklist.upper_layer import negotiation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def counting(start_server: StartServer, transactional_db: None) -> Iterator[RunningServer]:
    """Start two processes that keep their counts every second, and stop them before the tables go."""
    server = start_server("--processes", "2", METRICS_INTERVAL="1")
    yield server
    server.stop()


def kept(name: str) -> dict[str, float]:
    return dict(Tally.objects.filter(name=name).values_list("labels", "value"))


def is_kept(name: str, labels: str, value: float) -> Callable[[], bool]:
    return lambda: kept(name).get(labels) == value


@pytest.mark.acceptance("H161")
def test_what_scanners_do_is_counted_over_all_processes(
    counting: RunningServer, users: ProcessPoolExecutor
) -> None:
    Device.objects.create(ae_title="MR1")
    Device.objects.create(ae_title="*")
    make_item().save()
    for _ in range(6):
        users.submit(scu.query, counting.port, scu.keys({"ScheduledStationAETitle": "MR1"})).result(SOON)
    wrong = scu.keys({"ScheduledProcedureStepStartDate": "20269999"})
    users.submit(scu.query, counting.port, wrong, calling="NOT_LISTED").result(SOON)
    Device.objects.filter(ae_title="*").update(enabled=False)
    refused = users.submit(scu.echo, counting.port, calling="STRANGER").result(SOON)

    wait_until(is_kept("queries", '["MR1", "0000"]', 6))
    wait_until(is_kept("queries", '["other", "A900"]', 1))
    assert kept("query_answers")['["MR1"]'] == 6
    assert kept("query_seconds_sum")['["MR1"]'] > 0
    buckets = {labels: value for labels, value in kept("query_seconds_bucket").items() if "MR1" in labels}
    assert sum(buckets.values()) == 6
    assert kept("associations_accepted") == {'["MR1"]': 6, '["other"]': 1}
    assert refused == (1, 1, 3)
    wait_until(is_kept("associations_refused", '["calling_ae_title"]', 1))
    wait_until(is_kept("process_starts", '["dicom"]', 2))
    wait_until(lambda: ProcessReading.objects.filter(name="dicom_processes").count() == 2)


@pytest.mark.acceptance("H161")
def test_a_killed_server_leaves_nothing_behind(counting: RunningServer) -> None:
    folder = Path(tempfile.gettempdir())
    before = {*folder.iterdir()}
    wait_until(lambda: ProcessReading.objects.filter(name="dicom_processes").count() == 2)
    children = counting.children
    counting.stop(signal.SIGKILL)  # or it would put others in their place
    for child in children:
        with suppress(ProcessLookupError):  # that of their parent is theirs
            os.kill(child, signal.SIGKILL)

    assert [path for path in {*folder.iterdir()} - before if "metric" in path.name] == []


@pytest.mark.acceptance("H168")
def test_the_servers_certificates_are_told(start_server: StartServer, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "scanners")
    mwl = authority.issue("mwl", days=12)
    server = start_server(
        *("--tls-cert", str(mwl.certificate), "--tls-key", str(mwl.key), "--tls-ca", str(authority.path)),
        *("--tls-port", str(free_port())),
        METRICS_INTERVAL="1",
    )
    try:
        wait_until(lambda: ProcessReading.objects.filter(name=measures.CERTIFICATE_ENDS.name).count() == 2)
        found = set(
            ProcessReading.objects.filter(name=measures.CERTIFICATE_ENDS.name).values_list(
                "labels", flat=True
            )
        )
    finally:
        server.stop()
    assert found == {'["server", "mwl.crt"]', '["authority", "scanners.pem"]'}
    assert not ProcessReading.objects.exists(), "a server that was stopped says nothing more"
    assert re.search(r"The certificate \S+mwl\.crt expires on ", server.log)


@pytest.mark.acceptance("H169")
def test_labels_that_a_peer_chose_are_bounded() -> None:
    Device.objects.create(ae_title="MR1")
    Device.objects.create(ae_title="*")
    tallies.take()
    for number in range(50):
        measuring.accepted(f"STRANGER{number}")
        measuring.done(f"STRANGER{number}", DeviceActivity.Kind.N_SET, {"status": 0x0112})
    measuring.accepted("MR1")
    measuring.count_up()

    assert measuring.of_listed_devices(tallies.take()) == {
        ("associations_accepted", ("other",)): 50,
        ("associations_accepted", ("MR1",)): 1,
        ("reports", ("other", "N-SET", "0112")): 50,
    }


@pytest.mark.acceptance("H169")
def test_what_waits_in_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pylantir_site.counting.tallies.MOST", 10)
    tallies.take()
    for number in range(50):
        measuring.accepted(f"STRANGER{number}")
    measuring.count_up()

    assert len(tallies.take()) == 11


@pytest.mark.acceptance("H169")
def test_what_is_not_yet_counted_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "MOST_UNCOUNTED", 10)
    tallies.take()
    for _ in range(25):
        measuring.accepted("MR1")

    assert tallies.take() == {("associations_accepted", ("MR1",)): 20}
    measuring.count_up()
    assert tallies.take() == {("associations_accepted", ("MR1",)): 5}


def test_each_reason_of_a_refusal_has_a_word() -> None:
    codes = {
        value
        for module in (access, negotiation)
        for name, value in vars(module).items()
        if name.isupper()
        and isinstance(value, tuple)
        and len(value) == 3
        and all(isinstance(n, int) for n in value)
    }
    assert codes == measuring.REASONS.keys()
    assert len({*measuring.REASONS.values()}) == len(measuring.REASONS)
