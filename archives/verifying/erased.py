"""Whom a site has erased nobody is told of again, although the archive still has their images."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from archives.contract import FoundStudy
from sources import secrets
from sources.models import ErasedRecord
from sources.models.erased import OF_A_PATIENT_ID, PURPOSE


def without(studies: Iterable[FoundStudy]) -> list[FoundStudy]:
    """Return the studies that are of no erased patient ID, or of a day that comes in again."""
    ends: dict[str, date | None] = {}
    for digest, until in ErasedRecord.objects.filter(source=None).values_list("digest", "until"):
        known = ends.get(digest, until)
        ends[digest] = max(known, until) if known and until else None
    return [study for study in studies if not ends or not _is_erased(study, ends)]


def _is_erased(study: FoundStudy, ends: dict[str, date | None]) -> bool:
    for digest in secrets.digests(PURPOSE, OF_A_PATIENT_ID, study.patient_id):
        if digest in ends:
            until = ends[digest]
            return until is None or study.study_date is None or study.study_date <= until
    return False
