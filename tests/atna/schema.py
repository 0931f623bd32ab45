"""The schema of audit messages stands here as PS3.15 A.5.1.1 prints it, and messages are held against it."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import NamedTuple
from xml.etree import ElementTree as ET

DATE_TIME = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
Check = Callable[[str], bool]


def text(value: str) -> bool:
    return True


def base64_binary(value: str) -> bool:
    try:
        b64decode(value, validate=True)
    except ValueError:
        return False
    return True


def date_time(value: str) -> bool:
    return bool(DATE_TIME.fullmatch(value))


def boolean(value: str) -> bool:
    return value in {"true", "false", "1", "0"}


def integer(value: str) -> bool:
    return bool(re.fullmatch(r"[+-]?\d+", value))


def one_of(*values: str) -> Check:
    return lambda value: value in values


def numbers(last: int) -> Check:
    return one_of(*map(str, range(1, last + 1)))


class Child(NamedTuple):
    names: tuple[str, ...]  # any of them
    least: int
    most: int | None


class Rule(NamedTuple):
    """An element's attributes, required and optional, its children in their order, and its text."""

    required: dict[str, Check] = {}
    optional: dict[str, Check] = {}
    children: tuple[Child, ...] = ()
    content: Check | None = None


CODED_VALUE = Rule({"csd-code": text, "codeSystemName": text, "originalText": text}, {"displayName": text})
RULES = {
    "AuditMessage": Rule(
        children=(
            Child(("EventIdentification",), 1, 1),
            Child(("ActiveParticipant",), 1, None),
            Child(("AuditSourceIdentification",), 1, 1),
            Child(("ParticipantObjectIdentification",), 0, None),
        )
    ),
    "EventIdentification": Rule(
        {"EventDateTime": date_time, "EventOutcomeIndicator": one_of("0", "4", "8", "12")},
        {"EventActionCode": one_of("C", "R", "U", "D", "E")},
        (
            Child(("EventID",), 1, 1),
            Child(("EventTypeCode",), 0, None),
            Child(("EventOutcomeDescription",), 0, 1),
        ),
    ),
    "EventID": CODED_VALUE,
    "EventTypeCode": CODED_VALUE,
    "EventOutcomeDescription": Rule(content=text),
    "AuditSourceIdentification": Rule(
        {"AuditSourceID": text}, {"AuditEnterpriseSiteID": text}, (Child(("AuditSourceTypeCode",), 0, None),)
    ),
    "AuditSourceTypeCode": Rule(
        {"csd-code": numbers(9)}, {"codeSystemName": text, "originalText": text, "displayName": text}
    ),
    "ActiveParticipant": Rule(
        {"UserID": text, "UserIsRequestor": boolean},
        {
            "AlternativeUserID": text,
            "UserName": text,
            "NetworkAccessPointID": text,
            "NetworkAccessPointTypeCode": numbers(5),
        },
        (Child(("RoleIDCode",), 0, None), Child(("MediaIdentifier",), 0, 1)),
    ),
    "RoleIDCode": CODED_VALUE,
    "MediaIdentifier": Rule(children=(Child(("MediaType",), 1, 1),)),
    "MediaType": CODED_VALUE,
    "ParticipantObjectIdentification": Rule(
        {"ParticipantObjectID": text},
        {
            "ParticipantObjectTypeCode": numbers(4),
            "ParticipantObjectTypeCodeRole": numbers(26),
            "ParticipantObjectDataLifeCycle": numbers(15),
            "ParticipantObjectSensitivity": text,
        },
        (
            Child(("ParticipantObjectIDTypeCode",), 1, 1),
            Child(("ParticipantObjectName", "ParticipantObjectQuery"), 1, 1),
            Child(("ParticipantObjectDetail",), 0, None),
            Child(("ParticipantObjectDescription",), 0, None),
        ),
    ),
    "ParticipantObjectIDTypeCode": CODED_VALUE,
    "ParticipantObjectName": Rule(content=text),
    "ParticipantObjectQuery": Rule(content=base64_binary),
    "ParticipantObjectDetail": Rule({"type": text, "value": base64_binary}),
    "ParticipantObjectDescription": Rule(
        children=(
            Child(("MPPS",), 0, None),
            Child(("Accession",), 0, None),
            Child(("SOPClass",), 0, None),
            Child(("ParticipantObjectContainsStudy",), 0, 1),
            Child(("Encrypted",), 0, 1),
            Child(("Anonymized",), 0, 1),
        )
    ),
    "MPPS": Rule({"UID": text}),
    "Accession": Rule({"Number": text}),
    "SOPClass": Rule({"NumberOfInstances": integer}, {"UID": text}, (Child(("Instance",), 0, None),)),
    "Instance": Rule({"UID": text}),
    "ParticipantObjectContainsStudy": Rule(children=(Child(("StudyIDs",), 0, None),)),
    "StudyIDs": Rule({"UID": text}),
    "Encrypted": Rule(content=boolean),
    "Anonymized": Rule(content=boolean),
}


def parsed(message: bytes) -> ET.Element:
    """Return the message, which must keep the schema."""
    root = ET.fromstring(message)
    assert root.tag == "AuditMessage"
    wrong = list(complaints(root))
    assert not wrong, "\n".join([*wrong, message.decode()])
    return root


def complaints(element: ET.Element) -> Iterator[str]:
    rule = RULES.get(element.tag)
    if rule is None:
        yield f"There is no element {element.tag}."
        return
    yield from _attributes(element, rule)
    yield from _children(element, rule)
    content = (element.text or "").strip()
    if content and (rule.content is None or not rule.content(content)):
        yield f"{element.tag} must not hold {content}."
    for child in element:
        yield from complaints(child)


def _attributes(element: ET.Element, rule: Rule) -> Iterator[str]:
    checks = {**rule.required, **rule.optional}
    yield from (f"{element.tag} lacks {name}." for name in rule.required.keys() - element.keys())
    for name, value in element.items():
        if name not in checks:
            yield f"{element.tag} has no attribute {name}."
        elif not checks[name](value):
            yield f"{element.tag}: {name} must not be {value}."


def _children(element: ET.Element, rule: Rule) -> Iterator[str]:
    left = [child.tag for child in element]
    for names, least, most in rule.children:
        number = 0
        while left and left[0] in names and (most is None or number < most):
            del left[0]
            number += 1
        if number < least:
            yield f"{element.tag} lacks {' or '.join(names)}."
    if left:
        yield f"{element.tag} must not have {left[0]} there."
