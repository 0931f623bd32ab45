"""Whose a study is, an archive of pseudonyms does not tell: none of that is compared or kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from archives.comparing.belonging import belonging
from archives.contract import FoundStudy
from archives.models import IS_THERE, Archive, ArchiveCheck, ArchivedStudy, Finding
from archives.verifying import reviewing, sessions, strays
from archives.verifying.reviewing import Findings
from worklist.attention import points
from worklist.models import PerformedStepItem, WorklistItem

NOBODY: dict[str, Any] = {
    "patient_id": "",
    "patient_name": "",
    "patient_birth_date": None,
    "patient_sex": "",
}
MOST_AT_ONCE = 200


def of_nobody(studies: Iterable[FoundStudy]) -> list[FoundStudy]:
    """Return the studies without what says whose they are."""
    return [replace(study, **NOBODY) for study in studies]


def forget(*, now: datetime) -> int:
    """Forget whose studies were before their archive was said to have pseudonyms; return how many were.

    What was pointed out because of that is over, and what was found by a patient ID is of nobody.
    """
    archives = list(Archive.objects.filter(has_pseudonyms=True))  # also one that is asked no more
    if not archives:
        return 0
    with transaction.atomic():
        told = ArchivedStudy.objects.filter(~Q(**NOBODY), archive__in=archives).order_by("pk")
        studies = list(told[:MOST_AT_ONCE])
        if not studies:
            return 0
        uids = [study.study_instance_uid for study in studies]
        item_pks = sessions.hold(_items_of(studies, uids))
        owned = _owned(studies, item_pks)
        for study in studies:
            if study.pk not in owned:
                study.item = None
            for name, value in NOBODY.items():
                setattr(study, name, value)
        ArchivedStudy.objects.bulk_update(studies, ["item", *NOBODY])
        found = reviewing.review(item_pks, now=now, note=points.no_longer("The archive has pseudonyms."))
        _keep_findings([archive for archive in archives if archive.enabled], found)
        strays.review(uids, now=now)
    return len(studies)


def _owned(studies: Iterable[ArchivedStudy], item_pks: Collection[int]) -> set[int | None]:
    """Return the keys of the studies that are their item's by what they have beside a patient."""
    found = {
        study.pk: FoundStudy(study.study_instance_uid, accession_number=study.accession_number)
        for study in studies
    }
    known = sessions.around(found.values(), item_pks)
    dealt = belonging((each.session for each in known.values()), found.values()).of_session
    return {
        study.pk
        for study in studies
        if study.item_id is not None and found[study.pk] in dealt.get(study.item_id, ())
    }


def _items_of(studies: Iterable[ArchivedStudy], uids: Collection[str]) -> set[int]:
    """Return the keys of the items that were found to have one of these studies."""
    performed = PerformedStepItem.objects.filter(step__study_instance_uid__in=uids).order_by()
    return {
        *(study.item_id for study in studies if study.item_id is not None),
        *WorklistItem.objects.filter(study_instance_uid__in=uids).order_by().values_list("pk", flat=True),
        *performed.values_list("item_id", flat=True),
    }


def _keep_findings(archives: Collection[Archive], found: Findings) -> None:
    """Say in the checks that found something what it is by now."""
    items = {item_pk for _archive_pk, item_pk in found}
    checks = list(ArchiveCheck.objects.filter(archive__in=archives, item__in=items, finding__in=IS_THERE))
    for check in checks:
        check.finding = found.get((check.archive_id, check.item_id), Finding.NOT_FOUND)
    ArchiveCheck.objects.bulk_update(checks, ["finding"])
