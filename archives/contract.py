"""An archive is asked for studies and their series by this contract, whichever protocol it speaks.

A question only reads. What an archive does not answer is empty or None, and never made up.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from types import TracebackType
from typing import Protocol, Self

from worklist.dicom.study_root import UIDS_AT_ONCE

__all__ = ["UIDS_AT_ONCE", "ArchiveClient", "FoundSeries", "FoundStudy"]


@dataclass(frozen=True)
class FoundStudy:
    """It is a study as an archive tells of it (PS3.4 C.6.2.1.2); texts are decoded and without padding.

    A name is a PN with its component groups. A date or time that is none is None. Counts are None where the
    archive does not answer them.
    """

    study_instance_uid: str
    patient_id: str = ""
    patient_name: str = ""
    patient_birth_date: date | None = None
    patient_sex: str = ""
    accession_number: str = ""
    study_description: str = ""
    study_date: date | None = None
    study_time: time | None = None
    modalities: tuple[str, ...] = ()
    series_count: int | None = None
    image_count: int | None = None


@dataclass(frozen=True)
class FoundSeries:
    """It is a series as an archive tells of it (PS3.4 C.6.2.1.3), with what its images say of the patient.

    Weight is in kilograms (0010,1030) and size in metres (0010,1020), as numbers that the images hold; None
    where the archive does not tell.
    """

    series_instance_uid: str
    modality: str = ""
    number: int | None = None
    description: str = ""
    image_count: int | None = None
    station_name: str = ""
    patient_weight_kg: Decimal | None = None
    patient_size_m: Decimal | None = None


class ArchiveClient(Protocol):
    """It asks one archive, over one connection where the protocol has such. Close it, or use it as a context.

    Each method raises `sources.errors.SourceError`: TransientError where time may mend it, TooMuchError where
    less must be asked for, AuthorisationError and ConfigurationError where a person must act. The text names
    the archive's side and what to do, and never a participant.
    """

    @property
    def questions(self) -> int:
        """Return how many questions it has asked so far."""

    def studies(
        self,
        *,
        study_instance_uids: Collection[str] = (),
        patient_id: str = "",
        day: date | None = None,
    ) -> list[FoundStudy]:
        """Return the studies that have one of the UIDs, the patient ID and the Study Date, as far as given.

        UIDs are asked for by at most UIDS_AT_ONCE in a question. Something must be given: ValueError else. A
        patient ID is matched exactly, wild cards in it too. More answers than the archive's maximum raise
        TooMuchError: part of them would say that the rest is not there.
        """

    def series(self, study_instance_uid: str) -> list[FoundSeries]:
        """Return the series of a study by their number, with weight and size of the first at least.

        That costs one question, and one more where the archive tells no weight of a series but may of an
        image.
        """

    def test(self) -> None:
        """Ask as little as shows that the archive lets this server in and answers; raise what is wrong."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
