"""These sections tell on one page what is offered."""

from __future__ import annotations

from collections.abc import Iterator

from worklist.conformance.markdown import bullets, table
from worklist.dicom.code_elements import DEFINED_TERMS
from worklist.scp.services import SOP_CLASSES, TRANSFER_SYNTAXES

HEAD = ("SOP class", "UID", "User of service (SCU)", "Provider of service (SCP)")
VERIFICATION, *OF_WORKFLOW = SOP_CLASSES


def purpose() -> Iterator[str]:
    yield "Pylantir offers the appointments of research participants to scanners as a Modality Worklist,"
    yield "and hears back from them what was performed (Modality Performed Procedure Step)."
    yield "It holds no images, and sends nothing to a scanner but a C-ECHO that a person asks for."
    yield "Archives are asked what has arrived (C-FIND, study root), and nothing is written into them."


def content() -> Iterator[str]:
    yield "It creates, stores, displays and transfers no composite SOP Instances:"
    yield "no images, reports, presentation states or other objects."


def services() -> Iterator[str]:
    yield "For each SOP class, in order of preference:"
    yield ""
    yield from table(("Transfer syntax", "UID"), ((uid.name, uid) for uid in TRANSFER_SYNTAXES))


def verification() -> Iterator[str]:
    yield from table(HEAD, [(VERIFICATION.name, VERIFICATION, "Yes", "Yes")])


def workflow() -> Iterator[str]:
    yield from table(HEAD, ((uid.name, uid, "No", "Yes") for uid in OF_WORKFLOW))


def character_sets() -> Iterator[str]:
    yield f"Read: {', '.join(f'`{term}`' for term in DEFINED_TERMS)}."
    yield "Section 5.7 says in which of them an answer is sent."


def mapping() -> Iterator[str]:
    yield from table(
        ("Service", "Application Entity", "Role", "Who begins the association"),
        (
            ("Verification", "Worklist Server", "SCP", "the scanner"),
            ("Verification", "Worklist Server", "SCU", "this server, where a person presses *C-ECHO*"),
            ("Verification", "Worklist Server", "SCU", "this server, to an archive that a person tests"),
            ("Query/Retrieve, study root FIND", "Worklist Server", "SCU", "this server, to an archive"),
            ("Basic Worklist Management", "Worklist Server", "SCP", "the scanner"),
            ("Modality Performed Procedure Step", "Worklist Server", "SCP", "the scanner"),
            ("Modality Performed Procedure Step Retrieve", "Worklist Server", "SCP", "any listed device"),
        ),
    )


def standard_classes() -> Iterator[str]:
    yield from bullets(
        "All SOP classes are standard. There are no standard extended, specialized or private SOP classes.",
        "An attribute that is asked for and is not of the model is returned, not added to the model: an "
        "answer then is FF01.",
        "Verification is answered on any accepted association, whatever else it is for.",
    )
