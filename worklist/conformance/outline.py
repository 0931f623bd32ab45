"""The statement has the sections of PS3.2 Annex N, under their numbers, each with who writes it.

Where Pylantir has nothing of what a section is about, the section says so in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from worklist.conformance import (
    annexes,
    archives,
    associations,
    configuration,
    devices,
    failures,
    introduction,
    overview,
    performed,
    queries,
    security,
    sequences,
)

Body = Callable[[], Iterator[str]]
NO_WEB = (
    "As a user: the search of archives (QIDO-RS, PS3.18 10.6) for studies, series and instances, by GET. "
    "As a provider none: the REST API is the product's own, and no DICOM Web Service."
)
NO_MEDIA = "None: no DICOM media is written or read."
NO_VIDEO = "None."
NOT_SUPPORTED = "Not supported."
SEE_BELOW = ""


@dataclass(frozen=True)
class Section:
    """This is a numbered heading with its parts, or with a sentence."""

    number: str
    title: str
    parts: tuple[Body, ...] | str = SEE_BELOW

    @property
    def heading(self) -> str:
        return f"{'#' * (self.number.count('.') + 2)} {self.name}"

    @property
    def name(self) -> str:
        annex = "Annex " if self.number.isalpha() else ""
        return f"{annex}{self.number} {self.title}"

    def lines(self) -> Iterator[str]:
        yield self.heading
        if isinstance(self.parts, str):
            if self.parts:
                yield from ("", self.parts)
            return
        for part in self.parts:
            yield ""
            yield from part()


def contents() -> Iterator[str]:
    """Write the table of contents, as GitHub names the headings."""
    for section in SECTIONS:
        depth = section.number.count(".")
        if depth < 2:
            yield f"{'  ' * depth}- [{section.name}](#{anchor(section.name)})"


def anchor(heading: str) -> str:
    kept = (letter for letter in heading.lower() if letter.isalnum() or letter in "-_ ")
    return "".join(kept).replace(" ", "-")


SECTIONS = (
    Section("1", "Overview", (overview.purpose,)),
    Section("1.1", "Content and Transfer", (overview.content,)),
    Section("1.1.1", "Structured Reporting Root Template IDs", "None."),
    Section("1.2", "DIMSE Services", (overview.services,)),
    Section("1.2.1", "Verification", (overview.verification,)),
    Section("1.2.2", "Storage", NOT_SUPPORTED),
    Section("1.2.3", "Workflow Management", (overview.workflow,)),
    Section("1.2.4", "Query/Retrieve", (archives.query_retrieve,)),
    Section("1.2.5", "Printing", NOT_SUPPORTED),
    Section("1.3", "DICOM Web Services", NO_WEB),
    Section("1.4", "Media Services", NO_MEDIA),
    Section("1.5", "Real-Time Video Service", NO_VIDEO),
    Section("1.6", "De-identification Profiles", "None: no images are handled."),
    Section("1.7", "Specific Character Sets", (overview.character_sets,)),
    Section("2", "Table of Contents", (contents,)),
    Section("3", "Introduction"),
    Section("3.1", "Revision History", (introduction.revisions,)),
    Section("3.2", "Audience", (introduction.audience,)),
    Section("3.3", "Remarks", (introduction.remarks,)),
    Section("3.4", "Terms and Definitions", (introduction.terms,)),
    Section("3.5", "Abbreviations", (introduction.abbreviations,)),
    Section("3.6", "References", (introduction.references,)),
    Section("4", "Implementation Model"),
    Section("4.1", "Application Entities and Data Flow", (sequences.data_flow,)),
    Section(
        "4.1.1", "Functional Definition of the Worklist Server Application Entity", (sequences.functions,)
    ),
    Section("5", "Service and Interoperability Description"),
    Section("5.1", "Mapping of Services to Application Entities", (overview.mapping,)),
    Section("5.2", "DIMSE Services", (overview.standard_classes,)),
    Section(
        "5.2.1",
        "Basic Worklist Management Service",
        (queries.matching, queries.rules, queries.answers, queries.items, queries.limits),
    ),
    Section(
        "5.2.2",
        "Modality Performed Procedure Step Service",
        (performed.rules, performed.links, performed.attributes),
    ),
    Section("5.2.3", "Unified Worklist and Procedure Step Service", NOT_SUPPORTED),
    Section("5.2.4", "Instance Availability Notification Service", NOT_SUPPORTED),
    Section("5.2.5", "Storage Service", NOT_SUPPORTED),
    Section("5.2.6", "Storage Commitment Service", NOT_SUPPORTED),
    Section("5.2.7", "Query/Retrieve Service", (archives.service,)),
    Section("5.2.8", "Print Management Service", NOT_SUPPORTED),
    Section("5.3", "DICOM Web Services", NO_WEB),
    Section("5.4", "Media Services", NO_MEDIA),
    Section("5.5", "Real-Time Video Services", NO_VIDEO),
    Section("5.6", "Cross-Service Considerations", (annexes.across_services,)),
    Section("5.7", "Specific Character Sets", (queries.texts,)),
    Section("6", "Configuration"),
    Section("6.1", "General Configuration Parameters", (configuration.general,)),
    Section("6.2", "Configuration of DIMSE Services", (configuration.of_services,)),
    Section("6.2.1", "Rules of Each Scanner", (devices.rules, devices.vendors)),
    Section("6.3", "Configuration of DICOM Web Services", NO_WEB),
    Section("6.4", "Configuration of Media Storage Service", NO_MEDIA),
    Section("6.5", "Configuration of Real-Time Video Service", NO_VIDEO),
    Section("6.6", "Configuration of Audit Trail - Syslog", (configuration.audit,)),
    Section("7", "Network and Media Communication Details"),
    Section("7.1", "General"),
    Section("7.1.1", "General Association Parameters", (associations.parameters,)),
    Section("7.2", "Application Entity Specifications"),
    Section("7.2.1", "Worklist Server Application Entity"),
    Section("7.2.1.1", "Sequencing of Real-World Activities", (sequences.diagrams,)),
    Section("7.2.1.2", "Association Parameters", (associations.limits,)),
    Section("7.2.1.3", "Association Initiation Policy", (associations.initiation, archives.initiation)),
    Section("7.2.1.4", "Association Acceptance Policy", (associations.acceptance, associations.rejections)),
    Section("7.3", "Status Codes"),
    Section("7.3.1", "General Communication and Failure Behavior", (failures.communication,)),
    Section(
        "7.3.2",
        "DIMSE Services",
        (failures.verification, queries.statuses, performed.statuses),
    ),
    Section("7.3.3", "DICOM Web Services", NO_WEB),
    Section("8", "Security"),
    Section("8.1", "Introduction", (security.introduction,)),
    Section("8.2", "External Network Requirements", (security.network,)),
    Section("8.3", "TCP Port Configuration", (security.ports,)),
    Section("8.4", "DICOM Security Profiles Support"),
    Section("8.4.1", "Secure Use and User Identity Profiles", "None."),
    Section("8.4.2", "Secure Transport Connection Profiles", (security.transport,)),
    Section("8.4.3", "Media Storage Security Profiles", NO_MEDIA),
    Section("8.4.4", "Attribute Confidentiality Profiles", "None."),
    Section("8.4.5", "Digital Signature Profiles", "None."),
    Section("8.4.6", "Additional DICOM Security Profiles", (security.additional,)),
    Section("8.5", "User Identity Negotiation Support", (security.user_identity,)),
    Section("8.6", "Web Services Security Features", NO_WEB),
    Section("8.7", "Other Security Features", (security.other,)),
    Section("A", "Information Object Definitions"),
    Section("A.1", "Information Shared across IODs", (annexes.created,)),
    Section("A.2", "Modality Performed Procedure Step IOD", (annexes.performed_step,)),
    Section("A.3", "Private Attributes and Private IODs", (annexes.private,)),
    Section("B", "Structured Report Content Encoding", "None: no Structured Reports are created or read."),
    Section("C", "Security Details", (security.details,)),
    Section("D", "Mapping of Attributes", (annexes.mapping,)),
    Section("E", "Code Set Usage", (annexes.codes,)),
)
