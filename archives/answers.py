"""An archive's answer is read from the DICOM JSON Model (PS3.18 F), by whichever protocol it came.

What cannot be read as its representation says is empty or None: nothing is guessed at.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from pydicom.datadict import tag_for_keyword

from archives.contract import FoundSeries, FoundStudy
from worklist.dicom import json_model
from worklist.dicom.conditions import Range
from worklist.dicom.json_model import DataSet
from worklist.dicom.moments import date_range, time_range

Moment = TypeVar("Moment", date, time)
LONGEST_UID = 64  # characters
LARGEST_COUNT = 2**31 - 1
LARGEST_NUMBER = Decimal(10) ** 11


def study(found: DataSet) -> FoundStudy | None:
    """Return the study, or None where the answer does not say which: what is longer is no UID (PS3.5 9.1)."""
    uid = _text(found, "StudyInstanceUID")
    if not uid or len(uid) > LONGEST_UID:
        return None
    return FoundStudy(
        study_instance_uid=uid,
        patient_id=_text(found, "PatientID"),
        patient_name=_text(found, "PatientName"),
        patient_birth_date=_moment(found, "PatientBirthDate", date_range),
        patient_sex=_text(found, "PatientSex"),
        accession_number=_text(found, "AccessionNumber"),
        study_description=_text(found, "StudyDescription"),
        study_date=_moment(found, "StudyDate", date_range),
        study_time=_moment(found, "StudyTime", time_range),
        modalities=tuple(filter(None, _texts(found, "ModalitiesInStudy"))),
        series_count=_count(found, "NumberOfStudyRelatedSeries"),
        image_count=_count(found, "NumberOfStudyRelatedInstances"),
    )


def series(found: DataSet) -> FoundSeries | None:
    """Return the series, or None where the answer does not say which."""
    uid = _text(found, "SeriesInstanceUID")
    if not uid:
        return None
    return FoundSeries(
        series_instance_uid=uid,
        modality=_text(found, "Modality"),
        number=_count(found, "SeriesNumber"),
        description=_text(found, "SeriesDescription"),
        image_count=_count(found, "NumberOfSeriesRelatedInstances"),
        station_name=_text(found, "StationName"),
        patient_weight_kg=weight_kg(found),
        patient_size_m=_number(found, "PatientSize"),
    )


def is_of(found: DataSet, **uids: str) -> bool:
    """Tell whether the answer is of the study, or series, that was asked for: it names no other."""
    return all(_text(found, keyword) in ("", uid) for keyword, uid in uids.items())


def weight_kg(found: DataSet) -> Decimal | None:
    return _number(found, "PatientWeight")


def size_m(found: DataSet) -> Decimal | None:
    return _number(found, "PatientSize")


def _texts(found: DataSet, keyword: str) -> list[str]:
    """Return the values as text without padding; PostgreSQL takes no null characters."""
    element = found.get(f"{tag_for_keyword(keyword):08X}")
    return [text.replace("\0", "").strip() for text in json_model.texts(element)]


def _text(found: DataSet, keyword: str) -> str:
    """Return the value; several, which only a damaged answer has, are one text as sent."""
    return "\\".join(_texts(found, keyword))


def _moment(found: DataSet, keyword: str, read: Callable[[str], Range[Moment]]) -> Moment | None:
    try:
        given = read(_text(found, keyword))
    except ValueError:
        return None
    return given.low if given.single else None


def _count(found: DataSet, keyword: str) -> int | None:
    text = _text(found, keyword).removeprefix("+")
    is_one = text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_COUNT))
    return int(text) if is_one and int(text) <= LARGEST_COUNT else None


def _number(found: DataSet, keyword: str) -> Decimal | None:
    """Return a positive number; zero is what consoles store where nothing was entered."""
    try:
        number = Decimal(_text(found, keyword))
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 < number < LARGEST_NUMBER else None
