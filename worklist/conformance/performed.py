"""These sections tell of Modality Performed Procedure Step and its Retrieve.

PS3.4 F.7.4 and F.8.4 say what must be told.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from worklist.conformance.markdown import bullets, table
from worklist.dicom import mpps, mpps_attributes
from worklist.dicom.mpps_attributes import ATTRIBUTES, MppsAttribute, printed
from worklist.dicom.performed import WRONG_ENTRY
from worklist.examinations.performing import DUPLICATE_SOP_INSTANCE, NO_SUCH_SOP_INSTANCE
from worklist.models import Evidence
from worklist.scp import mpps as service
from worklist.scp import services

# PS3.7 Annex C, and when each is sent.
STATUSES = {
    service.SUCCESS: ("Success", "What was sent is stored."),
    service.OPTIONAL_ATTRIBUTES_NOT_SUPPORTED: (
        "Warning",
        "N-GET: a requested attribute is neither of the table nor stored; the others are returned.",
    ),
    service.ATTRIBUTE_LIST_ERROR: (
        "Warning",
        "N-SET: attributes that it may not carry are ignored, the others are stored. Lenient: only where a "
        "value differs from the stored one.",
    ),
    mpps.INVALID_ATTRIBUTE_VALUE: (
        "Failure",
        "The status is not IN PROGRESS at N-CREATE, or none of the three at N-SET. Strict: another illegal "
        "value.",
    ),
    service.PROCESSING_FAILURE: (
        "Failure",
        f"With Error ID (0000,0903) {mpps.MAY_NO_LONGER_BE_UPDATED:04X}: the step is COMPLETED or "
        "DISCONTINUED. Without: the data set cannot be decoded, the database is not available, or an "
        "unexpected error.",
    ),
    DUPLICATE_SOP_INSTANCE: ("Failure", "N-CREATE: the SOP Instance exists already, whatever its status."),
    NO_SUCH_SOP_INSTANCE: ("Failure", "N-SET and N-GET: there is no such SOP Instance."),
    mpps.INVALID_OBJECT_INSTANCE: (
        "Failure",
        "N-CREATE: the SOP Instance UID is not valid. One of more than 64 characters ends the association.",
    ),
    mpps.MISSING_ATTRIBUTE: (
        "Failure",
        "No status at N-CREATE. Strict: an attribute of type 1 or 2 is absent, or one that the final state "
        "needs.",
    ),
    mpps.MISSING_ATTRIBUTE_VALUE: ("Failure", "An empty status. Strict: an empty attribute of type 1."),
    services.UNRECOGNIZED_OPERATION: (
        "Failure",
        "Any operation but N-CREATE and N-SET on Modality Performed Procedure Step, and N-GET on its "
        "Retrieve.",
    ),
}
AFTER_DISCONTINUED = {
    "discontinued": "DISCONTINUED, which is still offered",
    "scheduled": "SCHEDULED again",
}


def rules() -> Iterator[str]:
    yield "##### Performed steps"
    yield ""
    strictness = settings.MPPS_STRICTNESS
    yield from bullets(
        "A response with status 0000 is sent after what it acknowledges is committed to the database: it "
        "survives the server.",
        "An N-CREATE without an Affected SOP Instance UID is given one, which its response returns.",
        "The state machine of PS3.4 F.7.2 always holds. Of two messages at once, also to different server "
        "processes, one is judged by what the other has left.",
        f"Attributes are judged by `MPPS_STRICTNESS` (now: `{strictness}`). `strict`: what departs from the "
        "table is refused, and the Error Comment (0000,0902) names the tag. `lenient`: it is accepted, "
        "stored and shown to people as a deviation.",
        "An attribute that an N-SET may not carry is ignored: with 0107 where it differs from what is "
        "stored; `lenient` with 0000 where it repeats it, however it is written, or is empty. One that was "
        "not created is set all the same: a reason for discontinuation is never lost. Sequences are replaced "
        "whole.",
        "Attributes beyond the table are stored and returned.",
        "Each message is read in its own Specific Character Set and stored as Unicode, so an N-SET may be in "
        "another one than the N-CREATE. N-GET answers in ISO_IR 192 where there is text beyond ASCII.",
        "Nothing is coerced, and steps are kept for ever. An administrator may close a step whose scanner "
        "never ended it; a later N-SET is refused with A710.",
        "Attribute lists and Attribute Identifier Lists are not returned with N-CREATE and N-SET: the Error "
        "Comment names the tags.",
        "Modality Performed Procedure Step Notification is not supported.",
    )


def links() -> Iterator[str]:
    yield "##### Effect on the worklist"
    yield ""
    yield "A performed step is linked to scheduled steps by the first of these that finds just one, for each"
    yield "item of the Scheduled Step Attributes Sequence, and never by a patient's name or ID:"
    yield ""
    by_ids = [evidence for evidence in Evidence if evidence is not Evidence.PERSON]
    yield from (f"{number}. {evidence.label}" for number, evidence in enumerate(by_ids, start=1))
    yield ""
    hours = settings.MPPS_STALE_HOURS
    discontinued = AFTER_DISCONTINUED[settings.MPPS_DISCONTINUED]
    yield from bullets(
        "Without such a link the examination is unscheduled: it is stored, and people link it.",
        "IN PROGRESS makes the scheduled steps STARTED, also when they were completed (append) or cancelled; "
        "a cancelled one is shown to people.",
        "COMPLETED makes them COMPLETED: they are no longer offered. A step that is still in progress for "
        "the same item keeps it STARTED.",
        f"DISCONTINUED makes them {discontinued} (`MPPS_DISCONTINUED`, now: `{settings.MPPS_DISCONTINUED}`), "
        "unless another performed step of them was completed.",
        f"DISCONTINUED with the reason ({WRONG_ENTRY.value}, {WRONG_ENTRY.scheme}, {WRONG_ENTRY.meaning}) "
        "makes them SCHEDULED again, and is shown to people.",
        "Of a device that sends no MPPS (its rule `sends_mpps`) a person or an archive completes them. A "
        "report that comes all the same decides, as said here.",
        f"A step in progress for more than {hours} hours (`MPPS_STALE_HOURS`) is shown to people.",
    )


def attributes() -> Iterator[str]:
    yield "##### Attributes of a performed step"
    yield ""
    yield "Types of SCU and SCP (PS3.4 Table F.7.2-1). N-GET returns any of them."
    yield ""
    rows = (row for attribute in ATTRIBUTES for row in _rows(attribute, depth=0))
    yield from table(("Attribute", "Tag", "VR", "N-CREATE", "N-SET", "Final state"), rows)


def statuses() -> Iterator[str]:
    yield "##### Statuses of N-CREATE, N-SET and N-GET"
    yield ""
    yield from table(
        ("Status", "Meaning", "Sent when"),
        ((f"{code:04X}", meaning, when) for code, (meaning, when) in sorted(STATUSES.items())),
    )


def _rows(attribute: MppsAttribute, *, depth: int) -> Iterator[tuple[str, ...]]:
    n_set = attribute.n_set or ("not allowed" if depth == 0 else "")
    yield (
        f"{'>' * depth} {attribute.name}".strip(),
        printed(attribute.tag),
        attribute.vr,
        attribute.n_create,
        n_set,
        attribute.final,
    )
    if attribute.items in _SHARED:
        return
    for each in attribute.items:
        yield from _rows(each, depth=depth + 1)


# Items that are the same wherever they occur.
_SHARED = (mpps_attributes.CODE, mpps_attributes.REFERENCE, mpps_attributes.ISSUER)
