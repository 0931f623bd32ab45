"""A scanner sends these data sets of a performed step, as complete as those of Siemens MR scanners.

`begun` is an N-CREATE's, the others are N-SETs'. Keywords given beside change or add attributes, valid or
not.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from pydicom import Dataset

from tests.scu import Message
from tests.worklist.identifiers import data_set

MR_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.4"
LATIN_1, UTF_8 = "ISO_IR 100", "ISO_IR 192"
WRONG_ENTRY = ("110514", "Incorrect worklist entry selected")
EQUIPMENT_FAILURE = ("110501", "Equipment failure")

_numbers = count(1)


def new_uid() -> str:
    """Return a SOP Instance UID that no other step of this test run has."""
    return f"1.3.12.2.1107.5.2.43.{next(_numbers)}"


def scheduled_step(item: Any, **changes: Any) -> Dataset:
    """Make an item of the Scheduled Step Attributes Sequence, copied from the worklist."""
    values = {
        "ReferencedStudySequence": [],
        "AccessionNumber": item.accession_number,
        "StudyInstanceUID": item.study_instance_uid,
        "RequestedProcedureDescription": item.study_description,
        "ScheduledProcedureStepDescription": item.procedure_description,
        "ScheduledProtocolCodeSequence": [],
        "ScheduledProcedureStepID": item.scheduled_procedure_step_id,
        "RequestedProcedureID": item.requested_procedure_id,
    }
    return data_set({**values, **changes})


def begun(*items: Any, charset: Any = LATIN_1, **changes: Any) -> Dataset:
    """Make the attributes of a step that performs the items; the patient is the first one's."""
    birth_date = items[0].patient_birth_date
    values = {
        "SpecificCharacterSet": charset,
        "Modality": items[0].modality,
        "ProcedureCodeSequence": [],
        "ReferencedPatientSequence": [],
        "PatientName": items[0].patient_name,
        "PatientID": items[0].patient_id,
        "PatientBirthDate": birth_date.strftime("%Y%m%d") if birth_date else "",
        "PatientSex": items[0].patient_sex,
        "StudyID": "1",
        "PerformedStationAETitle": "MR1",
        "PerformedStationName": "MRC35127",
        "PerformedLocation": "",
        "PerformedProcedureStepStartDate": "20260110",
        "PerformedProcedureStepStartTime": "093112.345000",
        "PerformedProcedureStepEndDate": "",
        "PerformedProcedureStepEndTime": "",
        "PerformedProcedureStepStatus": "IN PROGRESS",
        "PerformedProcedureStepID": "MR20260110093112",
        "PerformedProcedureStepDescription": "Head^Brain",
        "PerformedProcedureTypeDescription": "",
        "PerformedProtocolCodeSequence": [],
        "ScheduledStepAttributesSequence": [scheduled_step(item) for item in items],
        "CommentsOnThePerformedProcedureStep": "",
        "PerformedProcedureStepDiscontinuationReasonCodeSequence": [],
        # Of optional modules, as Siemens sends them.
        "BillingProcedureStepSequence": [],
        "FilmConsumptionSequence": [],
        "BillingSuppliesAndDevicesSequence": [],
        "PerformedSeriesSequence": [],
    }
    return data_set({**values, **changes})


def series(number: int = 1, *, images: int = 2, **changes: Any) -> Dataset:
    """Make an item of the Performed Series Sequence."""
    uid = f"1.3.12.2.1107.5.2.43.9.{number}"
    values = {
        "RetrieveAETitle": "",
        "SeriesDescription": f"t1_mprage_{number}",
        "PerformingPhysicianName": "",
        "OperatorsName": "Tech^Anna",
        "ReferencedImageSequence": [
            data_set(
                {"ReferencedSOPClassUID": MR_IMAGE_STORAGE, "ReferencedSOPInstanceUID": f"{uid}.{image}"}
            )
            for image in range(1, images + 1)
        ],
        "ProtocolName": f"t1_mprage_{number}",
        "SeriesInstanceUID": uid,
        "ReferencedNonImageCompositeSOPInstanceSequence": [],
    }
    return data_set({**values, **changes})


def progress(*done: Dataset, charset: Any = LATIN_1, **changes: Any) -> Dataset:
    """Make an update while the examination goes on."""
    values = {
        "SpecificCharacterSet": charset,
        "PerformedProcedureStepStatus": "IN PROGRESS",
        "PerformedSeriesSequence": list(done),
    }
    return data_set({**values, **changes})


def completed(*done: Dataset, charset: Any = LATIN_1, **changes: Any) -> Dataset:
    """Make the last message; without series given it reports one."""
    values = {
        "SpecificCharacterSet": charset,
        "ProcedureCodeSequence": [],
        "PerformedProcedureStepEndDate": "20260110",
        "PerformedProcedureStepEndTime": "101530.120000",
        "PerformedProcedureStepStatus": "COMPLETED",
        "PerformedProcedureStepDescription": "Head^Brain",
        "PerformedProcedureTypeDescription": "",
        "PerformedProtocolCodeSequence": [],
        "PerformedSeriesSequence": list(done) or [series()],
    }
    return data_set({**values, **changes})


def code(value: str, meaning: str, scheme: str = "DCM") -> Dataset:
    return data_set({"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning})


def discontinued(*done: Dataset, reason: tuple[str, str] | None = None, **changes: Any) -> Dataset:
    """Make the last message of an examination that was stopped."""
    values: dict[str, Any] = {"PerformedProcedureStepStatus": "DISCONTINUED"}
    if reason is not None:
        values["PerformedProcedureStepDiscontinuationReasonCodeSequence"] = [code(*reason)]
    return completed(*done, **{**values, **changes})


def without(dataset: Dataset, keyword: str) -> Dataset:
    del dataset[keyword]
    return dataset


def create(uid: str, dataset: Dataset) -> Message:
    return Message("N-CREATE", uid, dataset)


def change(uid: str, dataset: Dataset) -> Message:
    return Message("N-SET", uid, dataset)
