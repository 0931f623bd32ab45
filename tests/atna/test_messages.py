"""Each event becomes an audit message that keeps the schema of PS3.15 A.5.1."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.audit.messages import messages_of
from accounts.models import AuditEvent
from pylantir_site.atna import codes, sending, sources
from pylantir_site.atna.messages import ActiveParticipant, AuditedObject, AuditMessage
from tests.atna.schema import complaints, parsed
from tests.worklist.performed_rows import make_step
from tests.worklist.reported import an_item
from worklist.answering.compiled import FindRequest
from worklist.models import DeviceActivity, PerformedStatus
from worklist.scp import audit_messages

AT = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)
Kind = DeviceActivity.Kind
ROW: dict[str, Any] = {
    "at": AT,
    "ae_title": "MR1",
    "called_ae_title": "MWL_SERVER",
    "address": "10.0.0.7",
    "status": 0,
    "subject": None,
}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[ET.Element]:
    """Give the messages that were sent, each held against the schema."""
    found: list[ET.Element] = []

    def keep(messages: Callable[[], Iterable[AuditMessage]]) -> None:
        found.extend(parsed(each.xml(source_id="MWL_SERVER", site_id="Clinic")) for each in messages())

    monkeypatch.setattr(sending, "send", keep)
    return found


def summary(message: ET.Element) -> tuple[str, str, str, list[str]]:
    """Return the event's name, action and outcome, and the names of its types."""
    event = message.find("EventIdentification")
    assert event is not None
    return (
        event.findall("EventID")[0].get("originalText", ""),
        event.get("EventActionCode", ""),
        event.get("EventOutcomeIndicator", ""),
        [each.get("originalText", "") for each in event.findall("EventTypeCode")],
    )


def objects(message: ET.Element) -> list[tuple[str | None, str | None]]:
    """Return what kind of thing each object is, and its identifier."""
    return [
        (each.findall("ParticipantObjectIDTypeCode")[0].get("originalText"), each.get("ParticipantObjectID"))
        for each in message.findall("ParticipantObjectIdentification")
    ]


def users(message: ET.Element) -> list[tuple[str | None, list[str | None]]]:
    return [
        (each.get("UserID"), [role.get("originalText") for role in each.findall("RoleIDCode")])
        for each in message.findall("ActiveParticipant")
    ]


@pytest.mark.acceptance("H93", "H96")
def test_a_query_is_told_with_its_keys(sent: list[ET.Element]) -> None:
    request = FindRequest(b"\x10\x00\x10\x00keys", implicit_vr=False)

    audit_messages.tell({**ROW, "kind": Kind.QUERY, "request": request})

    (message,) = sent
    assert summary(message) == ("Query", "E", "0", [])
    assert users(message) == [("MR1", ["Source Role ID"]), ("Pylantir", ["Destination Role ID"])]
    assert objects(message) == [("SOP Class UID", "1.2.840.10008.5.1.4.31")]
    (query,) = message.iter("ParticipantObjectQuery")
    assert b64decode(query.text or "") == request.identifier
    (detail,) = message.iter("ParticipantObjectDetail")
    assert (detail.get("type"), b64decode(detail.get("value", ""))) == (
        "TransferSyntax",
        b"1.2.840.10008.1.2.1",
    )
    (peer, _us) = message.findall("ActiveParticipant")
    assert (peer.get("AlternativeUserID"), peer.get("NetworkAccessPointID")) == ("AETITLES=MR1", "10.0.0.7")
    assert peer.get("NetworkAccessPointTypeCode") == "2"


@pytest.mark.django_db
@pytest.mark.acceptance("H93", "H96")
@pytest.mark.parametrize(("kind", "action"), [(Kind.N_CREATE, "C"), (Kind.N_SET, "U"), (Kind.N_GET, "R")])
def test_a_report_is_told_with_study_and_patient(kind: str, action: str, sent: list[ET.Element]) -> None:
    step = make_step(status=PerformedStatus.COMPLETED, patient_id="P1", study_instance_uid="1.2.3")

    audit_messages.tell({**ROW, "kind": kind, "sop_instance_uid": step.sop_instance_uid})
    audit_messages.tell({**ROW, "kind": kind, "sop_instance_uid": "1.2.9", "status": 0x0112})

    known, unknown = sent
    assert summary(known) == ("Procedure Record", action, "0", [])
    assert objects(known) == [("Study Instance UID", step.study_instance_uid), ("Patient Number", "P1")]
    assert [each.get("UID") for each in known.iter("MPPS")] == [step.sop_instance_uid]
    assert summary(unknown) == ("Procedure Record", action, "4", [])


@pytest.mark.acceptance("H93", "H96")
def test_a_refused_association_is_an_alert(sent: list[ET.Element]) -> None:
    audit_messages.tell({**ROW, "kind": Kind.REFUSED, "ae_title": "\0<évil>", "comment": "not listed"})
    audit_messages.tell({**ROW, "kind": Kind.ECHO})

    (message,) = sent
    assert summary(message) == ("Security Alert", "E", "8", ["Node Authentication"])
    assert objects(message) == [("Node ID", "10.0.0.7")]
    (detail,) = message.iter("ParticipantObjectDetail")
    assert b64decode(detail.get("value", "")) == b"not listed"


@pytest.mark.acceptance("H93", "H96")
def test_a_start_and_a_stop_are_told(sent: list[ET.Element]) -> None:
    sources.tell_start("Pylantir DICOM server")
    sources.tell_stop("Pylantir DICOM server")

    assert [summary(each) for each in sent] == [
        ("Application Activity", "E", "0", ["Application Start"]),
        ("Application Activity", "E", "0", ["Application Stop"]),
    ]
    assert users(sent[0]) == [("Pylantir DICOM server", ["Application"])]


@pytest.mark.acceptance("H93", "H96")
@pytest.mark.parametrize(
    ("about", "told"),
    [
        ({"kind": "SIGN_IN", "username": "bob"}, ("User Authentication", "E", "0", ["Login"])),
        ({"kind": "SIGN_OUT", "username": "bob"}, ("User Authentication", "E", "0", ["Logout"])),
        ({"kind": "SIGN_IN_FAILED", "subject": "bob"}, ("User Authentication", "E", "4", ["Login"])),
        ({"kind": "HELD_UP"}, ("User Authentication", "E", "4", ["Login"])),
        (
            {"kind": "ROLE", "username": "alice", "subject": "bob", "detail": "read → write"},
            ("Security Alert", "E", "0", ["Security Roles Changed"]),
        ),
        (
            {"kind": "PASSWORD", "subject": "bob"},
            ("Security Alert", "E", "0", ["User Security Attributes Changed"]),
        ),
        ({"kind": "EXPORT", "path": "audit"}, ("Audit Log Used", "R", "0", [])),
        (
            {"kind": "PAGE", "path": "admin:accounts_auditevent_changelist", "username": "alice"},
            ("Audit Log Used", "R", "0", []),
        ),
        (
            {"kind": "DOWNLOAD", "path": "admin:csv", "detail": "worklist.device, 3 rows"},
            ("Export", "R", "0", []),
        ),
    ],
)
def test_what_people_do_is_told(about: dict[str, str], told: tuple[Any, ...]) -> None:
    event = AuditEvent(at=AT, address="10.0.0.9", **about)

    (message,) = (parsed(each.xml(source_id="MWL_SERVER")) for each in messages_of(event))

    assert summary(message) == told


@pytest.mark.django_db
@pytest.mark.acceptance("H93", "H96")
@pytest.mark.parametrize(
    ("about", "action"),
    [
        ({"kind": "PAGE", "path": "admin:index", "method": "GET"}, "R"),
        ({"kind": "PAGE", "path": "admin:worklist_worklistitem_change", "method": "POST"}, "U"),
        ({"kind": "REQUEST", "path": "/worklist", "method": "GET"}, "R"),
        ({"kind": "REQUEST", "path": "/worklist/7", "method": "DELETE"}, "D"),
    ],
)
def test_each_patient_that_was_shown_has_a_message(about: dict[str, str], action: str) -> None:
    rows = [an_item(patient_id=patient).pk for patient in ("P1", "P2")]
    event = AuditEvent(at=AT, username="bob", status=200, rows=[*rows, 99_999], **about)

    told = [parsed(each.xml(source_id="MWL_SERVER")) for each in messages_of(event)]

    assert [summary(each) for each in told] == [("Patient Record", action, "0", [])] * 2
    assert [objects(each) for each in told] == [[("Patient Number", "P1")], [("Patient Number", "P2")]]
    assert "Doe" not in "".join(ET.tostring(each, encoding="unicode") for each in told)


@pytest.mark.django_db
@pytest.mark.acceptance("H96")
def test_a_download_names_the_patients_in_it() -> None:
    rows = [an_item(patient_id=patient).pk for patient in ("P1", "P2")]
    event = AuditEvent(
        at=AT, kind="DOWNLOAD", path="admin:csv", detail="worklist.worklistitem, 2 rows", rows=rows
    )

    (message,) = (parsed(each.xml(source_id="MWL_SERVER")) for each in messages_of(event))

    assert objects(message)[1:] == [("Patient Number", "P1"), ("Patient Number", "P2")]
    assert users(message)[0][1] == ["Source Role ID"]
    assert [each.get("csd-code") for each in message.iter("MediaType")] == ["110037"]


@pytest.mark.django_db
@pytest.mark.acceptance("H96")
def test_what_was_refused_or_shows_no_patient_has_no_patient_record() -> None:
    row = an_item().pk
    refused = AuditEvent(at=AT, kind="PAGE", path="admin:index", status=403, rows=[row])
    devices = AuditEvent(at=AT, kind="PAGE", path="admin:worklist_device_changelist", status=200, rows=[row])

    assert [*messages_of(refused), *messages_of(devices)] == []


@pytest.mark.acceptance("H93")
@given(st.text(), st.text(), st.binary())
def test_whatever_was_sent_makes_xml_that_keeps_the_schema(name: str, address: str, value: bytes) -> None:
    message = AuditMessage(
        codes.QUERY,
        "E",
        AT,
        (ActiveParticipant(name, is_requestor=True, address=address, user_name=name),),
        outcome_text=name,
        objects=(
            AuditedObject(name, codes.NODE_ID, "2", "13", query=value, details={"x": value}),
            AuditedObject(name, codes.NODE_ID, "2", "13", name=address, mpps_uid=name, accession=address),
        ),
    )

    parsed(message.xml(source_id=name, site_id=address))


@pytest.mark.parametrize(
    ("xml", "told"),
    [
        ("<AuditMessage/>", "AuditMessage lacks EventIdentification."),
        ("<AuditMessage><Other/></AuditMessage>", "There is no element Other."),
        ("<EventID csd-code='1' codeSystemName='DCM'/>", "EventID lacks originalText."),
        ("<MPPS UID='1' Number='2'/>", "MPPS has no attribute Number."),
        ("<ParticipantObjectQuery>?</ParticipantObjectQuery>", "ParticipantObjectQuery must not hold ?."),
        ("<AuditSourceTypeCode csd-code='0'/>", "AuditSourceTypeCode: csd-code must not be 0."),
        ("<MediaIdentifier><MPPS UID='1'/></MediaIdentifier>", "MediaIdentifier must not have MPPS there."),
    ],
)
def test_the_schema_finds_what_does_not_keep_it(xml: str, told: str) -> None:
    assert told in list(complaints(ET.fromstring(xml)))
