"""What stands in a line of the log, as text and as JSON; all that `start` runs writes such lines."""

from __future__ import annotations

import json
import logging
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from gunicorn.config import Config

from pylantir_site.environment import log_lines
from pylantir_site.environment.log_lines import JsonFormatter, TextFormatter
from pylantir_site.processes import web_log
from pylantir_site.processes.web import gunicorn
from tests import scu
from tests.conftest import free_port, wait_until
from tests.site.fresh import ROOT, environment, script

PASSWORD = "quite-a-long-word-7"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"


def record(name: str = "worklist.scp.find", text: str = "3 answers", **more: Any) -> logging.LogRecord:
    values = {"level": logging.INFO, "pathname": __file__, "lineno": 1, "args": (), "exc_info": None, **more}
    return logging.LogRecord(name, msg=text, **values)


def caught(error: BaseException) -> Any:
    try:
        try:
            raise KeyError(str(error))
        except KeyError as cause:
            raise error from cause
    except type(error):
        return sys.exc_info()


@pytest.mark.acceptance("H170")
def test_a_line_of_text_says_when_with_the_offset_and_which_process() -> None:
    line = TextFormatter().format(record())

    assert re.fullmatch(rf"{TIME} INFO \[\d+\] worklist\.scp\.find: 3 answers", line)


@pytest.mark.acceptance("H170")
def test_an_object_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    said = json.loads(JsonFormatter().format(record()))

    assert said.keys() == {"time", "level", "logger", "process", "event"}
    assert datetime.fromisoformat(said["time"]).utcoffset() is not None
    assert abs(datetime.fromisoformat(said["time"]).timestamp() - record().created) < 5
    assert (said["level"], said["logger"], said["event"]) == ("INFO", "worklist.scp.find", "3 answers")


@pytest.mark.acceptance("H171")
def test_lines_within_an_association_have_its_number() -> None:
    with log_lines.of_association(4711):
        text, said = TextFormatter().format(record()), json.loads(JsonFormatter().format(record()))

    assert re.search(r" \[\d+ #4711\] ", text)
    assert said["association"] == 4711
    assert "association" not in json.loads(JsonFormatter().format(record()))


@pytest.mark.acceptance("H172")
@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_an_exception_is_told_by_type_and_place_and_never_by_its_text(formatter: logging.Formatter) -> None:
    line = formatter.format(record(exc_info=caught(ValueError("Zq^Marker"))))

    assert "ValueError" in line
    assert "KeyError" in line
    assert "test_logs.py" in line
    assert "Zq^" not in line


@pytest.mark.parametrize("breaks", ["\n", "\r\n", "\u2028", "\x85", "\x00", '"', "\\", "\udcff"])
def test_nothing_breaks_the_line_of_an_object(breaks: str) -> None:
    line = JsonFormatter().format(record(text=f"one{breaks}two"))

    assert len(line.splitlines()) == 1
    assert json.loads(line)["event"] == f"one{breaks}two"


@pytest.mark.parametrize(
    ("name", "level", "is_told"),
    [
        ("django.security.DisallowedHost", logging.ERROR, False),
        ("django.request", logging.WARNING, False),
        ("django.request", logging.ERROR, True),
        ("sources.tasks", logging.WARNING, True),
    ],
)
def test_where_a_clients_fault_was_noticed_is_left_out(name: str, level: int, is_told: bool) -> None:
    line = JsonFormatter().format(record(name, level=level, exc_info=caught(ValueError())))

    assert ("exception" in json.loads(line)) == is_told


@pytest.mark.parametrize(("form", "formatter"), log_lines.FORMATTERS.items())
def test_gunicorn_writes_the_same_lines(
    monkeypatch: pytest.MonkeyPatch, form: str, formatter: type[logging.Formatter]
) -> None:
    monkeypatch.setenv("LOG_FORMAT", form)
    log = web_log.WebLog(Config())
    try:
        own = [handler for handler in log.error_log.handlers if getattr(handler, "_gunicorn", False)]
        assert [type(handler.formatter) for handler in own] == [formatter]
        assert not log.error_log.propagate
        assert "pylantir_site.processes.web_log.WebLog" in gunicorn(host="127.0.0.1", port=8000)
    finally:
        for handler in own:
            log.error_log.removeHandler(handler)


def test_a_line_whose_arguments_do_not_fit_is_written_without_them() -> None:
    line = JsonFormatter().format(record(text="%d of %s", args=("Zq^Marker",)))

    assert json.loads(line)["event"] == "%d of %s"


FAIL = """
import threading
thread = threading.Thread(target=lambda: int("Zq" + "^Marker"), name="one")
thread.start()
thread.join()
raise ValueError("Zq" + "^Marker")
"""


@pytest.mark.acceptance("H172")
def test_what_nobody_caught_is_a_line_too(migrated: Path) -> None:
    ended = script(migrated, FAIL, LOG_FORMAT="json")

    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["The thread one failed.", "The process failed."]
    assert all("ValueError" in line["exception"] for line in lines)
    assert "Zq^" not in ended.stderr
    assert ended.returncode == 1


WARN = """
import logging, warnings
from pydicom.misc import warn_and_log
warn_and_log("Invalid value for VR UI: '1.Zq'")
warn_and_log('Unknown encoding "Zq"')
warnings.warn("a setting is old", DeprecationWarning, stacklevel=1)
warnings.warn("it's odd", UserWarning)
logging.getLogger("django-q").error("a task failed")
"""


@pytest.mark.acceptance("H173")
@pytest.mark.parametrize("form", ["json", "text"])
def test_each_warning_of_a_library_is_one_line_without_a_value(migrated: Path, form: str) -> None:
    ended = script(migrated, WARN, LOG_FORMAT=form, PYTHONWARNINGS="default")

    lines = ended.stderr.splitlines()
    assert [bool(line) for line in lines] == [True] * 5, ended.stderr
    assert (
        sum(
            "Invalid value for VR UI: …" in line or "Invalid value for VR UI: \\u2026" in line
            for line in lines
        )
        == 1
    )
    assert sum("it's odd" in line for line in lines) == 1
    assert "Zq" not in ended.stderr


@dataclass(frozen=True)
class Ended:
    """This is what all of Pylantir has logged, and /metrics said before it was stopped."""

    log: str
    metrics: str
    code: int

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines()]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Start all, with JSON logs into one file, ask it this and that, and stop it."""
    folder, web, dicom = tmp_path_factory.mktemp("logs"), free_port(), free_port()
    log = folder / "log"
    ports = ("--api-port", str(web), "--port", str(dicom), "--processes", "1")
    settings = {"LOG_FORMAT": "json", "METRICS_INTERVAL": "1", "PYLANTIR_ADMIN_PASSWORD": PASSWORD}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "start", *ports],
            env=environment(folder, **settings),
            cwd=ROOT,
            stdout=out,
            stderr=out,
        )
    try:
        wait_until(lambda: process.poll() is not None or (listens(web) and listens(dicom)), 40)
        metrics = asked(web, dicom)
        process.send_signal(signal.SIGTERM)
        process.wait(40)
    finally:
        process.kill()
        process.wait()
    return Ended(log.read_text(), metrics, process.returncode)


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def asked(web: int, dicom: int) -> str:
    """Ask both servers, rightly and wrongly, and return /metrics once it tells of the query."""
    assert scu.echo(dicom) == 0
    scu.query(dicom, scu.keys(PatientID="ZQMARKER"))
    scu.echo(dicom, calling="MR2")
    site = f"http://127.0.0.1:{web}"
    for url in (
        urllib.request.Request(f"{site}/admin/", headers={"Host": "elsewhere"}),
        f"{site}/worklist/ZQMARKER",
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url, timeout=10)
        refused.value.close()
    found: list[str] = []

    def tells() -> bool:
        with urllib.request.urlopen(f"{site}/metrics", timeout=10) as answer:
            found.append(answer.read().decode())
        awaited = ("pylantir_queries_total{", "pylantir_dicom_processes 1.0", '{process="worker"}')
        return all(each in found[-1] for each in awaited)

    wait_until(tells, 20)
    return found[-1]


@pytest.mark.acceptance("H170")
def test_every_line_of_all_that_start_runs_is_an_object(ended: Ended) -> None:
    lines = ended.lines
    events = [line["event"] for line in lines]

    assert ended.code == 0
    assert all({"time", "level", "logger", "process", "event"} <= line.keys() for line in lines)
    assert all(datetime.fromisoformat(line["time"]).utcoffset() is not None for line in lines)
    assert len({line["process"] for line in lines}) >= 3, "of the supervisor, the web and the DICOM server"
    assert any(event.startswith("Admin: http://127.0.0.1") for event in events)
    assert any("DisallowedHost" in line["logger"] and "exception" not in line for line in lines)
    told = [(line["time"], line["process"], line.get("association"), line["event"]) for line in lines]
    assert len(set(told)) == len(told), "each once"


@pytest.mark.acceptance("H171")
def test_the_lines_of_one_association_share_its_number(ended: Ended) -> None:
    ends = [line["association"] for line in ended.lines if "association released" in line["event"]]
    (of_the_query,) = [line["association"] for line in ended.lines if "answers in" in line["event"]]

    assert len(ends) == len(set(ends)) == 3
    assert of_the_query in ends


@pytest.mark.acceptance("H172")
def test_no_participant_and_no_password_is_logged(ended: Ended) -> None:
    assert "ZQMARKER" not in ended.log
    assert PASSWORD not in ended.log


@pytest.mark.acceptance("H161")
def test_the_web_server_tells_what_the_dicom_server_counted(ended: Ended) -> None:
    assert 'pylantir_queries_total{device="other",status="0000"} 1.0' in ended.metrics
    assert 'pylantir_echoes_total{device="other"} 2.0' in ended.metrics
    assert 'pylantir_process_starts_total{process="web"} 1.0' in ended.metrics
    assert "ZQMARKER" not in ended.metrics


@pytest.mark.slow
def test_the_first_password_stands_in_a_file_and_in_no_log(tmp_path: Path) -> None:
    web = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, str(ROOT / "manage.py"), "start", "--no-worker", "--no-dicom"),
            "--api-port",
            str(web),
        ],
        env=environment(tmp_path, LOG_FORMAT="json"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: process.poll() is not None or listens(web), 40)
        process.send_signal(signal.SIGTERM)
        out, log = process.communicate(timeout=40)
    finally:
        process.kill()
        process.wait()

    told = [json.loads(line) for line in (out + log).splitlines()]
    assert any("First admin: user name admin, password in " in line["event"] for line in told)
    (kept,) = tmp_path.glob("first_password")
    assert kept.read_text().strip() not in out + log
