"""The README's main job runs from an empty data folder: start, enter items, ask as a scanner does, stop."""

from __future__ import annotations

import http.cookiejar
import re
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.conftest import PASSWORD, dcmtk, free_port, wait_until
from tests.scu import keys
from tests.site.fresh import ROOT, environment, manage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


class Running(NamedTuple):
    process: subprocess.Popen[bytes]
    output: Path
    data: Path
    web: int
    dicom: int

    @property
    def said(self) -> str:
        return self.output.read_text()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    web, dicom, output = free_port(), free_port(), tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "start", "--api-port", str(web), "--port", str(dicom)],
            cwd=ROOT,
            env=environment(tmp_path),
            stdout=file,
            stderr=file,
        )
    found = Running(process, output, tmp_path, web, dicom)
    wait_until(lambda: process.poll() is not None or " listens at " in found.said, 40)
    yield found
    if process.poll() is None:
        process.terminate()
        process.wait(40)


class Admin:
    """It uses the admin by plain HTTP, as a browser without JavaScript."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def answers(self) -> bool:
        try:
            return bool(self.get("/admin/login/"))
        except OSError:
            return False

    def get(self, path: str) -> str:
        with self._opener.open(self._base + path, timeout=20) as answer:
            return str(answer.read().decode())

    def post(self, path: str, **fields: str) -> str:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(path))
        assert token
        sent = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        request = urllib.request.Request(self._base + path, sent, {"Referer": self._base + path})
        with self._opener.open(request, timeout=20) as answer:
            return str(answer.read().decode())


def worklist_file(path: Path) -> None:
    """Write one item as wlmscpfs keeps it."""
    dataset: Dataset = keys(
        {
            "Modality": "MR",
            "ScheduledStationAETitle": "MR1",
            "ScheduledProcedureStepStartDate": date.today().strftime("%Y%m%d"),
            "ScheduledProcedureStepStartTime": "103000",
            "ScheduledProcedureStepID": "S2",
        },
        PatientName="ROE^RICHARD",
        PatientID="P2",
        PatientWeight="81.5",
        StudyInstanceUID="1.2.3.2",
        RequestedProcedureID="R2",
        AccessionNumber="A2",
    )
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, implicit_vr=False, little_endian=True)


def test_items_that_are_entered_reach_a_scanner_that_asks_for_today(running: Running) -> None:
    kept = running.data / "first_password"
    password = kept.read_text().strip()
    assert f"user name admin, password in {kept}, " in running.said
    wait_until(lambda: f"http://127.0.0.1:{running.web}/admin/" in running.said, 20)

    admin = Admin(running.web)
    wait_until(admin.answers, 20)
    admin.post("/admin/login/?next=/admin/", username="admin", password=password)
    assert "choose a password of your own" in admin.get("/admin/")
    admin.post(
        "/admin/password_change/", old_password=password, new_password1=PASSWORD, new_password2=PASSWORD
    )
    assert not kept.exists()
    page = admin.post(
        "/admin/worklist/worklistitem/add/",
        patient_name="Doe^John",
        patient_id="P1",
        patient_weight_lb="154",
        modality="MR",
        scheduled_station_aetitle="MR1",
        scheduled_start_date=date.today().isoformat(),
        scheduled_start_time="09:30",
        extra_attributes="{}",
    )
    assert "was added for" in page

    folder = running.data / "worklist"
    folder.mkdir()
    worklist_file(folder / "item.wl")
    imported = manage(running.data, "import_worklist", str(folder))
    assert imported.returncode == 0, imported.stderr

    asked = subprocess.run(
        [
            *(dcmtk("findscu"), "-W", "-aet", "MR1", "-aec", "MWL_SERVER"),
            *("-k", "PatientName", "-k", "PatientID", "-k", "PatientWeight", "-k", "StudyInstanceUID"),
            *("-k", "(0040,0100)[0].ScheduledStationAETitle=MR1"),
            *("-k", f"(0040,0100)[0].ScheduledProcedureStepStartDate={date.today():%Y%m%d}"),
            *("-k", "(0040,0100)[0].Modality=MR"),
            *("127.0.0.1", str(running.dicom)),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    printed = asked.stdout + asked.stderr
    assert re.findall(r"PN \[(.*?) ?\]", printed) == ["Doe^John", "ROE^RICHARD"]
    assert re.findall(r"DS \[(.*?) ?\]", printed) == ["69.85", "81.5"]
    assert len(re.findall(r"UI \[(.+?)\]", printed)) == 2

    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(40) == 0, running.said
    assert "Traceback" not in running.said
