"""Of a performed step's data set is kept how something was done, and nothing that says to whom.

The Basic Application Level Confidentiality Profile (PS3.15 E.2) is the orientation, with the options to
retain dates and device identity: that an examination took place, when, where and how, is what is kept. What
is kept is listed, so an attribute that nobody thought of goes. Who operated the scanner stays, as who acted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydicom.datadict import tag_for_keyword

from worklist.dicom import json_model, representations
from worklist.dicom.json_model import DataSet
from worklist.privacy.traces import Traces

Kept = Mapping[str, "Kept | None"]  # keyword -> what is kept of a sequence's items
NewUid = Callable[[str], str]
# What people type; dates, numbers and codes of a list name nobody.
_FREE = representations.TEXT | {"PN"}

CODE: Kept = dict.fromkeys(
    (
        *("CodeValue", "CodingSchemeDesignator", "CodingSchemeVersion", "CodeMeaning"),
        *("LongCodeValue", "URNCodeValue"),
    )
)
SERIES: Kept = dict.fromkeys(
    (
        *("PerformingPhysicianName", "ProtocolName", "OperatorsName", "SeriesInstanceUID"),
        *("SeriesDescription", "RetrieveAETitle", "ArchiveRequested"),
    )
)
SCHEDULED: Kept = {
    "StudyInstanceUID": None,
    "RequestedProcedureCodeSequence": CODE,
    "RequestedProcedureDescription": None,
    "ScheduledProcedureStepDescription": None,
    "ScheduledProtocolCodeSequence": CODE,
}
KEPT: Kept = {
    **dict.fromkeys(
        (
            *("PerformedStationAETitle", "PerformedStationName", "PerformedLocation", "Modality"),
            *("PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"),
            *("PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime"),
            *("PerformedProcedureStepStatus", "PerformedProcedureStepDescription"),
            "PerformedProcedureTypeDescription",
            # How much radiation was used, for those who must report it (PS3.3 C.4.16).
            *("TotalTimeOfFluoroscopy", "TotalNumberOfExposures", "DistanceSourceToDetector"),
            *("DistanceSourceToEntrance", "EntranceDose", "EntranceDoseInmGy", "ExposedArea"),
            "ImageAndFluoroscopyAreaDoseProduct",
        )
    ),
    "ProcedureCodeSequence": CODE,
    "PerformedProcedureStepDiscontinuationReasonCodeSequence": CODE,
    "PerformedProtocolCodeSequence": CODE,
    "ScheduledStepAttributesSequence": SCHEDULED,
    "PerformedSeriesSequence": SERIES,
}


def technical(dataset: DataSet, traces: Traces, new_uid: NewUid, kept: Kept = KEPT) -> DataSet:
    """Return what is kept of a data set in the DICOM JSON Model; a value that names the participant is not.

    UIDs in it become new ones, by which no image is found.
    """
    found: DataSet = {}
    for keyword, of_items in kept.items():
        key = f"{tag_for_keyword(keyword):08X}"
        if key not in dataset:
            continue
        element = dataset[key]
        if of_items is not None:
            items = [technical(item, traces, new_uid, of_items) for item in json_model.items(element)]
            found[key] = {"vr": "SQ", "Value": items}
        else:
            found[key] = _cleaned(element, traces, new_uid)
    return found


def names_in(dataset: Any) -> set[str]:
    """Return the person names that a data set says of the patient: those not of who operated or ordered."""
    return set(_texts_of(dataset, {"PatientName", "OtherPatientNames", "PatientBirthName"}))


def ids_in(dataset: Any) -> set[str]:
    """Return the identifiers in a data set that find a participant, at any depth."""
    return set(
        _texts_of(
            dataset,
            {
                *("PatientID", "OtherPatientIDs", "AccessionNumber", "RequestedProcedureID"),
                *("ScheduledProcedureStepID", "PerformedProcedureStepID", "AdmissionID"),
                *("PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest"),
                "StudyInstanceUID",
            },
        )
    )


def _texts_of(dataset: Any, keywords: set[str]) -> list[str]:
    if not isinstance(dataset, dict):
        return []
    wanted = {f"{tag_for_keyword(keyword):08X}" for keyword in keywords}
    found: list[str] = []
    for key, element in dataset.items():
        if key in wanted:
            found += json_model.texts(element)
        for item in json_model.items(element):
            found += _texts_of(item, keywords)
    return found


def _cleaned(element: Any, traces: Traces, new_uid: NewUid) -> dict[str, Any]:
    vr = str(element.get("vr", "UN")) if isinstance(element, dict) else "UN"
    texts = json_model.texts(element)
    if vr == "UI":
        return {"vr": vr, "Value": [new_uid(text) for text in texts if text]}
    names_somebody = vr in _FREE and any(map(traces.may_be_in, texts))
    if names_somebody or not json_model.values(element):
        return {"vr": vr}
    return {"vr": vr, "Value": json_model.values(element)}
