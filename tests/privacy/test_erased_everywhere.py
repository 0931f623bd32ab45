"""Marks of a participant come in by every door, the participant is erased, and no mark is left anywhere.

Not here: an examination that runs, several people under one ID (test_erasing.py).
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pydicom import Dataset, dcmread

from accounts.models import User
from sources.models import ErasedRecord
from tests import scu
from tests.conftest import wait_until
from tests.privacy import planting
from tests.privacy.planting import CYRILLIC, FAMILY, GIVEN, NAME, PATIENT_ID, RECORD
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.scu import RawUser, keys
from tests.sources.conftest import new_source, pull
from tests.sources.study import participant
from tests.worklist import performed_steps as steps
from tests.worklist.conftest import StartServer
from worklist.models import Attention, DeviceActivity, PerformedStep, WorklistItem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


class Scanner:
    """It asks a server that records what devices do, and reports to it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, **asked: Any) -> list[Dataset]:
        """Return the answers."""
        with RawUser(self.port) as user:
            user.associate()
            user.find(keys(**asked))
            return [decoded(each.identifier) for each in user.responses() if each.identifier]

    def report(self, *messages: scu.Message) -> list[int | None]:
        return [answer.status for answer in scu.report(self.port, messages)]


def status_key(status: str) -> Dataset:
    return keys(ScheduledProcedureStepStatus=status)


def decoded(identifier: bytes) -> Dataset:
    return dcmread(BytesIO(identifier), force=True)


@pytest.fixture
def scanner(start_recording_server: StartServer) -> Scanner:
    return Scanner(start_recording_server().port)


def examined(scanner: Scanner, item: WorklistItem) -> None:
    """Examine the participant at a scanner, which looks for them in several ways before."""
    asked: tuple[dict[str, str], ...] = (
        {"PatientName": f"{FAMILY[:9]}*"},
        {"PatientID": PATIENT_ID},
        {"PatientName": CYRILLIC + "*", "SpecificCharacterSet": "ISO_IR 144"},
        {"PatientName": NAME, "SpecificCharacterSet": "ISO_IR 192"},
        {"AccessionNumber": planting.ACCESSION},
        {"PatientBirthDate": planting.BIRTH},
        {},
    )
    for query in asked:
        scanner.ask(**query)
    uid = steps.new_uid()
    begun = steps.begun(
        item,
        charset="ISO_IR 192",
        PatientComments=planting.COMMENT,
        OtherPatientNames=f"{CYRILLIC}^{GIVEN}",
        CommentsOnThePerformedProcedureStep=planting.NOTE,
        PatientSex="M",  # differs: a point of attention says so
    )
    done = steps.completed(
        steps.series(SeriesDescription=f"t1 {FAMILY}"), charset="ISO_IR 192", PatientWeight="61.37"
    )
    assert scanner.report(steps.create(uid, begun), steps.change(uid, done)) == [0, 0]
    wait_until(lambda: DeviceActivity.objects.filter(kind="N-SET").exists())


@pytest.mark.acceptance("H61")
@pytest.mark.timeout(120)
def test_no_mark_is_left_by_any_door_and_what_was_done_is(
    scanner: Scanner,
    redcap: RedcapServer,
    project: Project,
    alice: User,
    tmp_path: Path,
    settings: LazySettings,
) -> None:
    client = Client()
    client.force_login(alice)
    planting.wants_notices(alice)
    participant(project, RECORD, FAMILY)
    project.save(RECORD, first_name=GIVEN, dob="1937-07-13", sex="2")
    project.save(RECORD, instrument="mri", instance=1, comment=planting.COMMENT)
    source = new_source(redcap)
    pull(source)
    item = planting.by_rest(alice)
    examined(scanner, item)
    planting.by_the_form(client)
    planting.by_a_file(tmp_path)
    planting.by_a_weight(client, WorklistItem.objects.latest("pk"))
    planting.by_what_people_look_for(client)
    planting.by_notices()
    other = planting.by_what_others_wrote(Attention.objects.latest("pk"))
    tables = planting.left_in_tables()
    assert {"worklist_worklistitem", "worklist_performedstep", "sources_syncedstep"} <= tables.keys()
    assert {mark for marks in tables.values() for mark in marks} == set(planting.MARKS)
    assert {FAMILY, PATIENT_ID} <= planting.left_in_sessions()
    files = planting.left_in_files(*_folders())
    assert files or connection.vendor != "sqlite"
    before = _done()

    call_command("erase_participant", PATIENT_ID, yes=True, reason="Asked for it", verbosity=0)

    assert planting.left_in_tables() == {}
    assert planting.left_in_sessions() == set()
    assert planting.left_in_files(*_folders()) == {}
    assert _done() == before
    assert PerformedStep.objects.get().dataset["00400241"] == {"vr": "AE", "Value": ["MR1"]}
    other.refresh_from_db()
    assert (other.patient_name, other.protocol_name) == ("Else^Somebody", "KNEE")

    # No scanner finds anything of it, whatever it asks for, and no pull brings it back.
    for status in ("", "COMPLETED", "DISCONTINUED"):
        answered = scanner.ask(PatientID="", ScheduledProcedureStepSequence=[status_key(status)])
        assert [found.PatientID for found in answered] == ([] if status else ["ELSE-1"])
    pull(source, full=True)
    assert planting.left_in_tables() == {}
    assert ErasedRecord.objects.filter(source=source).count() == 1


def _folders() -> list[Path]:
    """Return the data folder, where it has the database."""
    database = Path(str(connection.settings_dict["NAME"]))
    return [database.parent] if connection.vendor == "sqlite" else []


def _done() -> dict[str, Any]:
    """Return what a site counts: examinations by day, scanner and protocol, and who asked."""
    of_items = ("scheduled_start_date", "protocol_name", "modality", "data_source", "station_name")
    of_steps = ("status", "start_date", "calling_ae_title", "description")
    return {
        "items": sorted(WorklistItem.objects.values_list(*of_items)),
        "steps": list(PerformedStep.objects.values_list(*of_steps)),
        "queries": DeviceActivity.objects.queries().count(),
    }
