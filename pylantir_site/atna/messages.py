"""An audit message is put together here, as the XML that PS3.15 A.5.1 prescribes."""

from __future__ import annotations

import ipaddress
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from pylantir_site.atna.codes import CodedTerm

# Outcomes (PS3.15 A.5.1)
SUCCESS, MINOR_FAILURE, SERIOUS_FAILURE = "0", "4", "8"
# What a message is about: types and roles of objects
PERSON, SYSTEM_OBJECT = "1", "2"
PATIENT, REPORT, SECURITY_USER, SECURITY_RESOURCE = "1", "3", "11", "13"
APPLICATION_SERVER = "4"  # the type of our audit source
HOST_NAME, IP_ADDRESS = "1", "2"  # types of network access points
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


@dataclass(frozen=True)
class ActiveParticipant:
    """Somebody or something that took part; `address` is where on the network."""

    user_id: str
    is_requestor: bool
    roles: tuple[CodedTerm, ...] = ()
    address: str = ""
    user_name: str = ""
    alternative_id: str = ""
    media: CodedTerm | None = None


@dataclass(frozen=True)
class AuditedObject:
    """Something that it was about: `query` stands in place of a name; details are encoded as they are."""

    id: str
    id_type: CodedTerm
    type: str
    role: str
    name: str = ""
    query: bytes | None = None
    details: Mapping[str, bytes] = field(default_factory=dict)
    mpps_uid: str = ""
    accession: str = ""


@dataclass(frozen=True)
class AuditMessage:
    event: CodedTerm
    action: str  # C, R, U, D or E
    at: datetime
    participants: tuple[ActiveParticipant, ...]
    outcome: str = SUCCESS
    types: tuple[CodedTerm, ...] = ()
    outcome_text: str = ""
    objects: tuple[AuditedObject, ...] = ()

    def xml(self, *, source_id: str, site_id: str = "") -> bytes:
        """Return it in UTF-8; `source_id` names the system that tells it."""
        root = ET.Element("AuditMessage")
        self._add_event(root)
        for participant in self.participants:
            _add_participant(root, participant)
        source = _element(root, "AuditSourceIdentification", AuditEnterpriseSiteID=site_id)
        source.set("AuditSourceID", _text(source_id))
        _element(source, "AuditSourceTypeCode", **{"csd-code": APPLICATION_SERVER})
        for audited in self.objects:
            _add_object(root, audited)
        return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))

    def _add_event(self, root: ET.Element) -> None:
        event = _element(
            root,
            "EventIdentification",
            EventActionCode=self.action,
            EventDateTime=self.at.astimezone(UTC).isoformat(timespec="milliseconds"),
            EventOutcomeIndicator=self.outcome,
        )
        _add_code(event, "EventID", self.event)
        for code in self.types:
            _add_code(event, "EventTypeCode", code)
        if self.outcome_text:
            ET.SubElement(event, "EventOutcomeDescription").text = _text(self.outcome_text)


def _add_participant(root: ET.Element, participant: ActiveParticipant) -> None:
    element = _element(
        root,
        "ActiveParticipant",
        AlternativeUserID=participant.alternative_id,
        UserName=participant.user_name,
        NetworkAccessPointID=participant.address,
        NetworkAccessPointTypeCode=_access_type(participant.address),
    )
    element.set("UserID", _text(participant.user_id))
    element.set("UserIsRequestor", "true" if participant.is_requestor else "false")
    for role in participant.roles:
        _add_code(element, "RoleIDCode", role)
    if participant.media:
        _add_code(ET.SubElement(element, "MediaIdentifier"), "MediaType", participant.media)


def _access_type(address: str) -> str:
    if not address:
        return ""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return HOST_NAME
    return IP_ADDRESS


def _add_object(root: ET.Element, audited: AuditedObject) -> None:
    element = _element(
        root,
        "ParticipantObjectIdentification",
        ParticipantObjectTypeCode=audited.type,
        ParticipantObjectTypeCodeRole=audited.role,
    )
    element.set("ParticipantObjectID", _text(audited.id))
    _add_code(element, "ParticipantObjectIDTypeCode", audited.id_type)
    if audited.query is None:
        ET.SubElement(element, "ParticipantObjectName").text = _text(audited.name or audited.id)
    else:
        ET.SubElement(element, "ParticipantObjectQuery").text = b64encode(audited.query).decode()
    for kind, value in audited.details.items():
        detail = ET.SubElement(element, "ParticipantObjectDetail")
        detail.set("type", _text(kind))
        detail.set("value", b64encode(value).decode())
    if audited.mpps_uid or audited.accession:
        _add_description(element, audited)


def _add_description(element: ET.Element, audited: AuditedObject) -> None:
    description = ET.SubElement(element, "ParticipantObjectDescription")
    if audited.mpps_uid:
        _element(description, "MPPS", UID=audited.mpps_uid)
    if audited.accession:
        _element(description, "Accession", Number=audited.accession)


def _add_code(parent: ET.Element, name: str, code: CodedTerm) -> None:
    element = ET.SubElement(parent, name)
    element.set("csd-code", code.value)
    element.set("codeSystemName", code.system)
    element.set("originalText", code.meaning)


def _element(parent: ET.Element, name: str, **attributes: str) -> ET.Element:
    """Add an element with the attributes that have a value."""
    told = {key: _text(value) for key, value in attributes.items() if value}
    return ET.SubElement(parent, name, told)


def _text(text: str) -> str:
    """Return what XML can hold: a peer may have sent anything."""
    return _NOT_IN_XML.sub("\ufffd", text)
