"""What /metrics shows, who may read it, and that alerts and dashboard name nothing else.

That the DICOM server counts, tests/worklist/test_measuring.py holds.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import LazySettings
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import User
from pylantir_site.counting import certificates, measures
from pylantir_site.counting.keeping import Keeping, keep
from pylantir_site.counting.models import ProcessReading, Tally
from pylantir_site.counting.tallies import tallies
from pylantir_site.metrics import expiring, exposition, stored
from pylantir_site.overview import checks
from sources.models import SyncRun, WorkerBeat
from tests.site.fresh import ROOT
from tests.sources import making
from tests.sources.not_written import not_written, writes_fail
from tests.worklist.conftest import make_item
from tests.worklist.tls_certificates import Authority
from worklist.models import Attention, AttentionKind, WorklistItem

pytestmark = pytest.mark.django_db

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "pylantir.json"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    tallies.take()


def samples(text: bytes) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def shown() -> Samples:
    return samples(exposition.text())


def value(name: str, **labels: str) -> float:
    return shown()[f"pylantir_{name}", tuple(sorted(labels.items()))]


@pytest.mark.acceptance("H160")
def test_the_exposition_can_be_parsed_and_names_all_that_is_counted(client: Client) -> None:
    answer = client.get("/metrics")

    families = {family.name: family for family in text_string_to_metric_families(answer.content.decode())}
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    for measure in (*measures.COUNTERS, *measures.HISTOGRAMS, *measures.GAUGES):
        assert families[f"pylantir_{measure.name}"].documentation == measure.help
    assert all(re.fullmatch(r"pylantir_[a-z_]+", name) for name in families)
    assert all(family.documentation for family in families.values())


def test_the_command_prints_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("metrics")

    assert "pylantir_database_up 1.0\n" in capsys.readouterr().out


@pytest.mark.acceptance("H161")
def test_counts_of_several_processes_are_added_up() -> None:
    measures.ECHOES.add("MR1")
    keep()
    measures.ECHOES.add("MR1", by=2)  # as another process would
    keep()

    assert value("echoes_total", device="MR1") == 3
    assert Tally.objects.filter(name="echoes").count() == 1


def test_buckets_are_cumulated() -> None:
    for seconds in (0.004, 0.03, 99):
        measures.QUERY_SECONDS.observe(seconds, "MR1")

    found = shown()
    by_end = [
        found["pylantir_query_seconds_bucket", (("device", "MR1"), ("le", end))]
        for end in ("0.005", "0.05", "+Inf")
    ]
    assert by_end == [1, 2, 3]
    assert value("query_seconds_sum", device="MR1") == pytest.approx(99.034)
    assert value("query_seconds_count", device="MR1") == 3


@pytest.mark.acceptance("H161")
def test_what_could_not_be_kept_is_kept_later(monkeypatch: pytest.MonkeyPatch) -> None:
    measures.ECHOES.add("MR1")

    def away(counts: Any) -> Any:
        raise OperationalError

    assert not keep(away)
    measures.ECHOES.add("MR1")
    assert keep()
    assert value("echoes_total", device="MR1") == 2


@pytest.mark.acceptance("H161")
def test_a_process_that_died_says_nothing_for_long(settings: LazySettings) -> None:
    settings.METRICS_INTERVAL = 1
    now = timezone.now()
    for process, age in (("a:1", 5), ("a:2", 10), ("dead:3", 200)):
        at = now - timedelta(seconds=age)
        ProcessReading.objects.create(process=process, name="associations_open", labels="[]", value=7, at=at)

    assert value("associations_open") == 14


def test_a_process_says_what_has_changed_and_takes_it_back_at_its_end(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.METRICS_INTERVAL = 1
    monkeypatch.setattr(tallies, "_readings", {})
    clock = [100.0]
    monkeypatch.setattr("pylantir_site.counting.keeping.time.monotonic", lambda: clock[0])
    keeping_counts = Keeping()
    written: list[float] = []
    for step, value_now in enumerate([3, 3, 4], start=1):
        clock[0] = 100.0 + 2 * step
        measures.OPEN.set(value_now)
        assert keeping_counts()
        assert not keeping_counts(), "not yet due again"
        written.append(ProcessReading.objects.get(name="associations_open").value)

    assert written == [3, 3, 4]
    keeping_counts.stop()
    assert not ProcessReading.objects.exists()


class TestWhoMayRead:
    @pytest.mark.acceptance("H162")
    @pytest.mark.parametrize(
        ("address", "header", "status"),
        [
            ("127.0.0.1", {}, 200),
            ("::1", {}, 200),
            ("10.0.0.5", {}, 403),
            ("", {}, 403),
            ("127.0.0.1", {"HTTP_X_FORWARDED_FOR": "10.0.0.5"}, 403),
            ("127.0.0.1", {"HTTP_FORWARDED": "for=10.0.0.5"}, 403),
            ("127.0.0.1", {"HTTP_X_FORWARDED_PROTO": "https"}, 403),
        ],
    )
    def test_without_a_token_this_machine_alone(
        self, client: Client, address: str, header: dict[str, str], status: int
    ) -> None:
        answer = client.get("/metrics", REMOTE_ADDR=address, **header)  # type: ignore[arg-type]

        assert answer.status_code == status
        assert (b"pylantir_build_info" in answer.content) == (status == 200)

    @pytest.mark.acceptance("H162")
    @pytest.mark.parametrize(
        ("given", "status"),
        [
            (None, 401),
            ("Bearer right", 200),
            ("bearer right", 200),
            ("Bearer wrong", 401),
            ("Bearer ", 401),
            ("Basic right", 401),
            ("Bearer rïght", 401),
        ],
    )
    def test_with_a_token_whoever_sends_it(
        self, client: Client, settings: LazySettings, given: str | None, status: int
    ) -> None:
        settings.METRICS_TOKEN = "right"
        header = {"HTTP_AUTHORIZATION": given} if given else {}

        answer = client.get("/metrics", REMOTE_ADDR="10.0.0.5", **header)  # type: ignore[arg-type]

        assert answer.status_code == status
        assert client.get("/metrics").status_code == 401, "this machine, too, must send it"

    def test_it_is_only_read(self, client: Client) -> None:
        assert client.post("/metrics").status_code == 405


@pytest.mark.acceptance("H163")
def test_no_participant_is_in_it(client: Client) -> None:
    item = make_item(
        patient_name="Zq^Marker", patient_id="ZQMARKER7", accession_number="ZQACC", study_description="ZQ"
    )
    item.save()
    Attention.objects.create(kind=AttentionKind.IDENTITY, item=item, text="ZQMARKER7 is not ZQ")

    assert b"zq" not in client.get("/metrics").content.lower()


@pytest.mark.acceptance("H164", "CL214")
def test_sources_queue_worker_and_attention_are_shown() -> None:
    now = timezone.now()
    source = making.stored(name="brain", url="https://r.example/api/", enabled=True, server_timezone="UTC")
    source.state.__class__.objects.filter(source=source).update(
        last_success_at=now - timedelta(hours=2), failures=3, state="TRANSIENT", held={"WITHDRAWN": 4}
    )
    SyncRun.objects.create(source=source, actor="source:brain", started_at=now - timedelta(minutes=4))
    WorkerBeat.objects.create(at=now - timedelta(seconds=90))
    OrmQ.objects.create(key="pylantir", payload="x", lock=now - timedelta(minutes=5))
    OrmQ.objects.create(key="pylantir", payload="x", lock=now + timedelta(minutes=5))  # a worker has it
    not_written(source, "scan_operator", "scan_series")
    writes_fail(source, failures=7)
    item = make_item()
    item.save()
    Attention.objects.create(kind=AttentionKind.STALE, item=item, text="since yesterday")

    assert value("source_late", source="brain") == 1
    assert value("source_last_success_seconds", source="brain") == pytest.approx(7200, abs=10)
    assert value("source_last_full_seconds", source="brain") != value("source_failures", source="brain")
    assert value("source_failures", source="brain") == 3
    assert value("source_held_changes", source="brain") == 4
    writes = [value(f"source_{each}", source="brain") for each in ("writes_waiting", "writes_held")]
    assert (*writes, value("source_write_failures", source="brain")) == (1, 1, 7)
    assert value("source_state", source="brain", state="TRANSIENT") == 1
    assert value("source_state", source="brain", state="OK") == 0
    assert value("pull_running_seconds", source="brain") == pytest.approx(240, abs=10)
    assert value("worker_last_seen_seconds") == pytest.approx(90, abs=10)
    assert value("queue_tasks") == 1
    assert value("queue_oldest_seconds") == pytest.approx(300, abs=10)
    assert value("attention_open", kind="STALE") == 1
    assert value("attention_open", kind="IDENTITY") == 0


def test_disk_database_and_version_are_shown() -> None:
    from pylantir_site import __version__

    found = shown()
    build = next(dict(labels) for name, labels in found if name == "pylantir_build_info")
    assert build["version"] == __version__
    assert build["database"] == connection.vendor
    assert value("database_size_bytes") > 0
    assert 0 < value("disk_free_bytes") < value("disk_size_bytes")


@pytest.mark.acceptance("H165")
def test_without_a_database_the_rest_is_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise OperationalError("host=secret")

    monkeypatch.setattr(exposition, "OF_DATABASE", (stored.families, away))

    found = samples(client.get("/metrics").content)

    assert found["pylantir_database_up", ()] == 0
    assert ("pylantir_disk_free_bytes", ()) in found


@pytest.mark.acceptance("H166")
def test_a_scrape_is_cheap_however_much_is_stored(django_assert_max_num_queries: Callable[..., Any]) -> None:
    today = timezone.localdate()
    WorklistItem.objects.bulk_create(
        [
            make_item(number, scheduled_start_date=today - timedelta(days=number % 400))
            for number in range(1, 5001)
        ],
        batch_size=500,
    )
    exposition.text()
    began = time.perf_counter()
    with django_assert_max_num_queries(20):
        exposition.text()

    assert time.perf_counter() - began < 0.5, "some ten times what it takes"


def named(text: str) -> set[str]:
    return set(re.findall(r"\bpylantir_[a-z_]+", text))


@pytest.mark.acceptance("H167")
def test_alerts_and_dashboard_name_metrics_that_exist() -> None:
    known = {
        name
        for family in text_string_to_metric_families(exposition.text().decode())
        for name in {
            "counter": {f"{family.name}_total"},
            "histogram": {f"{family.name}_{part}" for part in ("bucket", "sum", "count")},
        }.get(family.type, {family.name})
    }
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    expressions = " ".join(rule["expr"] for rule in rules)
    board = json.loads(DASHBOARD.read_text())
    queries = " ".join(target["expr"] for panel in board["panels"] for target in panel["targets"])
    listed = " ".join(variable["query"] for variable in board["templating"]["list"])

    assert len(named(expressions)) > 12
    assert len(named(queries)) > 15
    assert named(expressions) | named(queries) | named(listed) <= known


def test_what_to_add_to_prometheus_leads_here(client: Client) -> None:
    added = yaml.safe_load((ALERTS.parent / "scrape.yaml").read_text())
    (job,) = added["scrape_configs"]

    assert client.get(job["metrics_path"]).status_code == 200
    assert [(ALERTS.parent / name).is_file() for name in added["rule_files"]] == [True]
    assert f'up{{job="{job["job_name"]}"}}' in ALERTS.read_text()


@pytest.mark.acceptance("H167")
def test_each_alert_is_explained_to_whoever_is_woken() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]

    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in rules)
    assert set(re.findall(r"`(Pylantir\w+)`", page)) == {rule["alert"] for rule in rules}


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool (Debian: prometheus) is not installed")
@pytest.mark.acceptance("H167")
def test_promtool_finds_nothing() -> None:
    measures.QUERIES.add("MR1", "0000")
    measures.QUERY_SECONDS.observe(0.02, "MR1")
    text = exposition.text()

    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    rules = subprocess.run(["promtool", "check", "rules", str(ALERTS)], capture_output=True, check=False)

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
    assert rules.returncode == 0, rules.stdout + rules.stderr


class TestCertificates:
    @staticmethod
    def said(days: int, *, age: timedelta = timedelta(0)) -> datetime:
        now = timezone.now()
        ends = now + timedelta(days=days)
        ProcessReading.objects.create(
            process="a:1",
            name=measures.CERTIFICATE_ENDS.name,
            labels='["server", "mwl.crt"]',
            value=ends.timestamp(),
            at=now - age,
        )
        return ends

    @pytest.mark.acceptance("H168")
    @pytest.mark.parametrize(("days", "word"), [(29, "ends on"), (-1, "ended on"), (31, "")])
    def test_its_end_is_told_in_time(self, client: Client, alice: User, days: int, word: str) -> None:
        self.said(days)
        client.force_login(alice)

        told = [warning.msg for warning in checks.certificates_last(None, databases=["default"])]
        page = client.get("/admin/").content.decode()

        assert [word in sentence for sentence in told] == ([True] if word else [])
        assert ("The certificate mwl.crt of the DICOM server" in page) == bool(word)
        assert checks.certificates_last(None) == []

    def test_a_server_that_is_gone_for_days_is_not_told_of(self) -> None:
        self.said(3, age=timedelta(days=2))

        assert expiring.sentences() == []

    @pytest.mark.acceptance("H168")
    def test_the_authorities_of_a_source_are_read(self, tmp_path: Path) -> None:
        bundle = Authority(tmp_path, "hospital").path
        making.stored(name="brain", url="https://r.example/api/", ca_bundle=str(bundle))
        ends = certificates.end_of(bundle)

        assert ends is not None
        assert (
            value("source_authority_end_timestamp_seconds", source="brain", file="hospital.pem")
            == ends.timestamp()
        )
        (told,) = expiring.sentences(now=ends.astimezone(UTC) - timedelta(days=1))
        assert "hospital.pem" in told
        assert "brain" in told

    def test_a_file_that_cannot_be_read_has_no_end(self, tmp_path: Path) -> None:
        broken = tmp_path / "broken.pem"
        broken.write_text("no certificate")

        assert certificates.end_of(broken) is None
        assert certificates.end_of(tmp_path / "missing.pem") is None


def test_answers_of_the_web_server_are_counted_without_their_paths(client: Client) -> None:
    client.get("/health")
    client.get("/worklist/Zq^Marker")

    assert value("http_answers_total", method="GET", status="200") >= 1
    assert b"Marker" not in exposition.text()
