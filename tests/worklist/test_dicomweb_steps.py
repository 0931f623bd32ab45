"""Performed steps by HTTP become what N-CREATE and N-SET make of them (PS3.18 chapter 15)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from accounts.models import AuditEvent, User
from accounts.tokens import access_token
from tests.api_client import client_of
from tests.conftest import tool
from tests.effort import tries
from tests.statements import counted
from tests.worklist.performed_steps import MR_IMAGE_STORAGE, begun, completed, new_uid, progress, series
from tests.worklist.reported import an_item
from worklist.dicom import json_model, native_xml, retrieval
from worklist.dicomweb import bodies
from worklist.examinations import performing
from worklist.models import Attention, Device, DeviceActivity, PerformedStep, WorklistItem

pytestmark = pytest.mark.django_db

ROOT = "/dicomweb/modality-performed-procedure-steps"
OF_MR1 = "/dicomweb/devices/MR1/modality-performed-procedure-steps"
JSON, XML = "application/dicom+json", "application/dicom+xml"


@pytest.fixture
def client(bob: User) -> Any:
    return client_of(bob)


@pytest.fixture
def item() -> WorklistItem:
    return an_item(patient_name="Müller^Jörg=王^小明")


def as_json(dataset: Dataset) -> Any:
    """Return the data set in the JSON Model, made by pydicom."""
    found = {**dataset.to_json_dict()}
    found.pop("00080005", None)
    return found


def post(client: Any, path: str, body: Any, *, as_xml: bool = False) -> Any:
    model = as_json(body) if isinstance(body, Dataset) else body
    if isinstance(model, bytes | str):
        data: Any = model
    else:
        data = native_xml.document(model).encode() if as_xml else json.dumps(model)
    return client.generic("POST", path, data, content_type=XML if as_xml else JSON)


def stored(uid: str) -> PerformedStep:
    return PerformedStep.objects.get(sop_instance_uid=uid)


def status_of(item: WorklistItem) -> str:
    item.refresh_from_db()
    return item.performed_procedure_step_status


@pytest.mark.acceptance("CL168")
@pytest.mark.parametrize("as_xml", [False, True], ids=["JSON", "XML"])
def test_a_step_goes_from_its_creation_to_its_end(as_xml: bool, client: Any, item: WorklistItem) -> None:
    uid, at = new_uid(), ""
    at = f"{ROOT}/{uid}"
    created = post(client, at, begun(item), as_xml=as_xml)
    assert (created.status_code, created.content) == (201, b"")
    assert created["Location"] == f"http://testserver{at}"
    assert status_of(item) == "IN_PROGRESS"
    assert post(client, f"{at}?update", progress(series(1)), as_xml=as_xml).status_code == 200
    ended = post(client, f"{at}?update=", completed(series(1), series(2)), as_xml=as_xml)
    assert (ended.status_code, ended.content) == (200, b"")
    assert status_of(item) == "COMPLETED"
    step = stored(uid)
    assert (step.patient_name, step.series.count()) == ("Müller^Jörg=王^小明", 2)
    assert step.deviations == []
    assert not Attention.objects.exists()


@pytest.mark.acceptance("CL169")
@pytest.mark.parametrize("as_xml", [False, True], ids=["JSON", "XML"])
def test_what_is_kept_is_what_the_same_messages_by_dicom_leave(
    as_xml: bool, client: Any, item: WorklistItem
) -> None:
    Device(ae_title="MR1").save_as("test")
    other = an_item(patient_name="Müller^Jörg=王^小明", scheduled_start_date="20260111")
    sender = performing.Sender("MR1", "127.0.0.1")
    uids = new_uid(), new_uid()
    for uid, each in zip(uids, (item, other), strict=True):
        messages = [
            begun(each, charset="ISO_IR 192"),
            progress(series(1)),
            completed(*map(series, range(1, 40))),
        ]
        if each is item:
            codes = [
                post(client, f"{OF_MR1}/{uid}{query}", message, as_xml=as_xml).status_code
                for message, query in zip(messages, ("", "?update", "?update"), strict=True)
            ]
            assert codes == [201, 200, 200]
        else:
            performing.begin(uid, messages[0], sender=sender)
            for message in messages[1:]:
                performing.update(uid, message, sender=sender)
    by_http, by_dicom = map(stored, uids)
    told = {}
    for step in (by_http, by_dicom):
        columns = {
            field.name: getattr(step, field.name)
            for field in PerformedStep._meta.concrete_fields
            if field.name
            not in ("id", "sop_instance_uid", "created_at", "updated_at", "finished_at", "dataset")
        }
        columns.pop("study_instance_uid")
        columns["dataset"] = {key: value for key, value in plain(step.dataset).items() if key != "00400270"}
        columns["history"] = [
            (each.history_user_id, each.history_change_reason) for each in step.history.all()
        ]
        told[step.pk] = columns
    assert told[by_http.pk] == told[by_dicom.pk]


def plain(dataset: Any) -> Any:
    return json.loads(json.dumps(dataset, default=list))


class TestAnswers:
    @pytest.mark.acceptance("CL170")
    def test_a_uid_that_is_in_use_conflicts(self, client: Any, item: WorklistItem) -> None:
        uid = new_uid()
        post(client, f"{ROOT}/{uid}", begun(item))
        again = post(client, f"{ROOT}/{uid}", begun(item))
        assert again.status_code == 409
        assert again.json()["detail"] == "This performed procedure step exists already."
        assert again["Warning"].startswith("299 http://testserver/dicomweb: 0111: This performed")

    def test_an_unknown_step_is_not_found(self, client: Any) -> None:
        updated = post(client, f"{ROOT}/1.2.3?update", completed(series(1)))
        assert (updated.status_code, updated["Warning"].split(": ")[1]) == (404, "0112")
        assert client.get(f"{ROOT}/1.2.3").status_code == 404

    @pytest.mark.acceptance("CL171")
    def test_a_step_that_has_ended_may_no_longer_be_updated(self, client: Any, item: WorklistItem) -> None:
        at = f"{ROOT}/{new_uid()}"
        post(client, at, begun(item))
        post(client, f"{at}?update", completed(series(1)))
        late = post(client, f"{at}?update", completed(series(2)))
        assert late.status_code == 409
        assert "may no longer be updated" in late.json()["detail"]
        assert ": 0110: " in late["Warning"]

    @pytest.mark.acceptance("CL172")
    @pytest.mark.parametrize(
        ("changes", "status", "named"),
        [
            ({"PerformedProcedureStepStatus": "COMPLETED"}, "0106", "(0040,0252)"),
            ({"PerformedProcedureStepStatus": ""}, "0121", "(0040,0252)"),
            ({"PerformedProcedureStepStatus": None}, "0120", "(0040,0252)"),
        ],
    )
    def test_an_attribute_that_is_wrong_is_named_with_dicom_s_status(
        self, changes: dict[str, Any], status: str, named: str, client: Any, item: WorklistItem
    ) -> None:
        dataset = begun(item, **changes)
        model = as_json(dataset)
        if changes["PerformedProcedureStepStatus"] is None:
            del model["00400252"]
        response = post(client, f"{ROOT}/{new_uid()}", model)
        assert (response.status_code, named in response.json()["detail"]) == (400, True)
        assert f": {status}: " in response["Warning"]
        assert not PerformedStep.objects.exists()

    def test_a_strict_device_refuses_what_another_is_forgiven(self, client: Any, item: WorklistItem) -> None:
        Device(ae_title="MR1", mpps_strictness="strict").save_as("test")
        dataset = begun(item, PerformedStationAETitle="")
        assert post(client, f"{OF_MR1}/{new_uid()}", dataset).status_code == 400
        assert post(client, f"{ROOT}/{new_uid()}", dataset).status_code == 201

    @pytest.mark.acceptance("CL173")
    def test_what_an_update_may_not_carry_is_ignored_and_warned_of(
        self, client: Any, item: WorklistItem
    ) -> None:
        uid = new_uid()
        post(client, f"{ROOT}/{uid}", begun(item))
        change = completed(series(1))
        change.PatientID = "P99"
        response = post(client, f"{ROOT}/{uid}?update", change)
        assert response.status_code == 200
        assert response["Warning"] == (
            "299 http://testserver/dicomweb: 0107: Not allowed in N-SET: (0010,0020)."
        )
        assert stored(uid).patient_id == "P1"

    @pytest.mark.parametrize("uid", ["abc", "1", "1.02", "1" * 65, "1.2.x"])
    def test_what_is_no_uid_is_refused(self, uid: str, client: Any, item: WorklistItem) -> None:
        assert post(client, f"{ROOT}/{uid}", begun(item)).status_code == 400
        assert not PerformedStep.objects.exists()

    @pytest.mark.acceptance("CL174")
    def test_a_step_may_be_created_under_a_uid_of_the_server(self, client: Any, item: WorklistItem) -> None:
        response = post(client, ROOT, begun(item))
        assert response.status_code == 201
        step = PerformedStep.objects.get()
        assert response["Location"] == f"http://testserver{ROOT}/{step.sop_instance_uid}"
        assert post(client, f"{ROOT}?update", completed(series(1))).status_code == 400

    @pytest.mark.acceptance("CL175")
    def test_what_could_not_be_kept_is_not_acknowledged(
        self, client: Any, item: WorklistItem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*args: Any) -> Any:
            raise OperationalError("database is locked")

        monkeypatch.setattr("worklist.examinations.performing._write_beginning", away)
        response = post(client, f"{ROOT}/{new_uid()}", begun(item))
        assert response.status_code == 503
        assert not PerformedStep.objects.exists()

    def test_a_report_has_no_payload_so_any_media_type_is_accepted(
        self, client: Any, item: WorklistItem
    ) -> None:
        body = json.dumps(as_json(begun(item)))
        headers = {"accept": "text/html"}
        response = client.generic("POST", f"{ROOT}/{new_uid()}", body, content_type=JSON, headers=headers)
        assert (response.status_code, response.content) == (201, b"")

    @pytest.mark.parametrize("query", ["Update", "updates=1", "includefield=all", "PatientID=P1"])
    def test_a_misspelt_update_creates_nothing(self, query: str, client: Any, item: WorklistItem) -> None:
        response = post(client, f"{ROOT}/{new_uid()}?{query}", begun(item))
        assert response.status_code == 400
        assert not PerformedStep.objects.exists()


class TestRetrieved:
    @pytest.mark.acceptance("CL176")
    @pytest.mark.parametrize("accepted", [JSON, XML, f'multipart/related; type="{JSON}"'])
    def test_a_step_is_retrieved_as_n_get_answers_it(
        self, accepted: str, client: Any, item: WorklistItem
    ) -> None:
        uid = new_uid()
        post(client, f"{ROOT}/{uid}", begun(item))
        post(client, f"{ROOT}/{uid}?update", completed(series(1), series(2)))
        response = client.get(f"{ROOT}/{uid}", headers={"accept": accepted})
        step = stored(uid)
        by_dicom, _ = retrieval.retrieve(step.dataset, step.status, [])
        wanted = json_model.read(by_dicom).dataset
        assert response.status_code == 200
        assert response["Content-Type"].startswith(accepted)
        if accepted == XML:
            found = native_xml.read(response.content)
        else:
            start, end = response.content.index(b"["), response.content.rindex(b"]") + 1
            (found,) = json.loads(response.content[start:end])
        assert found.keys() - {"00080005"} == wanted.keys()
        assert found["00100010"]["Value"] == [{"Alphabetic": "Müller^Jörg", "Ideographic": "王^小明"}]
        assert len(found["00400340"]["Value"]) == 2
        assert found["00400252"]["Value"] == ["COMPLETED"]

    @pytest.mark.acceptance("CL177")
    def test_includefield_chooses_attributes(self, client: Any, item: WorklistItem) -> None:
        uid = new_uid()
        post(client, f"{ROOT}/{uid}", begun(item))
        response = client.get(f"{ROOT}/{uid}?includefield=00400252,PatientID&includefield=PatientWeight")
        (found,) = response.json()
        assert found == {
            "00100020": {"vr": "LO", "Value": ["P1"]},
            "00400252": {"vr": "CS", "Value": ["IN PROGRESS"]},
        }
        assert response["Warning"].endswith("0001: Requested optional Attributes are not supported.")
        whole = client.get(f"{ROOT}/{uid}?includefield=all")
        assert whole.json() == client.get(f"{ROOT}/{uid}").json()

    @pytest.mark.parametrize(
        "query", ["includefield=Patient", "includefield=PerformedSeriesSequence.Modality", "update", "x=1"]
    )
    def test_another_parameter_is_refused(self, query: str, client: Any, item: WorklistItem) -> None:
        uid = new_uid()
        post(client, f"{ROOT}/{uid}", begun(item))
        assert client.get(f"{ROOT}/{uid}?{query}").status_code == 400


TAGS = ["00100010", "00100020", "00400270", "00091001", "00400340", "00101030", "00400244"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*TAGS, "vr", "Value", "Alphabetic", "Phonetic"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
ELEMENTS = st.fixed_dictionaries(
    {"vr": st.sampled_from(["LO", "PN", "DS", "IS", "US", "FD", "SQ", "AT", "OB", "UN", "TM", "UT", "DA"])},
    optional={"Value": st.lists(VALUES, max_size=3), "InlineBinary": st.just("AAE=")},
)


def model(inner: str, *, tag: str, vr: str) -> str:
    return (
        f'<NativeDicomModel><DicomAttribute tag="{tag}" vr="{vr}">{inner}</DicomAttribute></NativeDicomModel>'
    )


class TestBodies:
    @pytest.mark.acceptance("CL178")
    @pytest.mark.parametrize(
        ("content_type", "status"),
        [
            (JSON, 201),
            ("application/json", 201),
            ("application/dicom+json; charset=UTF-8", 201),
            ("application/dicom+json; charset=latin-1", 415),
            ("application/dicom", 415),
            ("text/plain", 415),
            ("", 415),
            ("multipart/related; boundary=x", 415),
            ("application/x-www-form-urlencoded", 415),
        ],
    )
    def test_only_json_and_xml_are_taken(
        self, content_type: str, status: int, client: Any, item: WorklistItem
    ) -> None:
        body = json.dumps([as_json(begun(item))])
        response = client.generic("POST", f"{ROOT}/{new_uid()}", body, content_type=content_type)
        assert response.status_code == status

    @pytest.mark.acceptance("CL179")
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (b"", "It is not JSON"),
            (b"{", "It is not JSON"),
            (b"\xff\xfe", "It is not JSON"),
            (b"[]", "One data set is expected"),
            (b"[{},{}]", "One data set is expected"),
            (b'"x"', "is no object of attributes by tag"),
            (b'{"PatientID":{"vr":"LO"}}', "no tag of eight hexadecimal digits"),
            (b'{"00100020":{"vr":"LO"},"00100020":{"vr":"LO"}}', "twice in one object"),
            (b'{"0010002a":{"vr":"LO"},"0010002A":{"vr":"LO"}}', "has an attribute twice"),
            (b'{"00020010":{"vr":"UI"}}', "(0002,0010), which is no attribute"),
            (b'{"00100020":"P1"}', "(0010,0020) is no object"),
            (b'{"00100020":{"Value":["P1"]}}', "(0010,0020) has no `vr`"),
            (b'{"00100020":{"vr":"ZZ"}}', "(0010,0020) has no `vr`"),
            (b'{"00100020":{"vr":"LO","value":["P1"]}}', "has more than `vr`"),
            (b'{"00100020":{"vr":"LO","Value":"P1"}}', "a `Value` that is no list"),
            (b'{"00100020":{"vr":"LO","Value":[1]}}', "no text, as LO is"),
            (b'{"00100020":{"vr":"LO","Value":["A\\\\B"]}}', "a backslash in a value"),
            (b'{"00100010":{"vr":"PN","Value":["Doe"]}}', "no person name"),
            (b'{"00100010":{"vr":"PN","Value":[{"Alphabetic":"A=B"}]}}', "`=` in a component group"),
            (b'{"00101030":{"vr":"DS","Value":[true]}}', "no number, as DS is"),
            (b'{"00101030":{"vr":"IS","Value":[1.5]}}', "a number that IS cannot hold"),
            (b'{"001021C0":{"vr":"US","Value":[65536]}}', "a number that US cannot hold"),
            (b'{"001021C0":{"vr":"US","Value":[1.5]}}', "a number that US cannot hold"),
            (b'{"00104000":{"vr":"LT","Value":["a","b"]}}', "several values, and LT may have one"),
            (b'{"00104000":{"vr":"LT","Value":["\\ud800"]}}', "half of a surrogate pair"),
            (b'{"00091001":{"vr":"OB","InlineBinary":"%%"}}', "no Base64"),
            (b'{"00091001":{"vr":"OB","BulkDataURI":"http://x/"}}', "bulk data, which is not fetched"),
            (b'{"00400270":{"vr":"SQ","Value":["x"]}}', "(0040,0270) is no object"),
            (
                b'{"00400270":{"vr":"SQ","Value":[{"00080050":{"vr":"SH","Value":[2]}}]}}',
                "(0008,0050) in (0040,0270)",
            ),
        ],
    )
    def test_a_body_that_says_no_data_set_is_refused_with_where_and_what(
        self, body: bytes, said: str, client: Any
    ) -> None:
        response = post(client, f"{ROOT}/{new_uid()}", body)
        assert response.status_code == 400
        assert said in response.json()["detail"]

    @pytest.mark.acceptance("CL180")
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("", "It is not XML: no element found"),
            ("<a>", "It is not XML"),
            ("<a/>", "element is not NativeDicomModel"),
            (
                '<!DOCTYPE x [<!ENTITY e "x">]><NativeDicomModel>&e;</NativeDicomModel>',
                "a document type, which is refused",
            ),
            ('<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><NativeDicomModel/>', "a document type"),
            ("<NativeDicomModel>&e;</NativeDicomModel>", "undefined entity"),
            ("<NativeDicomModel><Value/></NativeDicomModel>", "something else in it than DicomAttribute"),
            (
                '<NativeDicomModel><DicomAttribute tag="x" vr="LO"/></NativeDicomModel>',
                "DicomAttribute with a tag",
            ),
            (
                "<NativeDicomModel>" + '<DicomAttribute tag="00100020" vr="LO"/>' * 2 + "</NativeDicomModel>",
                "stands twice",
            ),
            (
                model('<Value number="2">x</Value>', tag="00100020", vr="LO"),
                "not numbered from 1",
            ),
            (
                model('<Item number="1"/>', tag="00100020", vr="LO"),
                "is LO, and has something else in it than Value",
            ),
            (
                model('<BulkData uri="http://x"/>', tag="00100020", vr="LO"),
                "something else in it than Value",
            ),
            (
                model(
                    '<PersonName number="1"><Alphabetic><Family>x</Family></Alphabetic></PersonName>',
                    tag="00100010",
                    vr="PN",
                ),
                "is no person name",
            ),
            ("<a>" * 70 + "</a>" * 70, "stand within each other"),
            ('<?xml version="1.0" encoding="klingon"?><NativeDicomModel/>', "It is not XML"),
        ],
    )
    def test_xml_is_refused_with_what_is_wrong_and_no_entity_is_resolved(
        self, body: str, said: str, client: Any
    ) -> None:
        response = client.generic("POST", f"{ROOT}/{new_uid()}", body, content_type=XML)
        assert response.status_code == 400
        assert said in response.json()["detail"]

    @pytest.mark.acceptance("CL181")
    def test_a_body_that_is_too_large_is_refused_unread(
        self, client: Any, item: WorklistItem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        body = json.dumps(as_json(begun(item)))
        monkeypatch.setattr(bodies, "LONGEST_BODY", len(body) - 1)
        assert post(client, f"{ROOT}/{new_uid()}", body).status_code == 413
        monkeypatch.setattr(bodies, "LONGEST_BODY", len(body))
        assert post(client, f"{ROOT}/{new_uid()}", body).status_code == 201

    def test_a_report_of_many_images_is_taken(self, client: Any, item: WorklistItem) -> None:
        at = f"{ROOT}/{new_uid()}"
        post(client, at, begun(item))
        assert post(client, f"{at}?update", completed(series(1, images=3000))).status_code == 200
        (found,) = client.get(at).json()
        assert len(found["00400340"]["Value"][0]["00081140"]["Value"]) == 3000

    @given(
        body=st.binary(max_size=300) | st.text(max_size=200).map(str.encode),
        content_type=st.sampled_from([JSON, XML]),
    )
    @settings(max_examples=tries(40, nightly=1000), deadline=None, suppress_health_check=list(HealthCheck))
    def test_any_bytes_are_refused_and_break_nothing(
        self, body: bytes, content_type: str, client: Any
    ) -> None:
        response = client.generic("POST", f"{ROOT}/1.2.3", body, content_type=content_type)
        assert response.status_code == 400

    @given(given_=st.dictionaries(st.sampled_from(TAGS), ELEMENTS))
    @settings(max_examples=tries(60, nightly=2000), deadline=None, suppress_health_check=list(HealthCheck))
    def test_any_json_is_refused_or_kept_and_breaks_nothing(
        self, client: Any, item: WorklistItem, given_: dict[str, Any]
    ) -> None:
        """Attributes of any form are put into a step that would be kept without them."""
        uid = new_uid()
        response = post(client, f"{ROOT}/{uid}", {**as_json(begun(item)), **given_})
        assert response.status_code in (201, 400)
        assert PerformedStep.objects.filter(sop_instance_uid=uid).exists() is (response.status_code == 201)
        assert client.get(f"{ROOT}/{uid}").status_code in (200, 404)


class TestWho:
    @pytest.mark.acceptance("CL182")
    def test_the_history_names_the_account_or_the_device(self, client: Any, item: WorklistItem) -> None:
        Device(ae_title="MR1").save_as("test")
        by_account, by_device = new_uid(), new_uid()
        post(client, f"{ROOT}/{by_account}", begun(item))
        post(client, f"{OF_MR1}/{by_device}", begun(item))
        found = [
            (stored(uid).calling_ae_title, stored(uid).history.latest().history_user_id)
            for uid in (by_account, by_device)
        ]
        assert found == [("", "bob"), ("MR1", "device:MR1")]

    @pytest.mark.acceptance("CL183")
    def test_a_device_s_reports_are_kept_as_its_messages_are(self, client: Any, item: WorklistItem) -> None:
        Device(ae_title="MR1").save_as("test")
        uid = new_uid()
        post(client, f"{OF_MR1}/{uid}", begun(item))
        post(client, f"{OF_MR1}/{uid}", begun(item))
        client.get(f"{OF_MR1}/{uid}")
        told = DeviceActivity.objects.order_by("pk").values_list("kind", "status", "sop_instance_uid")
        assert list(told) == [("N-CREATE", 0, uid), ("N-CREATE", 0x0111, uid), ("N-GET", 0, uid)]

    def test_a_report_is_acknowledged_although_its_record_cannot_be_written(
        self, client: Any, item: WorklistItem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*args: Any, **more: Any) -> Any:
            raise OperationalError("database is locked")

        Device(ae_title="MR1").save_as("test")
        monkeypatch.setattr(DeviceActivity.objects, "create", away)
        uid = new_uid()
        assert post(client, f"{OF_MR1}/{uid}", begun(item)).status_code == 201
        assert stored(uid).status == "IN_PROGRESS"

    @pytest.mark.acceptance("CL184")
    def test_who_may_only_look_reports_nothing(self, charlie: User, item: WorklistItem) -> None:
        uid = new_uid()
        assert post(client_of(charlie), f"{ROOT}/{uid}", begun(item)).status_code == 403
        assert not PerformedStep.objects.exists()

    def test_the_audit_trail_names_the_step_by_its_key_and_hides_the_uid(
        self, bob: User, item: WorklistItem
    ) -> None:
        client, uid = Client(headers={"authorization": f"Bearer {access_token(bob)}"}), new_uid()
        assert post(client, f"{ROOT}/{uid}", begun(item)).status_code == 201
        event = AuditEvent.objects.latest("pk")
        assert event.rows == [stored(uid).pk]
        assert (event.username, event.method, event.status) == ("bob", "POST", 201)
        assert uid not in event.path


@pytest.mark.acceptance("CL185")
def test_a_report_by_http_takes_few_statements_more_than_by_dicom(client: Any, item: WorklistItem) -> None:
    uid = new_uid()
    body = as_json(begun(item))
    with counted() as by_http:
        post(client, f"{ROOT}/{uid}", body)
    other = an_item(patient_id="P2")
    with counted() as by_dicom:
        performing.begin(new_uid(), begun(other), sender=performing.Sender("", "127.0.0.1", account="bob"))
    # The step's key for the audit trail, and the event in a transaction of its own, which PostgreSQL locks.
    assert len(by_http) <= len(by_dicom) + 6


@pytest.mark.slow
@pytest.mark.acceptance("CL186")
@pytest.mark.parametrize(
    ("program", "options", "content_type"),
    [("dcm2json", [], JSON), ("dcm2xml", ["--native-format"], XML)],
    ids=["dcm2json", "dcm2xml"],
)
def test_what_dcmtk_writes_is_read_as_the_data_set_that_it_was(
    program: str, options: list[str], content_type: str, client: Any, item: WorklistItem, tmp_path: Path
) -> None:
    uid, other = new_uid(), new_uid()
    report = begun(item, charset="ISO_IR 192", StudyID="A & <B>")
    report.PregnancyStatus, report.PatientWeight = 4, "70.50"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(MR_IMAGE_STORAGE), UID(uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report.file_meta = meta
    dcmwrite(tmp_path / "report.dcm", report, enforce_file_format=True)
    command = [tool(program), *options, str(tmp_path / "report.dcm"), str(tmp_path / "report")]
    subprocess.run(command, check=True, timeout=20)
    body = (tmp_path / "report").read_bytes()
    if content_type == JSON:  # DCMTK writes the header of the file, too, which is no attribute of a data set
        told = json.loads(body)
        body = json.dumps({key: value for key, value in told.items() if key > "0008"}).encode()

    assert client.generic("POST", f"{ROOT}/{uid}", body, content_type=content_type).status_code == 201

    performing.begin(other, json_model.read(report), sender=performing.Sender("", "127.0.0.1", account="bob"))
    assert plain(stored(uid).dataset) == plain(stored(other).dataset)


@pytest.mark.acceptance("CL187")
def test_another_program_reads_what_is_retrieved(client: Any, item: WorklistItem) -> None:
    uid = new_uid()
    post(client, f"{ROOT}/{uid}", begun(item))
    post(client, f"{ROOT}/{uid}?update", completed(series(1)))
    (found,) = client.get(f"{ROOT}/{uid}").json()
    dataset = Dataset.from_json(found)
    assert str(dataset.PatientName) == "Müller^Jörg=王^小明"
    assert len(dataset.PerformedSeriesSequence[0].ReferencedImageSequence) == 2
    assert dataset.PerformedProcedureStepStatus == "COMPLETED"
