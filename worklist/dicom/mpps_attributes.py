"""The attributes of a Modality Performed Procedure Step: PS3.4 Table F.7.2-1, in its order.

The rules (`worklist.dicom.mpps`), N-GET (`worklist.dicom.retrieval`) and the conformance statement read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pydicom.datadict import dictionary_description, dictionary_VM, dictionary_VR, tag_for_keyword
from pydicom.tag import BaseTag, Tag


@dataclass(frozen=True)
class Attribute:
    """A row of Table F.7.2-1.

    `n_create` is the type at N-CREATE (1, 1C, 2, 3). `n_set` holds the types of SCU and SCP at N-SET, and
    None says that an N-SET may not carry it. `final` is the requirement on a step that is COMPLETED or
    DISCONTINUED. An attribute of a sequence's items may be set when the sequence may.
    """

    keyword: str
    n_create: str
    n_set: str | None = None
    final: str = ""
    items: tuple[Attribute, ...] = ()

    @cached_property
    def tag(self) -> BaseTag:
        tag = tag_for_keyword(self.keyword)
        if tag is None:
            raise LookupError(f"{self.keyword} is not in the DICOM data dictionary")
        return Tag(tag)

    @cached_property
    def key(self) -> str:
        """Its key in the DICOM JSON Model."""
        return f"{self.tag:08X}"

    @cached_property
    def vr(self) -> str:
        return dictionary_VR(self.tag)

    @cached_property
    def is_multiple(self) -> bool:
        """Whether more than one value is allowed."""
        return dictionary_VM(self.tag) != "1"

    @cached_property
    def name(self) -> str:
        return dictionary_description(self.tag)

    @cached_property
    def by_key(self) -> Mapping[str, Attribute]:
        return {attribute.key: attribute for attribute in self.items}


def printed(tag: int) -> str:
    """A tag as the standard prints it, such as (0008,103E)."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


CODE = (
    Attribute("CodeValue", "1C"),
    Attribute("CodingSchemeDesignator", "1C"),
    Attribute("CodingSchemeVersion", "1C"),
    Attribute("CodeMeaning", "3"),
    Attribute("LongCodeValue", "1C"),
    Attribute("URNCodeValue", "1C"),
)
REFERENCE = (Attribute("ReferencedSOPClassUID", "1"), Attribute("ReferencedSOPInstanceUID", "1"))
ISSUER = (
    Attribute("LocalNamespaceEntityID", "1C"),
    Attribute("UniversalEntityID", "1C"),
    Attribute("UniversalEntityIDType", "1C"),
)

SCHEDULED_STEP = (
    Attribute("StudyInstanceUID", "1"),
    Attribute("ReferencedStudySequence", "2", items=REFERENCE),
    Attribute("AccessionNumber", "2"),
    Attribute("IssuerOfAccessionNumberSequence", "3", items=ISSUER),
    Attribute("PlacerOrderNumberImagingServiceRequest", "3"),
    Attribute("OrderPlacerIdentifierSequence", "3", items=ISSUER),
    Attribute("FillerOrderNumberImagingServiceRequest", "3"),
    Attribute("OrderFillerIdentifierSequence", "3", items=ISSUER),
    Attribute("RequestedProcedureID", "2"),
    Attribute("RequestedProcedureCodeSequence", "3", items=CODE),
    Attribute("RequestedProcedureDescription", "2"),
    Attribute("ScheduledProcedureStepID", "2"),
    Attribute("ScheduledProcedureStepDescription", "2"),
    Attribute("ScheduledProtocolCodeSequence", "2", items=CODE),
)
SERIES = (
    Attribute("PerformingPhysicianName", "2", "2/2", final="2"),
    Attribute("ProtocolName", "1", "1/1", final="1"),
    Attribute("OperatorsName", "2", "2/2", final="2"),
    Attribute("SeriesInstanceUID", "1", "1/1", final="1"),
    Attribute("SeriesDescription", "2", "2/2", final="2"),
    Attribute("RetrieveAETitle", "2", "2/2", final="2"),
    Attribute("ArchiveRequested", "3", "3/3"),
    Attribute("ReferencedImageSequence", "2", "2/2", final="2", items=REFERENCE),
    Attribute("ReferencedNonImageCompositeSOPInstanceSequence", "2", "2/2", final="2", items=REFERENCE),
)

STEPS = Attribute("ScheduledStepAttributesSequence", "1", items=SCHEDULED_STEP)
STATUS = Attribute("PerformedProcedureStepStatus", "1", "3/1", final="COMPLETED or DISCONTINUED")
END_DATE = Attribute("PerformedProcedureStepEndDate", "2", "3/1", final="1")
END_TIME = Attribute("PerformedProcedureStepEndTime", "2", "3/1", final="1")
DISCONTINUATION_REASON = Attribute(
    "PerformedProcedureStepDiscontinuationReasonCodeSequence", "3", "3/3", items=CODE
)
PERFORMED_SERIES = Attribute("PerformedSeriesSequence", "2", "3/1", final="1", items=SERIES)
SPECIFIC_CHARACTER_SET = Attribute("SpecificCharacterSet", "1C", "1C/1C")

ATTRIBUTES = (
    # Performed Procedure Step Relationship
    STEPS,
    Attribute("PatientName", "2"),
    Attribute("PatientID", "2"),
    Attribute("IssuerOfPatientID", "3"),
    Attribute("IssuerOfPatientIDQualifiersSequence", "3"),
    Attribute("PatientBirthDate", "2"),
    Attribute("PatientSex", "2"),
    Attribute("ReferencedPatientSequence", "2", items=REFERENCE),
    Attribute("OtherPatientIDsSequence", "3"),
    Attribute("AdmissionID", "3"),
    Attribute("IssuerOfAdmissionIDSequence", "3", items=ISSUER),
    Attribute("ServiceEpisodeID", "3"),
    Attribute("IssuerOfServiceEpisodeIDSequence", "3", items=ISSUER),
    Attribute("ServiceEpisodeDescription", "3"),
    # Performed Procedure Step Information
    Attribute("PerformedProcedureStepID", "1"),
    Attribute("PerformedStationAETitle", "1"),
    Attribute("PerformedStationName", "2"),
    Attribute("PerformedLocation", "2"),
    Attribute("PerformedProcedureStepStartDate", "1"),
    Attribute("PerformedProcedureStepStartTime", "1"),
    STATUS,
    Attribute("PerformedProcedureStepDescription", "2", "3/2"),
    Attribute("PerformedProcedureTypeDescription", "2", "3/2"),
    Attribute("ProcedureCodeSequence", "2", "3/2", items=CODE),
    Attribute("ReasonForPerformedProcedureCodeSequence", "3", "3/3", items=CODE),
    END_DATE,
    END_TIME,
    Attribute("CommentsOnThePerformedProcedureStep", "3", "3/3"),
    DISCONTINUATION_REASON,
    # Image Acquisition Results
    Attribute("Modality", "1"),
    Attribute("StudyID", "2"),
    Attribute("PerformedProtocolCodeSequence", "2", "3/2", items=CODE),
    PERFORMED_SERIES,
)

BY_KEY: Mapping[str, Attribute] = {attribute.key: attribute for attribute in ATTRIBUTES}
NOT_IN_N_SET = frozenset(attribute.key for attribute in ATTRIBUTES if attribute.n_set is None)
