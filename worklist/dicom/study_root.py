"""These keys are asked of an archive in the study root model, by DICOM's keywords (PS3.4 C.6.2.1)."""

from __future__ import annotations

from pydicom.uid import UID

FIND = UID("1.2.840.10008.5.1.4.1.2.2.1")
STUDY_KEYS = (
    *("StudyDate", "StudyTime", "AccessionNumber", "ModalitiesInStudy", "StudyDescription"),
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID"),
    *("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
)
SERIES_KEYS = (
    *("Modality", "StationName", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber"),
    "NumberOfSeriesRelatedInstances",
)
# They are of the patient's study module: no archive must answer them at any level, and many do.
PATIENT_KEYS = ("PatientWeight", "PatientSize")
IMAGE_KEYS = ("SOPInstanceUID", *PATIENT_KEYS)
UIDS_AT_ONCE = 50  # of a list in one question: 50 UIDs of 64 characters are 3,249 bytes
MOST_ANSWERS = 2_000  # to one question; a hospital's day of one archive has some hundreds of studies
