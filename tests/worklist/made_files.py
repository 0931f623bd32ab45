"""These helpers make DICOM worklist files, right or wrong."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom import Dataset, FileMetaDataset, config, dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

STUDY = "1.2.826.0.1.3680043.10.1"


def step(**changes: Any) -> Dataset:
    given = {
        "ScheduledStationAETitle": "MR1",
        "ScheduledProcedureStepStartDate": "20260110",
        "ScheduledProcedureStepStartTime": "093000",
        "Modality": "MR",
        "ScheduledProcedureStepID": "S1",
    }
    return dataset({**given, **changes})


def worklist(*steps: Dataset, **changes: Any) -> Dataset:
    given = {
        "PatientName": "DOE^JOHN",
        "PatientID": "P1",
        "StudyInstanceUID": STUDY,
        "RequestedProcedureID": "R1",
        "AccessionNumber": "A1",
        "ScheduledProcedureStepSequence": list(steps or [step()]),
    }
    return dataset({**given, **changes})


def dataset(given: dict[str, Any]) -> Dataset:
    """Make a data set of keywords; None leaves the attribute out."""
    made = Dataset()
    with config.disable_value_validation():
        for keyword, value in given.items():
            if value is not None:
                setattr(made, keyword, value)
    return made


def write(path: Path, content: Dataset, syntax: UID = ExplicitVRLittleEndian, *, meta: bool = True) -> Path:
    with config.disable_value_validation():
        if meta:
            content.file_meta = FileMetaDataset()
            content.file_meta.TransferSyntaxUID = syntax
            content.file_meta.MediaStorageSOPClassUID = UID("1.2.276.0.7230010.3.1.0.1")
            content.file_meta.MediaStorageSOPInstanceUID = UID(STUDY)
            dcmwrite(path, content, enforce_file_format=True)
        else:
            encoding = {"implicit_vr": syntax.is_implicit_VR, "little_endian": syntax.is_little_endian}
            dcmwrite(path, content, **encoding)
    return path


def data(content: Dataset) -> bytes:
    """Return the bytes of such a file."""
    written = BytesIO()
    with config.disable_value_validation():
        dcmwrite(written, content, implicit_vr=False, little_endian=True)
    return written.getvalue()
