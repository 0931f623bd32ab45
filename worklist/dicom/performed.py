"""A stored performed procedure step is read here with tolerance.

A `DataSet` holds what a scanner sent. Whatever is absent, empty or malformed is read as "", None or ().
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from pydicom.datadict import tag_for_keyword

from worklist.dicom import json_model, moments
from worklist.dicom.json_model import DataSet


@dataclass(frozen=True)
class Code:
    """This is a coded concept (PS3.3 8.8); `value` may be a Long Code Value or a URN."""

    value: str
    scheme: str
    meaning: str = ""


@dataclass(frozen=True)
class Reference:
    """An item of the Scheduled Step Attributes Sequence (0040,0270) says what was performed."""

    study_instance_uid: str
    referenced_study_uids: tuple[str, ...]
    scheduled_procedure_step_id: str
    requested_procedure_id: str
    accession_number: str
    scheduled_protocol_codes: tuple[Code, ...]


@dataclass(frozen=True)
class Series:
    """This is an item of the Performed Series Sequence (0040,0340)."""

    series_instance_uid: str
    description: str
    protocol_name: str
    operators_name: str
    performing_physician_name: str
    image_count: int
    other_count: int


@dataclass(frozen=True)
class Patient:
    """The name is in DICOM form, its component groups joined by `=`; the weight is in kilograms."""

    name: str
    patient_id: str
    birth_date: date | None
    sex: str
    weight: Decimal | None


WRONG_ENTRY = Code("110514", "DCM", "Incorrect worklist entry selected")

# PS3.16 CID 9301, and the DICOM codes of CID 9300, by value and scheme.
MEANINGS = {
    ("110500", "DCM"): "Doctor canceled procedure",
    ("110501", "DCM"): "Equipment failure",
    ("110502", "DCM"): "Incorrect procedure ordered",
    ("110503", "DCM"): "Patient allergic to media/contrast",
    ("110504", "DCM"): "Patient died",
    ("110505", "DCM"): "Patient refused to continue procedure",
    ("110506", "DCM"): "Patient taken for treatment or surgery",
    ("110507", "DCM"): "Patient did not arrive",
    ("110508", "DCM"): "Patient pregnant",
    ("110509", "DCM"): "Change of procedure for correct charging",
    ("110510", "DCM"): "Duplicate order",
    ("110511", "DCM"): "Nursing unit cancel",
    ("110512", "DCM"): "Incorrect side ordered",
    ("110513", "DCM"): "Discontinued for unspecified reason",
    ("110514", "DCM"): "Incorrect worklist entry selected",
    ("110515", "DCM"): "Patient condition prevented continuing",
    ("110516", "DCM"): "Equipment change",
    ("110521", "DCM"): "Objects incorrectly formatted",
    ("110522", "DCM"): "Object Types not supported",
    ("110523", "DCM"): "Object Set incomplete",
    ("110524", "DCM"): "Media Failure",
    ("110526", "DCM"): "Resource pre-empted",
    ("110527", "DCM"): "Resource inadequate",
    ("110528", "DCM"): "Discontinued Procedure Step rescheduled",
    ("110529", "DCM"): "Discontinued Procedure Step rescheduling recommended",
    ("110530", "DCM"): "Workitem assignment rejected by assigned resource",
    ("110533", "DCM"): "Workitem expired",
    ("113568", "DCM"): "Extravasation visible in image",
    ("292094009", "SCT"): "Radiopharmaceutical Adverse Reaction",
    ("95384003", "SCT"): "Injection Site Extravasation",
}


def references(dataset: DataSet) -> tuple[Reference, ...]:
    return tuple(map(_reference, _items(dataset, "ScheduledStepAttributesSequence")))


def series(dataset: DataSet) -> tuple[Series, ...]:
    return tuple(map(_series, _items(dataset, "PerformedSeriesSequence")))


def patient(dataset: DataSet) -> Patient:
    return Patient(
        name=text(dataset, "PatientName"),
        patient_id=text(dataset, "PatientID"),
        birth_date=day(dataset, "PatientBirthDate"),
        sex=text(dataset, "PatientSex"),
        weight=_number(text(dataset, "PatientWeight")),
    )


def discontinuation_reason(dataset: DataSet) -> Code | None:
    found = _codes(dataset, "PerformedProcedureStepDiscontinuationReasonCodeSequence")
    return found[0] if found else None


def performed_codes(dataset: DataSet) -> tuple[Code, ...]:
    """Return the codes of the Performed Protocol Code Sequence (0040,0260)."""
    return _codes(dataset, "PerformedProtocolCodeSequence")


def is_wrong_entry(code: Code | None) -> bool:
    """Return whether the operator had chosen the wrong worklist entry."""
    return code is not None and (code.value, code.scheme) == (WRONG_ENTRY.value, WRONG_ENTRY.scheme)


def text(dataset: DataSet, keyword: str) -> str:
    """Return the values without padding, joined by backslash."""
    return "\\".join(json_model.texts(_element(dataset, keyword)))


def day(dataset: DataSet, keyword: str) -> date | None:
    """Return the date; a range of days is none."""
    try:
        found = moments.date_range(text(dataset, keyword))
    except ValueError:
        return None
    return found.low if found.single else None


def moment(dataset: DataSet, keyword: str) -> time | None:
    """Return the time; a range of times is none."""
    try:
        found = moments.time_range(text(dataset, keyword))
    except ValueError:
        return None
    return found.low if found.single else None


def _reference(item: DataSet) -> Reference:
    studies = (text(study, "ReferencedSOPInstanceUID") for study in _items(item, "ReferencedStudySequence"))
    return Reference(
        study_instance_uid=text(item, "StudyInstanceUID"),
        referenced_study_uids=tuple(filter(None, studies)),
        scheduled_procedure_step_id=text(item, "ScheduledProcedureStepID"),
        requested_procedure_id=text(item, "RequestedProcedureID"),
        accession_number=text(item, "AccessionNumber"),
        scheduled_protocol_codes=_codes(item, "ScheduledProtocolCodeSequence"),
    )


def _series(item: DataSet) -> Series:
    return Series(
        series_instance_uid=text(item, "SeriesInstanceUID"),
        description=text(item, "SeriesDescription"),
        protocol_name=text(item, "ProtocolName"),
        operators_name=text(item, "OperatorsName"),
        performing_physician_name=text(item, "PerformingPhysicianName"),
        image_count=json_model.count_items(_element(item, "ReferencedImageSequence")),
        other_count=json_model.count_items(_element(item, "ReferencedNonImageCompositeSOPInstanceSequence")),
    )


def _codes(dataset: DataSet, keyword: str) -> tuple[Code, ...]:
    found = map(_code, _items(dataset, keyword))
    return tuple(code for code in found if code.value or code.meaning)


def _code(item: DataSet) -> Code:
    given = (text(item, keyword) for keyword in ("CodeValue", "LongCodeValue", "URNCodeValue"))
    value = next(filter(None, given), "")
    scheme = text(item, "CodingSchemeDesignator")
    return Code(value, scheme, text(item, "CodeMeaning") or MEANINGS.get((value, scheme), ""))


def _number(written: str) -> Decimal | None:
    """Return a measure of a person; scanners send 0 for one that was not taken."""
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number > 0 else None


def _items(dataset: DataSet, keyword: str) -> list[DataSet]:
    return json_model.items(_element(dataset, keyword))


def _element(dataset: DataSet, keyword: str) -> object:
    """Return the attribute, if there is one. Raises LookupError for what is no keyword."""
    return dataset.get(_key(keyword))


@lru_cache(maxsize=256)
def _key(keyword: str) -> str:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise LookupError(f"{keyword} is not in the DICOM data dictionary")
    return f"{tag:08X}"
