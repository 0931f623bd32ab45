"""Each client asks in the same way: what may be asked, which answers are meant, and whose weight counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date
from types import TracebackType
from typing import Self

from archives import answers
from archives.contract import FoundSeries, FoundStudy
from archives.uid_lists import UidLists
from sources.errors import TooMuchError
from worklist.dicom.json_model import DataSet
from worklist.dicom.study_root import MOST_ANSWERS
from worklist.dicom.values import to_text

FUTILE = 5  # questions for an image without a weight, after which no more are asked


class StudyAndSeriesAsking:
    """A client derives from it, and puts single questions in its own protocol."""

    def __init__(self) -> None:
        self._lists = UidLists(self._studies_with)
        self._series_tell = False  # that a series has told a weight
        self._images_told, self._images_silent = 0, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def studies(
        self,
        *,
        study_instance_uids: Collection[str] = (),
        patient_id: str = "",
        day: date | None = None,
    ) -> list[FoundStudy]:
        """Return the studies that fit all that is given, as `contract.ArchiveClient` says."""
        if not study_instance_uids and not patient_id and day is None:
            raise ValueError("All studies of an archive are asked for by nobody.")
        if study_instance_uids:
            found = self._lists.studies(study_instance_uids)
        else:
            keys = {"PatientID": patient_id, "StudyDate": to_text(day)}
            found = _studies(self._find_studies({key: value for key, value in keys.items() if value}))
        # Archives fold case, and take * and ? of an ID for wild cards.
        return [
            study
            for study in found
            if (not patient_id or study.patient_id == patient_id.strip())
            and (day is None or study.study_date == day)
        ]

    def series(self, study_instance_uid: str) -> list[FoundSeries]:
        """Return the study's series by number; the first has its weight from an image where need be."""
        # An archive that does not apply what it is asked by would answer another study's series.
        own = [
            each
            for each in self._find_series(study_instance_uid)
            if answers.is_of(each, StudyInstanceUID=study_instance_uid)
        ]
        found = [each for each in map(answers.series, own) if each]
        ordered = sorted(found, key=lambda each: (each.number is None, each.number or 0))
        self._series_tell = self._series_tell or any(each.patient_weight_kg for each in ordered)
        if not ordered or self._series_tell or (self._images_silent >= FUTILE and not self._images_told):
            return ordered
        return [self._with_weight(study_instance_uid, ordered[0]), *ordered[1:]]

    def _with_weight(self, study_instance_uid: str, first: FoundSeries) -> FoundSeries:
        image = self._find_an_image(study_instance_uid, first.series_instance_uid)
        asked = {"StudyInstanceUID": study_instance_uid, "SeriesInstanceUID": first.series_instance_uid}
        image = image if image is not None and answers.is_of(image, **asked) else None
        weight = answers.weight_kg(image) if image is not None else None
        self._images_told += weight is not None
        self._images_silent += weight is None
        size = answers.size_m(image) if image is not None else None
        return replace(first, patient_weight_kg=weight, patient_size_m=first.patient_size_m or size)

    def _studies_with(self, uids: Sequence[str]) -> list[FoundStudy]:
        return _studies(self._find_studies({"StudyInstanceUID": uids[0] if len(uids) == 1 else list(uids)}))

    def close(self) -> None:
        raise NotImplementedError

    def _find_studies(self, keys: dict[str, str | list[str]]) -> list[DataSet]:
        raise NotImplementedError

    def _find_series(self, study_instance_uid: str) -> list[DataSet]:
        raise NotImplementedError

    def _find_an_image(self, study_instance_uid: str, series_instance_uid: str) -> DataSet | None:
        """Return an image of the series with what is told of the patient, or None without one."""
        raise NotImplementedError


def _studies(found: Iterable[DataSet]) -> list[FoundStudy]:
    return [each for each in map(answers.study, found) if each]


def refuse_too_many(count: int) -> None:
    """Raise TooMuchError for so many answers: what is left out would be taken for missing."""
    if count > MOST_ANSWERS:
        raise TooMuchError(
            f"The archive has more than {MOST_ANSWERS} answers to one question: nothing of it was used. "
            "Ask for fewer days or patients."
        )
