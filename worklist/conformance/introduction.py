"""These sections say which statement this is, for whom, and by which words."""

from __future__ import annotations

from collections.abc import Iterator

from pylantir_site import __version__
from worklist.conformance.markdown import bullets, table

# The newest last: a change of what the statement claims is a revision.
REVISIONS = (
    ("1", "2026-11-28", "The first, by the code's own tables."),
    ("2", "2026-11-29", "In the form of PS3.2 Annex N; security, failures, configuration."),
)


def cover() -> Iterator[str]:
    number, date, *_ = REVISIONS[-1]
    yield "# DICOM Conformance Statement"
    yield ""
    yield from table(
        ("", ""),
        (
            ("Product", "Pylantir on Django, a Modality Worklist and MPPS server"),
            ("Version", __version__),
            ("Published by", "the Pylantir project (open source, MIT)"),
            ("Document", f"docs/conformance.md, revision {number}"),
            ("Date", date),
            ("Form", "DICOM PS3.2 Annex N (2024 and later)"),
        ),
    )
    yield ""
    yield "Printed by `python manage.py conformance`: what the code decides is read from the code."
    yield "Numbers are the settings' defaults, or a site's own where a site prints it."


def revisions() -> Iterator[str]:
    yield from table(("Revision", "Date", "Changes"), REVISIONS)


def audience() -> Iterator[str]:
    yield "Whoever connects a scanner: medical physicists, DICOM administrators, vendors' service engineers."
    yield "The reader knows DICOM's terms, and has the scanner's own statement at hand."


def remarks() -> Iterator[str]:
    yield from bullets(
        "Two conformance statements that agree do not make sure that two systems work together: compare "
        "them, then try each scanner with a phantom (docs/devices.md).",
        "DICOM changes; later editions may ask for what this version does not do.",
        "Pylantir is software for research. It is not a medical device, and no claim of the law of medical "
        "devices is made for it.",
    )


def terms() -> Iterator[str]:
    yield from table(
        ("Term", "Meaning"),
        (
            ("Device, scanner", "an application entity that is listed and may associate"),
            ("Item", "one Scheduled Procedure Step with its patient, study and request"),
            ("Performed step", "one Modality Performed Procedure Step, as a scanner reports it"),
            ("Point of attention", "what a person must look at, such as an identity that differs"),
        ),
    )


def abbreviations() -> Iterator[str]:
    yield from table(
        ("Abbreviation", "Meaning"),
        (
            ("AE", "Application Entity"),
            ("DIMSE", "DICOM Message Service Element"),
            ("IOD", "Information Object Definition"),
            ("MPPS", "Modality Performed Procedure Step"),
            ("MWL", "Modality Worklist"),
            ("PDU", "Protocol Data Unit"),
            ("SCU, SCP", "Service Class User, Service Class Provider"),
            ("SOP", "Service-Object Pair"),
            ("SPS", "Scheduled Procedure Step"),
            ("TLS", "Transport Layer Security"),
            ("VR", "Value Representation"),
        ),
    )


def references() -> Iterator[str]:
    yield from bullets(
        "NEMA PS3 / ISO 12052, Digital Imaging and Communications in Medicine (DICOM) Standard, National "
        "Electrical Manufacturers Association, Arlington, VA, USA (https://www.dicomstandard.org/): parts "
        "2, 3, 4, 5, 6, 7, 8, 15 and 16.",
        "IETF BCP 195: RFC 8996 and RFC 9325.",
        "IHE Radiology Technical Framework, Scheduled Workflow.",
    )
