"""A benchmark's items, and what is asked of them, are the same in every run of a day."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO
from typing import Any, NamedTuple

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

TYPICAL = 20  # items of today for the scanner that asks
ONE_DOE_IN = 100
DAYS = 60  # that the other items are spread over, today among them
STATION, STATION_NAME = "MR1_SCAN", "ROOM 1"
STATIONS = (("MR", "MR2_SCAN"), ("CT", "CT1_SCAN"), ("US", "US1_SCAN"), ("PT", "PT1_SCAN"))

# What all items have in common, by DICOM keyword.
COMMON: dict[str, Any] = {
    "PatientBirthDate": "19800229",
    "PatientSex": "F",
    "PatientWeight": "72.5",
    "ReferringPhysicianName": "WINTER^ANNA",
    "RequestingPhysician": "SUMMER^JOHN",
    "RequestedProcedureDescription": "Brain study, second visit",
    "RequestedProcedurePriority": "ROUTINE",
    "PatientTransportArrangements": "WALKS",
    "AdmissionID": "ADM1",
    "CurrentPatientLocation": "WARD 3",
    "MedicalAlerts": "NONE KNOWN",
    "Allergies": "LATEX",
    "PregnancyStatus": 4,
}
COMMON_STEP: dict[str, Any] = {
    "ScheduledStationName": STATION_NAME,
    "ScheduledProcedureStepLocation": "BUILDING 2",
    "ScheduledPerformingPhysicianName": "SPRING^MARY",
    "ScheduledProcedureStepDescription": "Brain MRI, rest and task",
}
CODE = {"CodeValue": "BRAIN_REST_TASK", "CodingSchemeDesignator": "SITE", "CodeMeaning": "BRAIN_REST_TASK"}


class Item(NamedTuple):
    """These values differ, by DICOM keyword; every item's have the same even lengths."""

    PatientName: str
    PatientID: str
    AccessionNumber: str
    StudyInstanceUID: str
    RequestedProcedureID: str
    ScheduledProcedureStepID: str
    ScheduledStationAETitle: str
    Modality: str
    ScheduledProcedureStepStartDate: str
    ScheduledProcedureStepStartTime: str


STEP_KEYWORDS = frozenset(Item._fields[5:])
PLACEHOLDER = Item(
    "NAME^0123456",
    "ID012345",
    "ACC01234",
    "2.25.91234567890123456",
    "RP012345",
    "SPS01234",
    "AE_TITLE",
    "XX",
    "20010101",
    "010101",
)


def item(number: int, *, today: date) -> Item:
    """Make one item; the typical query finds the first ones."""
    modality, station = ("MR", STATION) if number < TYPICAL else STATIONS[number % len(STATIONS)]
    day = today if number < TYPICAL else today + timedelta(days=number // len(STATIONS) % DAYS - DAYS // 2)
    family = "DOE" if number % ONE_DOE_IN == 0 else "ROE"
    return Item(
        f"{family}^A{number:07}",
        f"P{number:07}",
        f"A{number:07}",
        f"2.25.1{number:016}",
        f"R{number:07}",
        f"S{number:07}",
        station,
        modality,
        f"{day:%Y%m%d}",
        f"{8 + number % 10:02}{number % 60:02}00",
    )


def doe_count(n: int) -> int:
    """Return how many of n items `DOE*` finds."""
    return -(-n // ONE_DOE_IN)


def template() -> bytes:
    """Make a worklist file that holds the placeholder's values, as wlmscpfs reads it."""
    dataset = _dataset({**COMMON, **_root(PLACEHOLDER)}, {**COMMON_STEP, **_step(PLACEHOLDER)}, CODE)
    dataset.ReferencedStudySequence = []
    dataset.ReferencedPatientSequence = []
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.276.0.7230010.3.1.0.1")  # DCMTK's for worklist files
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("2.25.1")
    file = BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def filled(template: bytes, of: Item) -> bytes:
    """Put the item's values in place of the placeholder's in what was encoded."""
    for placeholder, value in zip(PLACEHOLDER, of, strict=True):
        template = template.replace(placeholder.encode(), value.encode())
    return template


def query(root: dict[str, str] | None = None, step: dict[str, str] | None = None) -> Dataset:
    """Make an identifier that asks for 31 attributes, universal except for the values given."""
    root_keys = dict.fromkeys((*COMMON, *_root(PLACEHOLDER)), "")
    step_keys = dict.fromkeys((*COMMON_STEP, *_step(PLACEHOLDER)), "")
    return _dataset({**root_keys, **(root or {})}, {**step_keys, **(step or {})}, dict.fromkeys(CODE, ""))


def typical_query(today: date) -> Dataset:
    return query(
        step={
            "Modality": "MR",
            "ScheduledStationAETitle": STATION,
            "ScheduledProcedureStepStartDate": f"{today:%Y%m%d}",
        }
    )


def _root(of: Item) -> dict[str, str]:
    return {keyword: value for keyword, value in of._asdict().items() if keyword not in STEP_KEYWORDS}


def _step(of: Item) -> dict[str, str]:
    return {keyword: value for keyword, value in of._asdict().items() if keyword in STEP_KEYWORDS}


def _dataset(root: dict[str, Any], step: dict[str, Any], code: dict[str, str]) -> Dataset:
    dataset, step_item, code_item = Dataset(), Dataset(), Dataset()
    for target, values in ((dataset, root), (step_item, step), (code_item, code)):
        for keyword, value in values.items():
            setattr(target, keyword, None if value == "" else value)
    step_item.ScheduledProtocolCodeSequence = [code_item]
    dataset.ScheduledProcedureStepSequence = [step_item]
    return dataset
