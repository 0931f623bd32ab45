"""PS3.4 Table K.6-1 lists the attributes of a worklist item; here it says where each is kept.

Matching, answers, import and the conformance statement all read this table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from pydicom.datadict import dictionary_description, dictionary_VR, tag_for_keyword
from pydicom.tag import BaseTag, Tag

from worklist.dicom import values
from worklist.dicom.values import Record


class Place(Enum):
    ROOT = "root"
    STEP = "step item"  # an item of the Scheduled Procedure Step Sequence (0040,0100)


class Matching(Enum):
    """A key's value may be one of these (PS3.4 C.2.2.2); universal matching is always possible."""

    NONE = "none"
    TEXT = "single value, wild card"
    RANGE = "single value, range"
    UID_LIST = "single value, list of UID"
    STATUS = "single value, wild card, over the terms on the wire"
    SEQUENCE = "sequence"


@dataclass(frozen=True)
class ItemAttribute:
    """This is a row of Table K.6-1.

    `field` is the model field that holds the value; without it the value is in `extra_attributes`,
    under the keyword. `derive` makes the value from the record where a field alone does not tell it;
    a value in `extra_attributes` goes before it, as `completed` makes it of the stored one.
    """

    keyword: str
    return_type: str  # 1, 1C, 2, 2C, 3
    place: Place = Place.ROOT
    matching: Matching = Matching.NONE
    required: bool = False  # a required matching key (Table K.6-1, "R")
    field: str | None = None
    derive: Callable[[Record], Any] | None = None
    completed: Callable[[Record, Any], Any] | None = None
    items: tuple[ItemAttribute, ...] = ()

    @cached_property
    def tag(self) -> BaseTag:
        tag = tag_for_keyword(self.keyword)
        if tag is None:
            raise LookupError(f"{self.keyword} is not in the DICOM data dictionary")
        return Tag(tag)

    @cached_property
    def vr(self) -> str:
        return dictionary_VR(self.tag)

    @cached_property
    def name(self) -> str:
        return dictionary_description(self.tag)

    @property
    def is_stored_alone(self) -> bool:
        """Return whether its value comes from `extra_attributes` alone."""
        return self.field is None and self.derive is None and self.matching is Matching.NONE


CODE = (
    ItemAttribute("CodeValue", "1C"),
    ItemAttribute("CodingSchemeDesignator", "1C"),
    ItemAttribute("CodingSchemeVersion", "3"),
    ItemAttribute("CodeMeaning", "3"),
    ItemAttribute("LongCodeValue", "1C"),
    ItemAttribute("URNCodeValue", "1C"),
)
REFERENCE = (ItemAttribute("ReferencedSOPClassUID", "1"), ItemAttribute("ReferencedSOPInstanceUID", "1"))
PROTOCOL_CONTEXT = (
    ItemAttribute("ValueType", "1"),
    ItemAttribute("ConceptNameCodeSequence", "1", items=CODE),
    ItemAttribute("DateTime", "1C"),
    ItemAttribute("PersonName", "1C"),
    ItemAttribute("TextValue", "1C"),
    ItemAttribute("ConceptCodeSequence", "1C", items=CODE),
    ItemAttribute("NumericValue", "1C"),
    ItemAttribute("MeasurementUnitsCodeSequence", "1C", items=CODE),
)


def _step(keyword: str, return_type: str, **more: Any) -> ItemAttribute:
    return ItemAttribute(keyword, return_type, place=Place.STEP, **more)


STEP_ATTRIBUTES = (
    _step(
        "ScheduledStationAETitle",
        "1",
        matching=Matching.TEXT,
        required=True,
        field="scheduled_station_aetitle",
    ),
    _step(
        "ScheduledProcedureStepStartDate",
        "1",
        matching=Matching.RANGE,
        required=True,
        field="scheduled_start_date",
    ),
    _step(
        "ScheduledProcedureStepStartTime",
        "1",
        matching=Matching.RANGE,
        required=True,
        field="scheduled_start_time",
    ),
    _step("Modality", "1", matching=Matching.TEXT, required=True, field="modality"),
    _step(
        "ScheduledPerformingPhysicianName",
        "2",
        matching=Matching.TEXT,
        required=True,
        field="performing_physician",
    ),
    _step(
        "ScheduledProcedureStepDescription",
        "1C",
        field="procedure_description",
        derive=values.scheduled_procedure_step_description,
    ),
    _step("ScheduledStationName", "2", matching=Matching.TEXT, field="station_name"),
    _step(
        "ScheduledProcedureStepLocation",
        "2",
        matching=Matching.TEXT,
        field="scheduled_procedure_step_location",
    ),
    _step("ReferencedDefinedProtocolSequence", "3", items=REFERENCE),
    _step("ReferencedPerformedProtocolSequence", "3", items=REFERENCE),
    _step(
        "ScheduledProtocolCodeSequence",
        "1C",
        derive=values.scheduled_protocol_codes,
        completed=values.with_own_scheme,
        items=(*CODE, ItemAttribute("ProtocolContextSequence", "3", items=PROTOCOL_CONTEXT)),
    ),
    _step("PreMedication", "2C"),
    _step("ScheduledProcedureStepID", "1", matching=Matching.TEXT, field="scheduled_procedure_step_id"),
    _step("RequestedContrastAgent", "2C"),
    _step(
        "ScheduledProcedureStepStatus",
        "3",
        matching=Matching.STATUS,
        field="performed_procedure_step_status",
        derive=values.status,
    ),
    _step("ScheduledProcedureStepEndDate", "3"),
    _step("ScheduledProcedureStepEndTime", "3"),
    _step("ScheduledPerformingPhysicianIdentificationSequence", "3"),
    _step("CommentsOnTheScheduledProcedureStep", "3"),
)

STEP_SEQUENCE = ItemAttribute(
    "ScheduledProcedureStepSequence", "1", matching=Matching.SEQUENCE, required=True, items=STEP_ATTRIBUTES
)

ROOT_ATTRIBUTES = (
    STEP_SEQUENCE,
    ItemAttribute(
        "ScheduledSpecimenSequence",
        "3",
        items=(
            ItemAttribute("ContainerIdentifier", "1"),
            ItemAttribute("ContainerTypeCodeSequence", "2", items=CODE),
            ItemAttribute("SpecimenDescriptionSequence", "1"),
        ),
    ),
    ItemAttribute("BarcodeValue", "3"),
    ItemAttribute("RequestedProcedureID", "1", matching=Matching.TEXT, field="requested_procedure_id"),
    ItemAttribute(
        "RequestedProcedureDescription",
        "1C",
        field="study_description",
        derive=values.requested_procedure_description,
    ),
    ItemAttribute("RequestedProcedureCodeSequence", "1C", items=CODE),
    ItemAttribute("StudyInstanceUID", "1", matching=Matching.UID_LIST, field="study_instance_uid"),
    ItemAttribute("StudyDate", "3"),
    ItemAttribute("StudyTime", "3"),
    ItemAttribute("StudyDescription", "3", derive=values.requested_procedure_description),
    ItemAttribute("ReferencedStudySequence", "2", items=REFERENCE),
    ItemAttribute("RequestedProcedurePriority", "2"),
    ItemAttribute("PatientTransportArrangements", "2"),
    ItemAttribute("ReasonForTheRequestedProcedure", "3"),
    ItemAttribute("RequestedProcedureComments", "3"),
    ItemAttribute("NamesOfIntendedRecipientsOfResults", "3"),
    ItemAttribute("AccessionNumber", "2", matching=Matching.TEXT, field="accession_number"),
    ItemAttribute("IssuerOfAccessionNumberSequence", "3"),
    ItemAttribute("RequestingPhysician", "2", matching=Matching.TEXT, field="requesting_physician"),
    ItemAttribute("ReferringPhysicianName", "2", matching=Matching.TEXT, field="referring_physician_name"),
    ItemAttribute("AdmissionID", "2"),
    ItemAttribute("IssuerOfAdmissionIDSequence", "3"),
    ItemAttribute("CurrentPatientLocation", "2"),
    ItemAttribute("ReferencedPatientSequence", "2", items=REFERENCE),
    ItemAttribute("PatientName", "1", matching=Matching.TEXT, required=True, field="patient_name"),
    ItemAttribute("PatientID", "1", matching=Matching.TEXT, required=True, field="patient_id"),
    ItemAttribute("IssuerOfPatientID", "3"),
    ItemAttribute("IssuerOfPatientIDQualifiersSequence", "3"),
    ItemAttribute("OtherPatientIDsSequence", "3"),
    ItemAttribute("PatientBirthDate", "2", matching=Matching.RANGE, field="patient_birth_date"),
    ItemAttribute("PatientSex", "2", matching=Matching.TEXT, field="patient_sex"),
    ItemAttribute("PatientPrimaryLanguageCodeSequence", "3", items=CODE),
    ItemAttribute("PatientWeight", "2", field="patient_weight_kg"),
    ItemAttribute("PatientSize", "3"),
    ItemAttribute("ConfidentialityConstraintOnPatientDataDescription", "2"),
    ItemAttribute("PatientState", "2"),
    ItemAttribute("PregnancyStatus", "2"),
    ItemAttribute("MedicalAlerts", "2"),
    ItemAttribute("Allergies", "2"),
    ItemAttribute("SpecialNeeds", "2"),
    ItemAttribute(
        "PertinentDocumentsSequence",
        "3",
        items=(
            *REFERENCE,
            ItemAttribute("PurposeOfReferenceCodeSequence", "2", items=CODE),
            ItemAttribute("DocumentTitle", "2"),
        ),
    ),
)

# Table K.6-1a: said of the identifier itself, never matched, never in the request's keys.
IDENTIFIER_ATTRIBUTES = (
    ItemAttribute("SpecificCharacterSet", "1C"),
    ItemAttribute("TimezoneOffsetFromUTC", "1C"),
    ItemAttribute("HL7StructuredDocumentReferenceSequence", "1C"),
)

BY_PLACE = {
    Place.ROOT: {attribute.tag: attribute for attribute in ROOT_ATTRIBUTES},
    Place.STEP: {attribute.tag: attribute for attribute in STEP_ATTRIBUTES},
}
BY_KEYWORD = {attribute.keyword: attribute for attribute in (*ROOT_ATTRIBUTES, *STEP_ATTRIBUTES)}
BY_FIELD = {attribute.field: attribute for attribute in BY_KEYWORD.values() if attribute.field}

# What an answer can be made of: the columns that a query for answers reads.
RECORD_FIELDS = (*BY_FIELD, "protocol_name", "hisris_coding_designator", "extra_attributes")


def matched() -> Iterator[ItemAttribute]:
    """Return the attributes whose keys this server matches, the sequence itself aside."""
    no_key = (Matching.NONE, Matching.SEQUENCE)
    return (attribute for attribute in BY_KEYWORD.values() if attribute.matching not in no_key)
