"""PS3.4 Table F.7.2-1 lists the attributes of a Modality Performed Procedure Step, in this order.

The rules (`worklist.dicom.mpps`), N-GET (`worklist.dicom.retrieval`) and the conformance statement read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pydicom.datadict import dictionary_description, dictionary_VM, dictionary_VR, tag_for_keyword
from pydicom.tag import BaseTag, Tag


@dataclass(frozen=True)
class MppsAttribute:
    """This is a row of Table F.7.2-1.

    `n_create` is the type at N-CREATE (1, 1C, 2, 3). `n_set` holds the types of SCU and SCP at N-SET, and
    None says that an N-SET may not carry it. `final` is the requirement on a step that is COMPLETED or
    DISCONTINUED. An attribute of a sequence's items may be set when the sequence may.
    """

    keyword: str
    n_create: str
    n_set: str | None = None
    final: str = ""
    items: tuple[MppsAttribute, ...] = ()

    @cached_property
    def tag(self) -> BaseTag:
        tag = tag_for_keyword(self.keyword)
        if tag is None:
            raise LookupError(f"{self.keyword} is not in the DICOM data dictionary")
        return Tag(tag)

    @cached_property
    def key(self) -> str:
        """Return its key in the DICOM JSON Model."""
        return f"{self.tag:08X}"

    @cached_property
    def vr(self) -> str:
        return dictionary_VR(self.tag)

    @cached_property
    def is_multiple(self) -> bool:
        """Return whether more than one value is allowed."""
        return dictionary_VM(self.tag) != "1"

    @cached_property
    def name(self) -> str:
        return dictionary_description(self.tag)

    @cached_property
    def by_key(self) -> Mapping[str, MppsAttribute]:
        return {attribute.key: attribute for attribute in self.items}


def printed(tag: int) -> str:
    """Return a tag as the standard prints it, such as (0008,103E)."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


CODE = (
    MppsAttribute("CodeValue", "1C"),
    MppsAttribute("CodingSchemeDesignator", "1C"),
    MppsAttribute("CodingSchemeVersion", "1C"),
    MppsAttribute("CodeMeaning", "3"),
    MppsAttribute("LongCodeValue", "1C"),
    MppsAttribute("URNCodeValue", "1C"),
)
REFERENCE = (MppsAttribute("ReferencedSOPClassUID", "1"), MppsAttribute("ReferencedSOPInstanceUID", "1"))
ISSUER = (
    MppsAttribute("LocalNamespaceEntityID", "1C"),
    MppsAttribute("UniversalEntityID", "1C"),
    MppsAttribute("UniversalEntityIDType", "1C"),
)

SCHEDULED_STEP = (
    MppsAttribute("StudyInstanceUID", "1"),
    MppsAttribute("ReferencedStudySequence", "2", items=REFERENCE),
    MppsAttribute("AccessionNumber", "2"),
    MppsAttribute("IssuerOfAccessionNumberSequence", "3", items=ISSUER),
    MppsAttribute("PlacerOrderNumberImagingServiceRequest", "3"),
    MppsAttribute("OrderPlacerIdentifierSequence", "3", items=ISSUER),
    MppsAttribute("FillerOrderNumberImagingServiceRequest", "3"),
    MppsAttribute("OrderFillerIdentifierSequence", "3", items=ISSUER),
    MppsAttribute("RequestedProcedureID", "2"),
    MppsAttribute("RequestedProcedureCodeSequence", "3", items=CODE),
    MppsAttribute("RequestedProcedureDescription", "2"),
    MppsAttribute("ScheduledProcedureStepID", "2"),
    MppsAttribute("ScheduledProcedureStepDescription", "2"),
    MppsAttribute("ScheduledProtocolCodeSequence", "2", items=CODE),
)
SERIES = (
    MppsAttribute("PerformingPhysicianName", "2", "2/2", final="2"),
    MppsAttribute("ProtocolName", "1", "1/1", final="1"),
    MppsAttribute("OperatorsName", "2", "2/2", final="2"),
    MppsAttribute("SeriesInstanceUID", "1", "1/1", final="1"),
    MppsAttribute("SeriesDescription", "2", "2/2", final="2"),
    MppsAttribute("RetrieveAETitle", "2", "2/2", final="2"),
    MppsAttribute("ArchiveRequested", "3", "3/3"),
    MppsAttribute("ReferencedImageSequence", "2", "2/2", final="2", items=REFERENCE),
    MppsAttribute("ReferencedNonImageCompositeSOPInstanceSequence", "2", "2/2", final="2", items=REFERENCE),
)

STEPS = MppsAttribute("ScheduledStepAttributesSequence", "1", items=SCHEDULED_STEP)
STATUS = MppsAttribute("PerformedProcedureStepStatus", "1", "3/1", final="COMPLETED or DISCONTINUED")
END_DATE = MppsAttribute("PerformedProcedureStepEndDate", "2", "3/1", final="1")
END_TIME = MppsAttribute("PerformedProcedureStepEndTime", "2", "3/1", final="1")
DISCONTINUATION_REASON = MppsAttribute(
    "PerformedProcedureStepDiscontinuationReasonCodeSequence", "3", "3/3", items=CODE
)
PERFORMED_SERIES = MppsAttribute("PerformedSeriesSequence", "2", "3/1", final="1", items=SERIES)
SPECIFIC_CHARACTER_SET = MppsAttribute("SpecificCharacterSet", "1C", "1C/1C")

ATTRIBUTES = (
    # Performed Procedure Step Relationship
    STEPS,
    MppsAttribute("PatientName", "2"),
    MppsAttribute("PatientID", "2"),
    MppsAttribute("IssuerOfPatientID", "3"),
    MppsAttribute("IssuerOfPatientIDQualifiersSequence", "3"),
    MppsAttribute("PatientBirthDate", "2"),
    MppsAttribute("PatientSex", "2"),
    MppsAttribute("ReferencedPatientSequence", "2", items=REFERENCE),
    MppsAttribute("OtherPatientIDsSequence", "3"),
    MppsAttribute("AdmissionID", "3"),
    MppsAttribute("IssuerOfAdmissionIDSequence", "3", items=ISSUER),
    MppsAttribute("ServiceEpisodeID", "3"),
    MppsAttribute("IssuerOfServiceEpisodeIDSequence", "3", items=ISSUER),
    MppsAttribute("ServiceEpisodeDescription", "3"),
    # Performed Procedure Step Information
    MppsAttribute("PerformedProcedureStepID", "1"),
    MppsAttribute("PerformedStationAETitle", "1"),
    MppsAttribute("PerformedStationName", "2"),
    MppsAttribute("PerformedLocation", "2"),
    MppsAttribute("PerformedProcedureStepStartDate", "1"),
    MppsAttribute("PerformedProcedureStepStartTime", "1"),
    STATUS,
    MppsAttribute("PerformedProcedureStepDescription", "2", "3/2"),
    MppsAttribute("PerformedProcedureTypeDescription", "2", "3/2"),
    MppsAttribute("ProcedureCodeSequence", "2", "3/2", items=CODE),
    MppsAttribute("ReasonForPerformedProcedureCodeSequence", "3", "3/3", items=CODE),
    END_DATE,
    END_TIME,
    MppsAttribute("CommentsOnThePerformedProcedureStep", "3", "3/3"),
    DISCONTINUATION_REASON,
    # Image Acquisition Results
    MppsAttribute("Modality", "1"),
    MppsAttribute("StudyID", "2"),
    MppsAttribute("PerformedProtocolCodeSequence", "2", "3/2", items=CODE),
    PERFORMED_SERIES,
)

BY_KEY: Mapping[str, MppsAttribute] = {attribute.key: attribute for attribute in ATTRIBUTES}
NOT_IN_N_SET = frozenset(attribute.key for attribute in ATTRIBUTES if attribute.n_set is None)
