"""A scanner is played here: it takes who people are from the worklist, and writes it into small images."""

from __future__ import annotations

import struct
from pathlib import Path

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from tests import scu
from tests.interoperability.people import AGES, DAY
from tests.interoperability.server import served

ASKED = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientWeight"),
    *("StudyInstanceUID", "AccessionNumber"),
)
SIDE = 8
SLICES = 4
SERIES = "anat-T1w"  # as heudiconv's ReproIn reads it


def scanned(folder: Path) -> dict[str, Path]:
    """Return a folder of images for each of those whose age is told, by patient ID."""
    with served(folder) as product:
        answers = {each: _asked(product.port, each) for each in AGES}
    made = {}
    for patient_id, answer in answers.items():
        made[patient_id] = folder / "dicom" / patient_id
        answer.PatientAge = AGES[patient_id]
        write_series(made[patient_id], answer)
    return made


def _asked(port: int, patient_id: str) -> Dataset:
    query = scu.keys({"Modality": "MR"}, **{**dict.fromkeys(ASKED, ""), "PatientID": patient_id})
    _, answer = scu.query(port, query)[0]
    assert answer is not None
    del answer.ScheduledProcedureStepSequence
    return answer


def write_series(folder: Path, identity: Dataset) -> None:
    """Write a series of a few slices whose header says who it is as `identity` does."""
    folder.mkdir(parents=True)
    series, frame = generate_uid(), generate_uid()
    for number in range(SLICES):
        image = _slice(number)
        image.update(identity)
        image.SeriesInstanceUID, image.FrameOfReferenceUID = series, frame
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.save_as(folder / f"{number}.dcm", enforce_file_format=True)


def _slice(number: int) -> Dataset:
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = MRImageStorage, generate_uid()
    image.Modality, image.Manufacturer, image.PatientPosition = "MR", "Example", "HFS"
    image.StudyDescription, image.StudyID = "Study", "1"
    image.SeriesDescription = image.ProtocolName = image.SequenceName = SERIES
    image.StudyDate = image.SeriesDate = image.AcquisitionDate = image.ContentDate = DAY
    image.StudyTime = image.SeriesTime = image.AcquisitionTime = image.ContentTime = "100000"
    image.ImageType = ["ORIGINAL", "PRIMARY"]
    image.MRAcquisitionType, image.ScanningSequence, image.SequenceVariant = "3D", "GR", "NONE"
    image.ScanOptions, image.EchoTime, image.RepetitionTime = "", 2, 3
    image.SeriesNumber, image.InstanceNumber = 1, number + 1
    image.PixelSpacing, image.SliceThickness, image.SpacingBetweenSlices = [1, 1], 1, 1
    image.ImageOrientationPatient, image.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, number]
    image.Rows = image.Columns = SIDE
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 0
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.PixelData = struct.pack("<H", number) * SIDE * SIDE
    return image
