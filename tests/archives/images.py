"""Small MR images of invented people, as a scanner stores them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

SIDE = 4  # pixels


@dataclass(frozen=True)
class MadeSeries:
    """It is a series to be made; `uid` ends its study's."""

    uid: str
    number: int = 1
    description: str = "T1w"
    images: int = 1
    modality: str = "MR"
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MadeStudy:
    """It is a study to be made: whose it is, and what is in it."""

    uid: str
    patient_id: str = "P1"
    patient_name: str = "Doe^Jane"
    birth_date: str = "19800117"
    sex: str = "F"
    weight: str = "61.5"
    size: str = "1.7"
    accession_number: str = "A1"
    study_date: str = "20261126"
    study_time: str = "091500"
    description: str = "HEAD"
    station_name: str = "MR1"
    character_set: str = "ISO_IR 192"
    series: tuple[MadeSeries, ...] = (MadeSeries("1", 1, "Localizer", 3), MadeSeries("2", 2, "T1w", 2))


def images(study: MadeStudy) -> Iterator[Dataset]:
    """Yield each image of the study."""
    for series in study.series:
        for number in range(1, series.images + 1):
            yield _image(study, series, number)


def as_bytes(image: Dataset) -> bytes:
    """Return the image as a file of DICOM."""
    buffer = io.BytesIO()
    dcmwrite(buffer, image, enforce_file_format=True)
    return buffer.getvalue()


def _image(study: MadeStudy, series: MadeSeries, number: int) -> Dataset:
    image = Dataset()
    image.SpecificCharacterSet = study.character_set
    image.SOPClassUID = MRImageStorage
    image.SOPInstanceUID = f"{study.uid}.{series.uid}.{number}"
    image.StudyInstanceUID = study.uid
    image.SeriesInstanceUID = f"{study.uid}.{series.uid}"
    image.PatientID, image.PatientName = study.patient_id, study.patient_name
    image.PatientBirthDate, image.PatientSex = study.birth_date, study.sex
    if study.weight:
        image.PatientWeight = study.weight
    if study.size:
        image.PatientSize = study.size
    image.AccessionNumber = study.accession_number
    image.StudyDate, image.StudyTime, image.StudyID = study.study_date, study.study_time, "1"
    image.StudyDescription, image.StationName = study.description, study.station_name
    image.ReferringPhysicianName = ""
    image.Modality, image.SeriesNumber, image.InstanceNumber = series.modality, series.number, number
    image.SeriesDescription = series.description
    image.Rows = image.Columns = SIDE
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    image.PixelData = bytes(SIDE * SIDE * 2)
    for keyword, value in series.attributes.items():
        setattr(image, keyword, value)
    image.file_meta = FileMetaDataset()
    image.file_meta.MediaStorageSOPClassUID = MRImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = UID(image.SOPInstanceUID)
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return image
