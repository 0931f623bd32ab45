"""A search by HTTP finds and answers what a C-FIND of the same keys does (PS3.18 14.4)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import HTTP
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.datadict import keyword_for_tag

from accounts.models import AuditEvent, User
from accounts.tokens import access_token
from tests.api_client import client_of
from tests.effort import tries
from tests.statements import counted
from tests.worklist.identifiers import make_identifier
from tests.worklist.matching_examples import KEYWORDS, create, stores_and_identifiers
from tests.worklist.reported import an_item
from worklist.answering import search as searching
from worklist.answering.compiled import FindRequest
from worklist.dicom import answer_json, datasets, native_xml
from worklist.dicom.datasets import Unreadable
from worklist.dicom.item_attributes import ROOT_ATTRIBUTES, STEP_ATTRIBUTES, STEP_SEQUENCE
from worklist.dicom.matching import IdentifierError
from worklist.dicomweb import keys
from worklist.models import Device, DeviceActivity, WorklistItem

pytestmark = pytest.mark.django_db

PATH = "/dicomweb/modality-scheduled-procedure-steps"
STEP = "ScheduledProcedureStepSequence"
RETURNED = {"1", "1C", "2"}


@pytest.fixture
def client(charlie: User) -> Any:
    return client_of(charlie)


def found(client: Any, query: str = "", path: str = PATH, **headers: str) -> list[dict[str, Any]]:
    response = client.get(f"{path}?{query}", headers=headers)
    assert response.status_code in (200, 204), response.content
    return json.loads(response.content) if response.content else []


def ids(answers: list[dict[str, Any]]) -> list[str]:
    return [answer["00100020"]["Value"][0] for answer in answers]


def parameters(identifier: Dataset) -> Iterator[tuple[str, str]]:
    """Yield the keys of an identifier that was not decoded as query parameters."""
    for tag in list(identifier.keys()):
        if tag == STEP_SEQUENCE.tag:
            for name, value in parameters(identifier[tag].value[0]):
                yield f"{STEP}.{name}", value
        elif keyword_for_tag(tag) != "SpecificCharacterSet":
            raw = identifier.get_item(tag).value
            yield keyword_for_tag(tag), (raw or b"").decode("utf-8")


def with_what_is_always_returned(identifier: Dataset) -> FindRequest:
    step = identifier.ScheduledProcedureStepSequence[0] if STEP in identifier else Dataset()
    for place, attributes in ((identifier, ROOT_ATTRIBUTES), (step, STEP_ATTRIBUTES)):
        for attribute in attributes:
            if attribute.return_type in RETURNED and attribute.tag not in place:
                place.add_new(attribute.tag, attribute.vr, [] if attribute.vr == "SQ" else None)
    identifier.ScheduledProcedureStepSequence = [step]
    return FindRequest(datasets.write(identifier, implicit_vr=False, deflated=False), implicit_vr=False)


def answered(request: FindRequest) -> list[Any] | None:
    """Return what a C-FIND is answered, or None where it fails."""
    try:
        search = searching.search(request, "")
    except (IdentifierError, Unreadable):
        return None
    return [normal(answer_json.of_answer(answer.identifier)) for answer in search.answers()]


def normal(dataset: Any) -> Any:
    """Leave out character sets, which are UTF-8 in JSON, and the difference of no value and no values."""
    return {
        key: [normal(item) for item in element.get("Value", [])] if element["vr"] == "SQ" else element
        for key, element in dataset.items()
        if key != "00080005"
    }


@pytest.mark.acceptance("CL156")
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("values_as_they_come")
@given(st.data())
@settings(max_examples=tries(15, nightly=150), deadline=None, suppress_health_check=list(HealthCheck))
def test_any_keys_are_answered_as_a_c_find_is(client: Any, data: st.DataObject) -> None:
    store, identifiers = data.draw(stores_and_identifiers(KEYWORDS))
    with transaction.atomic():
        for values in store:
            create(values)
        for identifier in identifiers:
            asked = list(parameters(identifier))
            response = client.get(f"{PATH}?{urlencode(asked)}")
            by_dicom = answered(with_what_is_always_returned(identifier))
            if by_dicom is None:
                assert response.status_code == 400, asked
            elif not by_dicom:
                assert response.status_code == 204, asked
            else:
                assert [normal(each) for each in json.loads(response.content)] == by_dicom, asked
        transaction.set_rollback(True)


class TestKeys:
    @pytest.mark.acceptance("CL157")
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("PatientID=P1", ["P1"]),
            ("00100020=P1", ["P1"]),
            (f"{STEP}.Modality=CT", ["P2"]),
            ("00400100.00080060=CT", ["P2"]),
            ("00400100.Modality=CT", ["P2"]),
            (f"{STEP}.ScheduledProcedureStepStartDate=20260111-", ["P2", "P3"]),
            (f"{STEP}.ScheduledProcedureStepStartDate=-20260111", ["P1", "P2"]),
            ("PatientName=d*", ["P1", "P2"]),
            ("PatientName=M%C3%BCller^J%3Frg", ["P3"]),
            ("StudyInstanceUID=1.2.1,1.2.3", ["P1", "P3"]),
            ("StudyInstanceUID=1.2.1%5C1.2.2", ["P1", "P2"]),
            (f"{STEP}.Modality=CT%5CUS", ["P2", "P3"]),
            ("PatientID=", ["P1", "P2", "P3"]),
            ("PatientID=P9", []),
        ],
    )
    def test_they_are_named_by_keyword_or_tag_and_matched(
        self, query: str, expected: list[str], client: Any
    ) -> None:
        an_item(study_instance_uid="1.2.1")
        an_item(patient_id="P2", modality="CT", scheduled_start_date="20260111", study_instance_uid="1.2.2")
        an_item(
            patient_id="P3",
            patient_name="Müller^Jörg",
            modality="US",
            scheduled_start_date="20260112",
            study_instance_uid="1.2.3",
        )
        assert ids(found(client, query)) == expected

    @pytest.mark.acceptance("CL158")
    @pytest.mark.parametrize(
        ("query", "named"),
        [
            ("PatientId=P1", "PatientId"),
            ("Patient.Name=x", "Patient.Name"),
            ("PatientName.Modality=MR", "PatientName.Modality"),
            ("0010002=P1", "0010002"),
            ("00000002=1.2", "00000002"),
            ("PatientID=P1&PatientID=P2", "PatientID"),
            ("PatientID=P1&00100020=P2", "00100020"),
            (f"{STEP}=MR", STEP),
            (f"{STEP}.Modality=%C3%84", f"{STEP}.Modality"),
            ("PregnancyStatus=x", "PregnancyStatus"),
            ("PatientWeight=heavy", "PatientWeight"),
            ("SpecificCharacterSet=x", "SpecificCharacterSet"),
            ("includefield=Patient", "includefield"),
            ("includefield=all&includefield=PatientID", "includefield"),
            ("limit=-1", "limit"),
            ("limit=1&limit=2", "limit"),
            ("offset=99999999999", "offset"),
            ("fuzzymatching=maybe", "fuzzymatching"),
            (".".join([STEP] * 9) + ".Modality=MR", ".".join([STEP] * 9) + ".Modality"),
        ],
    )
    def test_what_cannot_be_meant_is_refused_by_name(self, query: str, named: str, client: Any) -> None:
        an_item()
        response = client.get(f"{PATH}?{query}")
        assert response.status_code == 400
        assert list(response.json()["errors"]) == [named]

    def test_a_value_that_is_none_of_its_vr_is_refused_with_the_attribute(self, client: Any) -> None:
        response = client.get(f"{PATH}?PatientBirthDate=yesterday")
        assert response.status_code == 400
        assert "(0010,0030)" in response.json()["detail"]
        assert "yesterday" not in response.content.decode()

    @pytest.mark.acceptance("CL159")
    def test_what_is_not_matched_or_not_supported_is_warned_of(self, client: Any) -> None:
        an_item()
        response = client.get(f"{PATH}?Modality=CT&fuzzymatching=true")
        assert len(json.loads(response.content)) == 1
        warnings = response["Warning"].split(", 299 ")
        assert warnings[0] == (
            "299 http://testserver/dicomweb: The fuzzymatching parameter is not supported. "
            "Only literal matching has been performed."
        )
        assert "Matching was not performed on (0008,0060)" in warnings[1]
        assert "returned empty" in warnings[2]

    def test_a_usual_search_is_warned_of_nothing(self, client: Any) -> None:
        an_item()
        query = "PatientID=P1&fuzzymatching=false&includefield=PatientSize"
        assert "Warning" not in client.get(f"{PATH}?{query}")


class TestReturned:
    @pytest.mark.acceptance("CL160")
    def test_attributes_of_types_1_and_2_are_always_returned_and_others_when_asked_for(
        self, client: Any
    ) -> None:
        an_item(extra_attributes={"PatientSize": 1.8, "RequestedContrastAgent": "GADO"})
        (plain,) = found(client)
        (asked,) = found(client, f"includefield=PatientSize,00400100.00321070&includefield={STEP}.StudyID")
        assert "00101020" not in plain
        assert plain["001021C0"] == {"vr": "US"}
        assert asked["00101020"] == {"vr": "DS", "Value": [1.8]}
        (step,) = asked["00400100"]["Value"]
        assert step["00321070"] == {"vr": "LO", "Value": ["GADO"]}
        assert step["00200010"] == {"vr": "SH"}

    def test_all_is_all_of_the_table(self, client: Any) -> None:
        an_item()
        (answer,) = found(client, "includefield=all")
        wanted = {f"{attribute.tag:08X}" for attribute in ROOT_ATTRIBUTES if attribute.return_type != "1C"}
        assert wanted <= answer.keys()
        assert "00400020" in answer["00400100"]["Value"][0]
        (of_step,) = found(client, f"includefield={STEP}")
        assert of_step["00400100"] == answer["00400100"]

    @pytest.mark.acceptance("CL161")
    def test_pages_follow_each_other_and_say_how_many_remain(self, client: Any) -> None:
        for number in range(5):
            an_item(patient_id=f"P{number}")
        response = client.get(f"{PATH}?limit=2&offset=1")
        assert ids(json.loads(response.content)) == ["P1", "P2"]
        assert response["Warning"].endswith("There are 2 additional results that can be requested.")
        last = client.get(f"{PATH}?offset=3")
        assert ids(json.loads(last.content)) == ["P3", "P4"]
        assert "Warning" not in last
        assert client.get(f"{PATH}?offset=5").status_code == 204
        assert client.get(f"{PATH}?limit=0").status_code == 204

    def test_pages_of_a_long_list_are_read_by_their_keys(
        self, client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("worklist.answering.rows.CHUNK", 2)
        monkeypatch.setattr("worklist.answering.selecting.CHUNK", 2)
        monkeypatch.setattr(keys, "MOST_RESULTS", 4)
        for number in range(7):
            an_item(patient_id=f"Q{number}")
        pages = [ids(found(client, f"PatientID=Q*&limit={most}&offset=1")) for most in (1, 3, 4)]
        assert pages == [["Q1"], ["Q1", "Q2", "Q3"], ["Q1", "Q2", "Q3", "Q4"]]
        assert ids(found(client, "PatientID=Q*&offset=5")) == ["Q5", "Q6"]

    def test_an_item_that_cannot_be_sent_costs_the_others_nothing(self, client: Any) -> None:
        an_item()
        bad = an_item(patient_id="P2")
        WorklistItem.objects.filter(pk=bad.pk).update(extra_attributes={"PatientSize": {"no": "number"}})
        response = client.get(f"{PATH}?includefield=PatientSize")
        assert ids(json.loads(response.content)) == ["P1"]
        assert "1 matching results are left out" in response["Warning"]


def parts(response: Any) -> list[tuple[str, bytes]]:
    head = f"Content-Type: {response['Content-Type']}\r\n\r\n".encode()
    message = message_from_bytes(head + response.content, policy=HTTP)
    assert message.is_multipart()
    return [(part.get_content_type(), _body(part)) for part in message.iter_parts()]


def _body(part: Any) -> bytes:
    body = part.get_payload(decode=True)
    assert isinstance(body, bytes)
    return body


class TestMediaTypes:
    @pytest.mark.acceptance("CL162")
    def test_parts_and_documents_say_what_json_says(self, client: Any) -> None:
        an_item(patient_name="Müller^Jörg=王^小明", patient_weight_kg="70.5")
        an_item(patient_id="P2", study_description='<A & "B"\'s>')
        answers = found(client)
        in_json = client.get(PATH, headers={"accept": 'multipart/related; type="application/dicom+json"'})
        assert [(name, json.loads(body)) for name, body in parts(in_json)] == [
            ("application/dicom+json", [answer]) for answer in answers
        ]
        in_xml = client.get(PATH, headers={"accept": "multipart/related; type=application/dicom+xml"})
        told = parts(in_xml)
        assert [name for name, _ in told] == ["application/dicom+xml"] * 2
        assert [as_texts(native_xml.read(body.strip())) for _, body in told] == [
            as_texts(answer) for answer in answers
        ]

    def test_one_result_is_one_document_and_several_are_parts(self, client: Any) -> None:
        an_item()
        one = client.get(PATH, headers={"accept": "application/dicom+xml"})
        assert one["Content-Type"] == "application/dicom+xml; charset=utf-8"
        assert native_xml.read(one.content)["00100020"]["Value"] == ["P1"]
        an_item(patient_id="P2")
        several = client.get(PATH, headers={"accept": "application/dicom+xml"})
        assert several["Content-Type"].startswith(
            'multipart/related; type="application/dicom+xml"; boundary='
        )
        assert len(parts(several)) == 2

    @pytest.mark.acceptance("CL163")
    @pytest.mark.parametrize(
        ("accepted", "answered"),
        [
            ("", "application/dicom+json"),
            ("*/*", "application/dicom+json"),
            ("application/*", "application/dicom+json"),
            ("application/json", "application/dicom+json"),
            ("APPLICATION/DICOM+JSON", "application/dicom+json"),
            ("application/dicom+json;q=0.2, application/dicom+xml;q=0.9", "application/dicom+xml"),
            ("application/dicom+xml;q=0, */*;q=0.1", "application/dicom+json"),
            ("text/html, application/dicom+xml", "application/dicom+xml"),
            ("application/dicom+json; charset=utf-8", "application/dicom+json"),
            ("multipart/*", "multipart/related"),
            ('multipart/related; type="application/dicom+xml"; q=0.9, image/png', "multipart/related"),
            ("text/html", None),
            ("multipart/related", None),
            ("multipart/related; type=image/png", None),
            ("application/dicom+json; charset=latin1", None),
            ("application/dicom+json;q=0", None),
            ("application/dicom", None),
        ],
    )
    def test_the_best_of_what_is_accepted_is_answered(
        self, accepted: str, answered: str | None, client: Any
    ) -> None:
        an_item()
        for headers, query in (({"accept": accepted}, ""), ({}, f"?{urlencode({'accept': accepted})}")):
            response = client.get(f"{PATH}{query}", headers=headers)
            assert response.status_code == (200 if answered else 406)
            told = response["Content-Type"].partition(";")[0]
            assert told == (answered or "application/json")

    def test_the_query_parameter_goes_before_the_header(self, client: Any) -> None:
        an_item()
        response = client.get(f"{PATH}?accept=application/dicom%2Bxml", headers={"accept": "text/html"})
        assert response["Content-Type"].startswith("application/dicom+xml")

    @pytest.mark.parametrize(
        ("charsets", "status"),
        [
            ("utf-8", 200),
            ("iso-8859-1, UTF-8;q=0.1", 200),
            ("*", 200),
            ("iso-8859-1", 406),
            ("utf-8;q=0, *", 406),
        ],
    )
    def test_texts_are_utf_8_or_not_acceptable(self, charsets: str, status: int, client: Any) -> None:
        an_item()
        assert client.get(PATH, headers={"accept-charset": charsets}).status_code == status

    def test_no_answer_is_kept_by_a_cache(self, client: Any) -> None:
        an_item()
        response = client.get(PATH)
        assert response["Cache-Control"] == "no-store"
        assert "ETag" not in response


def as_texts(dataset: Any) -> Any:
    """Return the data set with every value as XML writes it."""
    return {
        key: {"vr": element["vr"], "Value": [_as_text(value) for value in element.get("Value", [])]}
        for key, element in dataset.items()
    }


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        is_item = all(len(key) == 8 and isinstance(inner, dict) for key, inner in value.items())
        return as_texts(value) if is_item else value
    return str(value)


class TestDevices:
    AT_MR1 = "/dicomweb/devices/MR1/modality-scheduled-procedure-steps"

    @pytest.mark.acceptance("CL164")
    def test_a_device_s_base_uri_answers_by_its_rules(self, client: Any) -> None:
        Device(
            ae_title="MR1", station_filter="OWN", specific_character_set="ISO_IR 100", station_name="Room 1"
        ).save_as("test")
        an_item(scheduled_station_aetitle="MR1", patient_name="Müller^Jörg")
        an_item(patient_id="P2", scheduled_station_aetitle="MR2")
        assert ids(found(client)) == ["P1", "P2"]
        (answer,) = found(client, path=self.AT_MR1)
        assert ids([answer]) == ["P1"]
        assert answer["00400100"]["Value"][0]["00400010"]["Value"] == ["Room 1"]
        assert answer["00080005"]["Value"] == ["ISO_IR 192"]
        assert answer["00100010"]["Value"] == [{"Alphabetic": "Müller^Jörg"}]

    def test_more_than_the_device_takes_is_too_large(self, client: Any) -> None:
        Device(ae_title="MR1", maximum_answers=1, over_maximum="refuse").save_as("test")
        an_item()
        an_item(patient_id="P2")
        response = client.get(self.AT_MR1)
        assert (response.status_code, "More than 1 items" in response.json()["detail"]) == (413, True)

    @pytest.mark.parametrize("ae_title", ["MR2", "*", "%20", "A%5CB", "A" * 17])
    def test_a_slip_in_the_ae_title_gets_no_other_device_s_rules(self, ae_title: str, client: Any) -> None:
        Device(ae_title="MR1").save_as("test")
        Device(ae_title=Device.ANY).save_as("test")
        an_item()
        path = f"/dicomweb/devices/{ae_title}/modality-scheduled-procedure-steps"
        assert client.get(path).status_code == 404

    def test_a_disabled_device_is_served_nothing(self, client: Any) -> None:
        Device(ae_title="MR1", enabled=False).save_as("test")
        assert client.get(self.AT_MR1).status_code == 403

    @pytest.mark.acceptance("CL165")
    def test_a_device_s_search_is_kept_as_its_queries_are(self, client: Any) -> None:
        Device(ae_title="MR1").save_as("test")
        an_item()
        client.get(f"{self.AT_MR1}?PatientID=P1")
        client.get(f"{self.AT_MR1}?PatientBirthDate=x")
        client.get(f"{PATH}?PatientID=P1")
        refused, answered = DeviceActivity.objects.order_by("-pk")
        assert (answered.kind, answered.ae_title, answered.status, answered.matches) == ("QUERY", "MR1", 0, 1)
        assert answered.comment == "DICOMweb"
        assert b"P1" in bytes(answered.identifier)
        assert (refused.status, refused.matches) == (0xA900, None)


@pytest.mark.acceptance("CL166")
def test_the_audit_trail_names_parameters_and_rows_and_no_value(charlie: User) -> None:
    item = an_item()
    client = Client(headers={"authorization": f"Bearer {access_token(charlie)}"})
    response = client.get(f"{PATH}?PatientID=P1&00100030=&limit=5")
    assert response.status_code == 200
    event = AuditEvent.objects.latest("pk")
    assert (event.username, event.path, event.status) == (charlie.username, PATH, 200)
    assert event.parameters == ["PatientID", "limit"]
    assert event.rows == [item.pk]
    assert "P1" not in str(vars(event))


def test_nobody_is_answered_without_a_token() -> None:
    assert Client().get(PATH).status_code == 401


@pytest.mark.acceptance("CL167")
def test_a_search_takes_as_many_statements_for_many_items_as_for_one(client: Any) -> None:
    an_item()
    with counted() as for_one:
        found(client)
    for number in range(20):
        an_item(patient_id=f"Q{number}")
    with counted() as for_many:
        assert len(found(client)) == 21
    assert len(for_many) == len(for_one)


def test_an_identifier_that_is_too_long_is_refused(client: Any) -> None:
    response = client.get(f"{PATH}?PatientComments={'a' * 16_001}")
    assert (response.status_code, list(response.json()["errors"])) == (400, ["PatientComments"])
    words = ("PatientComments", "AdditionalPatientHistory", "MedicalAlerts", "Allergies", "SpecialNeeds")
    query = urlencode(dict.fromkeys(words, "a" * 15_000))
    response = client.get(f"{PATH}?{query}")
    assert (response.status_code, response.json()["detail"]) == (400, "The query is too long.")


def test_identifiers_of_the_tests_become_parameters() -> None:
    identifier = make_identifier({"PatientID": "P1"}, {"Modality": ["MR", "CT"]})
    assert list(parameters(identifier)) == [("PatientID", "P1"), (f"{STEP}.Modality", "MR\\CT ")]
