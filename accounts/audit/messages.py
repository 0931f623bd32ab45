"""Events of the audit trail are told to the hospital's audit record repository, too (PS3.15 A.5.3).

Whose patient IDs a page showed is asked where items are known: `PATIENTS_OF` names the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from accounts.models import AuditEvent, AuditKind
from pylantir_site.atna import codes, sending
from pylantir_site.atna.codes import CodedTerm
from pylantir_site.atna.messages import (
    MINOR_FAILURE,
    PATIENT,
    PERSON,
    SECURITY_RESOURCE,
    SECURITY_USER,
    SUCCESS,
    SYSTEM_OBJECT,
    ActiveParticipant,
    AuditedObject,
    AuditMessage,
)
from pylantir_site.atna.sources import ourselves

# Each returns the patient IDs that an event is about.
PATIENTS_OF: list[Callable[[AuditEvent], Sequence[str]]] = []
TRAIL = "auditevent"  # in the name of a page of the trail itself
ACTIONS = {"POST": "U", "PUT": "U", "PATCH": "U", "DELETE": "D"}
TYPES = {AuditKind.SIGN_OUT: codes.LOGOUT}
ALERTS = {
    AuditKind.ROLE: codes.ROLES_CHANGED,
    **dict.fromkeys(
        (
            *(AuditKind.PASSWORD, AuditKind.UNLOCKED, AuditKind.ACCOUNT_MADE, AuditKind.ACCOUNT_CLOSED),
            *(AuditKind.ACCOUNT_OPENED, AuditKind.ACCOUNT_DELETED),
        ),
        codes.USER_ATTRIBUTES_CHANGED,
    ),
}
AUTHENTICATIONS = frozenset(
    {AuditKind.SIGN_IN, AuditKind.SIGN_IN_FAILED, AuditKind.HELD_UP, AuditKind.SIGN_OUT}
)
SHOWN = frozenset({AuditKind.PAGE, AuditKind.REQUEST})


def tell(event: AuditEvent) -> None:
    """Queue the messages of an event."""
    sending.send(lambda: messages_of(event))


def messages_of(event: AuditEvent) -> Iterator[AuditMessage]:
    """Yield none, one, or one for each patient: a patient record's message names a single one."""
    kind = AuditKind(event.kind)
    if kind in AUTHENTICATIONS:
        failed = kind in (AuditKind.SIGN_IN_FAILED, AuditKind.HELD_UP)
        outcome = MINOR_FAILURE if failed else SUCCESS
        how = TYPES.get(kind, codes.LOGIN)
        yield AuditMessage(
            codes.USER_AUTHENTICATION, "E", event.at, (_person(event), ourselves()), outcome, (how,)
        )
    elif kind in ALERTS:
        yield _alert(event, ALERTS[kind])
    elif _is_of_the_trail(event):
        yield _trail_used(event)
    elif kind in (AuditKind.DOWNLOAD, AuditKind.EXPORT):
        yield _export(event)
    elif kind in SHOWN and not _was_refused(event):
        yield from (_patient_record(event, patient) for patient in _patients(event))


def _is_of_the_trail(event: AuditEvent) -> bool:
    return TRAIL in event.path or TRAIL in event.detail or event.path == "audit"


def _was_refused(event: AuditEvent) -> bool:
    return event.status is not None and event.status >= 400


def _patients(event: AuditEvent) -> list[str]:
    return sorted({patient for ask in PATIENTS_OF for patient in ask(event) if patient})


def _person(event: AuditEvent, *roles: CodedTerm) -> ActiveParticipant:
    """Return who it was; of a failure, whose account it was tried for; a command has no name."""
    name = event.username or event.subject or ("unknown" if event.address else "command")
    return ActiveParticipant(name, is_requestor=True, roles=roles, address=event.address)


def _patient_record(event: AuditEvent, patient: str) -> AuditMessage:
    return AuditMessage(
        codes.PATIENT_RECORD,
        ACTIONS.get(event.method, "R"),
        event.at,
        (_person(event), ourselves()),
        objects=(_patient(patient),),
    )


def _export(event: AuditEvent) -> AuditMessage:
    patients: Iterable[AuditedObject] = map(_patient, _patients(event))
    medium = ActiveParticipant(
        "file", is_requestor=False, roles=(codes.DESTINATION_MEDIA,), media=codes.URI_MEDIA
    )
    what = AuditedObject(
        event.detail or event.path or "export", codes.URI, SYSTEM_OBJECT, SECURITY_RESOURCE, name=event.path
    )
    return AuditMessage(
        codes.EXPORT,
        "R",
        event.at,
        (_person(event, codes.SOURCE), ourselves(), medium),
        objects=(what, *patients),
    )


def _alert(event: AuditEvent, kind: CodedTerm) -> AuditMessage:
    subject = event.subject or event.username
    account = AuditedObject(
        subject,
        codes.USER_IDENTIFIER,
        PERSON,
        SECURITY_USER,
        details={"Alert Description": f"{event.kind} {event.detail}".rstrip().encode()},
    )
    return AuditMessage(
        codes.SECURITY_ALERT,
        "E",
        event.at,
        (ourselves(), _actor(event)),
        types=(kind,),
        objects=(account,),
    )


def _actor(event: AuditEvent) -> ActiveParticipant:
    return ActiveParticipant(event.username or "command", is_requestor=True, address=event.address)


def _trail_used(event: AuditEvent) -> AuditMessage:
    trail = AuditedObject(
        "pylantir:audit", codes.URI, SYSTEM_OBJECT, SECURITY_RESOURCE, name="Security Audit Log"
    )
    return AuditMessage(codes.AUDIT_LOG_USED, "R", event.at, (_person(event), ourselves()), objects=(trail,))


def _patient(patient: str) -> AuditedObject:
    return AuditedObject(patient, codes.PATIENT_NUMBER, PERSON, PATIENT)
