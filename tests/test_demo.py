"""A newcomer sees the demonstration, and the original's own way to start."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
import requests
from django.test import Client
from django.urls import reverse
from pydicom import Dataset

from accounts.models import User
from sources.models import DataSource
from tests.conftest import free_port, wait_until
from tests.demo import growing_brains, other_studies
from tests.demo.__main__ import emptied
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN, cpip
from tests.scu import keys, query
from tests.site.fresh import ROOT, environment, script

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

TODAY = f"{date.today():%Y%m%d}"
STATE = """
from collections import Counter
from datetime import timedelta
from django.db.models import Q
from django.utils import timezone
from sources.models import DataSource, SyncIssue, SyncRun
from worklist.answering.unfound import unfound_on
from worklist.models import Attention, DeviceActivity, PerformedStep, WorklistItem
statuses = WorklistItem.objects.values_list("performed_procedure_step_status", flat=True)
print(dict(sorted(Counter(statuses).items())))
print(sorted(Attention.objects.open().values_list("kind", flat=True)))
print(SyncIssue.objects.open().count(), SyncRun.objects.filter(outcome="OK").count() > 0)
queries = DeviceActivity.objects.queries().order_by("at")  # each process writes its own
print([(query.ae_title, query.matches) for query in queries if query.address == "127.0.0.1"][:2])
lately = timezone.localdate() - timedelta(days=1)  # just after midnight they began yesterday
steps_of_other_days = PerformedStep.objects.filter(Q(start_date__lt=lately) | Q(end_date__lt=lately)).count()
print(unfound_on(timezone.localdate()), steps_of_other_days)
for source in DataSource.objects.exclude(name="growing_brains").order_by("name"):
    offered = source.steps.filter(item__performed_procedure_step_status="SCHEDULED").count()
    why = source.state.message.partition(":")[0]
    print(source.name, source.state.state, source.rules.count(), offered, why)
"""
# The demonstration runs on what `make run` installs.
WITHOUT_TOOLS = """
import runpy, sys
sys.modules |= dict.fromkeys(("hypothesis", "playwright", "pytest", "redcap", "trustme", "yaml"))
runpy.run_module("tests.demo", run_name="__main__", alter_sys=True)
"""


@contextmanager
def running(folder: Path, *command: str, **variables: str) -> Iterator[Path]:
    """Run it, with what it says in a file; in the end it stops well."""
    output = folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment(folder, **variables),
            stdout=file,
            stderr=file,
        )
    try:
        yield output
        process.send_signal(signal.SIGTERM)
        assert process.wait(50) == 0, output.read_text()
    finally:
        process.kill()
        process.wait()


def offered(port: int, **step: str) -> list[Dataset]:
    asked = keys(
        {"ScheduledProcedureStepStartDate": TODAY, "Modality": "MR", **step},
        PatientName="",
        PatientID="",
        PatientWeight="",
        PatientSex="",
    )
    return [found for _, found in query(port, asked) if found is not None]


def written_back(said: str) -> dict[str, tuple[str, str, str]]:
    """Return status, scanner and series of the records of whom REDCap knows that they were scanned."""
    [address] = re.findall(r"Stand-in REDCap +(\S+)", said)
    asked = {"token": growing_brains.TOKEN, "content": "record", "format": "json", "type": "flat"}
    answer = requests.post(address, data=asked, timeout=10)
    return {
        row["study_id"]: (row["scan_status"], row["scan_scanner"], row["scan_series"])
        for row in answer.json()
        if row["scan_start"]
    }


@pytest.mark.acceptance("D204", "RC201", "AD176", "FI73", "CL201")
def test_the_demonstration_has_something_on_every_page(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    ports = ("--port", str(free_port()), "--api-port", str(free_port()))
    with running(tmp_path, "-c", WITHOUT_TOOLS, "--folder", str(folder), *ports) as output:
        wait_until(lambda: "Sign in at" in output.read_text(), 60)
        said = script(folder, STATE).stdout.splitlines()
        found, booked = (
            {str(item.PatientName) for item in offered(int(ports[1]), ScheduledStationAETitle=station)}
            for station in ("MR1", "MR2")
        )
        forms = written_back(output.read_text())

    assert said == [
        "{'COMPLETED': 2, 'DISCONTINUED': 1, 'IN_PROGRESS': 1, 'SCHEDULED': 17}",
        "['IMAGES_WEIGHT', 'NOT_ARCHIVED', 'UNSCHEDULED', 'WEIGHT']",
        "2 True",
        "[('MR1', 9), ('MR2', 4)]",
        "None 0",
        "healthy_ageing NEVER 0 0 ",
        "sleep_and_memory HELD 7 6 5 records can no longer be seen",
        "sports_medicine OK 10 6 ",
    ]
    assert forms == {
        "GB-0101": ("1", "MR1", "1"),
        "GB-0102": ("1", "MR1", "1"),
        "GB-0103": ("2", "MR1", "1"),
        "GB-0104": ("", "MR1", ""),  # under way
    }
    children = {"Ito^Haruka", "Núñez-Peña^José", "Łukasiewicz^Ola", "O'Brien^Maeve"}
    assert found == children | {"Bakker^Femke", "Costa^Tiago", "Phantom^MR1"}
    assert booked == {"Haugen^Sindre", "Marchetti^Giulia", "O'Connor^Niamh", "Desmet^Wout"}
    password = (folder / "admin_password").read_text()
    told = output.read_text().strip().splitlines()
    assert told[-1].startswith(f"Sign in at http://127.0.0.1:{ports[3]}/admin/ as admin with {password} ")
    assert len(told) < 20  # what an import decides, and what the server logs, is for who asks for it


@pytest.mark.acceptance("RC201")
def test_a_mapping_of_the_demonstrations_last_study_is_suggested_with_samples(
    client: Client, alice: User
) -> None:
    client.force_login(alice)
    with RedcapServer(other_studies.ageing_study(date.today())) as redcap:
        other_studies.add_ageing_source(redcap.url)
        source = DataSource.objects.get(name=other_studies.AGEING)
        page = client.post(reverse("admin:sources_datasource_suggest", args=[source.pk]))

    candidates = [each for proposal in page.context["proposals"] for each in proposal.candidates]
    taken = {field for each in candidates if each.is_taken for field in each.candidate.fields}
    assert {"dob", "sex", "weight", "mri_date", "mri_start_time"} <= taken
    assert not {"partner_dob", "partner_sex", "weight_loss", "visit_date", "mri_end_time"} & taken
    shown = page.content.decode()
    assert "1951-03-09" in shown
    assert "61.5" in shown


def test_the_demonstrations_password_is_the_same_at_each_start(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    password = emptied(folder)
    (folder / "worklist.db").touch()

    assert emptied(folder) == password
    assert [file.name for file in folder.iterdir()] == ["admin_password"]


def test_a_configuration_of_the_original_starts_as_it_always_did_and_reaches_the_scanner(
    tmp_path: Path, migrated: Path
) -> None:
    file = tmp_path / "config.json"
    source = {
        "name": "main_redcap",
        "type": "redcap",
        "enabled": True,
        "sync_interval": 60,
        "operation_interval": {"start_time": [0, 0], "end_time": [23, 59]},
        "config": {"site_id": "792", "protocol": "BRAIN_MRI_3T", "patient_ids": "whole"},
        "field_mapping": {"study_id": "study_id", "mri_wt_lbs": "patient_weight_lb"},
    }
    file.write_text(json.dumps({"db_echo": "False", "allowed_aet": ["MR1"], "data_sources": [source]}))
    dicom = free_port()
    with RedcapServer(cpip(date.today())) as redcap:
        credentials = {
            "REDCAP_API_URL": redcap.url,
            "REDCAP_API_TOKEN": TOKEN,
            "TIME_ZONE": "America/Edmonton",
        }
        start = ("manage.py", "start", "--ip", "127.0.0.1", "--port", str(dicom), "--AEtitle", "MWL_SERVER")
        config = ("--pylantir_config", str(file), "--no-web")
        with running(migrated, *start, *config, **credentials) as output:
            wait_until(lambda: " listens at " in output.read_text(), 40)
            wait_until(lambda: offered(dicom), 40)
            [found] = offered(dicom)

    assert found.PatientID == "sub_CPIP-0042_ses_1_fam_F-7_site_792"
    assert found.PatientName == "cpip-id-CPIP-0042^fa-F-7"
    assert (found.PatientWeight, found.PatientSex) == (36.29, "F")
    assert TOKEN not in output.read_text()
