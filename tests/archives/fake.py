"""An archive in memory answers as the contract says, remembers its questions, and fails when told to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

from archives.contract import UIDS_AT_ONCE, FoundSeries, FoundStudy
from sources.errors import SourceError, TooMuchError
from worklist.models import WorklistItem


class FakeArchive:
    def __init__(self) -> None:
        self.held: dict[str, FoundStudy] = {}
        self.series_of: dict[str, list[FoundSeries]] = {}
        self.asked: list[str] = []
        self.failure: SourceError | None = None
        self.most = 10_000
        self.opened = 0

    @property
    def questions(self) -> int:
        return len(self.asked)

    def add(self, study: FoundStudy, series: Sequence[FoundSeries] = ()) -> FoundStudy:
        counted = replace(
            study, series_count=len(series), image_count=sum(each.image_count or 0 for each in series)
        )
        self.held[study.study_instance_uid] = counted
        self.series_of[study.study_instance_uid] = list(series)
        return counted

    def change(self, uid: str, **changes: Any) -> None:
        self.held[uid] = replace(self.held[uid], **changes)

    def remove(self, uid: str) -> None:
        del self.held[uid]

    def studies(
        self, *, study_instance_uids: Collection[str] = (), patient_id: str = "", day: date | None = None
    ) -> list[FoundStudy]:
        assert study_instance_uids or patient_id or day
        portions = -(-len(study_instance_uids) // UIDS_AT_ONCE) or 1
        self._ask(*["uids" if study_instance_uids else "patient" if patient_id else "day"] * portions)
        found = [
            study
            for study in self.held.values()
            if (not study_instance_uids or study.study_instance_uid in study_instance_uids)
            and (not patient_id or study.patient_id == patient_id)
            and (day is None or study.study_date == day)
        ]
        if len(found) > self.most:
            raise TooMuchError("The archive has more studies than it answers at once.")
        return found

    def series(self, study_instance_uid: str) -> list[FoundSeries]:
        self._ask("series")
        return self.series_of[study_instance_uid]

    def test(self) -> None:
        self._ask("test")

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        self.opened += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def _ask(self, *what: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.asked.extend(what)


def study_of(item: WorklistItem, **changes: Any) -> FoundStudy:
    """Return the study that images of the item make, with these changes."""
    study = FoundStudy(
        item.study_instance_uid,
        patient_id=item.patient_id,
        patient_name=item.patient_name,
        patient_birth_date=item.patient_birth_date,
        patient_sex=item.patient_sex,
        accession_number=item.accession_number,
        study_date=item.scheduled_start_date,
        study_time=time(9, 0),
        modalities=("MR",),
    )
    return replace(study, **changes)


def series_of(
    uids: Sequence[str], *, weight: str | None = None, images: int = 2, station: str = "MRC35127"
) -> list[FoundSeries]:
    return [
        FoundSeries(
            uid,
            modality="MR",
            number=number,
            image_count=images,
            station_name=station,
            patient_weight_kg=None if weight is None else Decimal(weight),
        )
        for number, uid in enumerate(uids, 1)
    ]
