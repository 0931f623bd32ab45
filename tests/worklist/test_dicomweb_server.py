"""A program by HTTP and a scanner by DICOM, each over a socket of its own, see and leave the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from pydicom import Dataset

from accounts.models import User
from accounts.tokens import access_token
from tests import scu
from tests.scu import Answer, Message, keys
from tests.worklist import performed_steps as steps
from tests.worklist.conftest import make_item
from tests.worklist.performed_steps import change, create
from worklist.models import Device, PerformedStep

pytestmark = pytest.mark.django_db(transaction=True)

Query = Callable[..., list[tuple[int, Any]]]
Perform = Callable[..., list[Answer]]
Items = Callable[..., list[Any]]
STEP = "ScheduledProcedureStepSequence"


class Program:
    """It asks by HTTP, at a device's base URI."""

    def __init__(self, url: str, user: User) -> None:
        self.base = f"{url}/dicomweb/devices/MR1"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {access_token(user)}"

    def find(self, **parameters: str) -> list[Any]:
        at = f"{self.base}/modality-scheduled-procedure-steps"
        answer = self.session.get(at, params=parameters, timeout=10)
        assert answer.status_code in (200, 204)
        return answer.json() if answer.content else []

    def report(self, uid: str, dataset: Dataset, query: str = "") -> int:
        at = f"{self.base}/modality-performed-procedure-steps/{uid}{query}"
        body = {key: value for key, value in dataset.to_json_dict().items() if key != "00080005"}
        headers = {"Content-Type": "application/dicom+json"}
        return self.session.post(at, data=json.dumps(body), headers=headers, timeout=10).status_code

    def retrieve(self, uid: str) -> Any:
        at = f"{self.base}/modality-performed-procedure-steps/{uid}"
        return self.session.get(at, timeout=10).json()[0]


@pytest.fixture
def program(transactional_db: None, live_server: Any) -> Program:
    return Program(live_server.url, User.objects.create_user("scanner", role="write"))


@pytest.mark.acceptance("CL191")
def test_both_find_the_same_items_with_the_same_values(program: Program, query: Query, items: Items) -> None:
    Device(ae_title="MR1", station_filter="AS_ASKED").save_as("test")
    items(3, patient_name="MÜLLER^JÖRG", modality="MR")
    make_item(7, modality="CT").save()
    asked = {"Modality": "MR", "ScheduledProcedureStepStartDate": "20000101-"}
    identifier = keys(asked, SpecificCharacterSet="ISO_IR 192", PatientName="M*", PatientID="")
    by_dicom = [dataset for status, dataset in query(identifier, calling="MR1") if status == 0xFF00]

    by_http = program.find(PatientName="M*", **{f"{STEP}.{name}": value for name, value in asked.items()})

    assert len(by_http) == 3
    assert [each["00100020"]["Value"] for each in by_http] == [[each.PatientID] for each in by_dicom]
    assert [each["00100010"]["Value"][0]["Alphabetic"] for each in by_http] == [
        str(each.PatientName) for each in by_dicom
    ]


@pytest.mark.acceptance("CL192")
def test_a_step_may_begin_by_one_and_end_by_the_other(
    program: Program, perform: Perform, items: Items
) -> None:
    Device(ae_title="MR1").save_as("test")
    first, second = items(2)
    uids = steps.new_uid(), steps.new_uid()

    assert program.report(uids[0], steps.begun(first)) == 201
    ended, retrieved = perform(
        change(uids[0], steps.completed(steps.series(1))),
        Message("N-GET", uids[0], sop_class=scu.MPPS_RETRIEVE),
    )
    assert (ended.status, retrieved.status) == (0, 0)
    assert program.retrieve(uids[0])["00400252"]["Value"] == ["COMPLETED"]

    (begun,) = perform(create(uids[1], steps.begun(second)))
    assert begun.status == 0
    assert program.report(uids[1], steps.begun(second)) == 409
    assert program.report(uids[1], steps.completed(steps.series(1)), "?update") == 200
    (late,) = perform(change(uids[1], steps.completed(steps.series(2))))
    assert late.status == 0x0110

    first.refresh_from_db()
    second.refresh_from_db()
    assert [first.performed_procedure_step_status, second.performed_procedure_step_status] == [
        "COMPLETED"
    ] * 2
    assert {*PerformedStep.objects.values_list("calling_ae_title", flat=True)} == {"MR1"}
    assert {*PerformedStep.history.values_list("history_user_id", flat=True)} == {"device:MR1"}
