"""A participant of whom nothing happened for long is erased, where a site says after how many days.

It is done one participant at a time, so that others can write in between, and hourly a few: what is more
waits for the next hour, or for the command `apply_retention`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from pylantir_site.privacy import erasing, participants
from pylantir_site.privacy.models import Erasure, Why
from pylantir_site.privacy.purging import purge
from worklist.models import PerformedStep, WorklistItem
from worklist.privacy.erasing import EraseRefused
from worklist.privacy.people import ParticipantRows
from worklist.privacy.pseudonyms import PREFIX

ACTOR = "retention"
MOST_AN_HOUR = 100  # participants


@dataclass
class Report:
    """So many participants are due, and these rows of what were or would be changed; some had to wait."""

    participants: int = 0
    refused: int = 0
    counts: Counter[str] = field(default_factory=Counter)


def prune() -> None:
    """Erase some of those who are due by PARTICIPANTS_KEPT_DAYS, and purge the files of what was erased."""
    apply(most=MOST_AN_HOUR)
    if Erasure.objects.filter(is_purged=False).exists():
        purge()


def apply(*, most: int | None = None, dry_run: bool = False) -> Report:
    """Erase at most so many who are due, or only count what that would change.

    Whoever is examined or pulled just now waits for the next time.
    """
    report = Report()
    days = settings.PARTICIPANTS_KEPT_DAYS
    if not days:
        return report
    before = timezone.localdate() - timedelta(days=days)
    order = erasing.Order(ACTOR, why=Why.RETENTION, until=timezone.localdate())
    for patient_id, participant in _due(before):
        if most is not None and report.participants >= most:
            break
        shown = participants.digest(participant)
        try:
            if dry_run:
                report.counts += Counter(erasing.rehearse(patient_id, shown))
            else:
                report.counts += Counter(erasing.erase(patient_id, shown, order).counts)
        except EraseRefused:
            report.refused += 1
        else:
            report.participants += 1
    return report


def last_day(participant: ParticipantRows) -> date | None:
    """Return the last day on which anything of the participant was booked, reported or changed."""
    items = WorklistItem.objects.filter(pk__in=participant.items)
    steps = PerformedStep.objects.filter(pk__in=participant.steps)
    histories: Any = ((WorklistItem, participant.item_history), (PerformedStep, participant.step_history))
    moments = [
        *items.aggregate(Max("scheduled_start_date"), Max("updated_at")).values(),
        *steps.aggregate(Max("start_date"), Max("updated_at")).values(),
        *(
            model.history.filter(pk__in=rows).aggregate(at=Max("history_date"))["at"]
            for model, rows in histories
        ),
    ]
    return max((_day(moment) for moment in moments if moment is not None), default=None)


def _due(before: date) -> Iterator[tuple[str, ParticipantRows]]:
    """Yield the participants whose last day was before that one, with an ID of theirs."""
    for patient_id in sorted(_old_ids(before)):
        for participant in participants.find(patient_id):
            day = last_day(participant)
            if day is not None and day < before:
                yield patient_id, participant


def _old_ids(before: date) -> set[str]:
    """Return the patient IDs under which nothing is newer, or which only what was deleted had."""
    moment = timezone.make_aware(datetime.combine(before, time()))
    items = WorklistItem.objects.of_participants().filter(erased_at=None).order_by().values("patient_id")
    items = items.annotate(day=Max("scheduled_start_date"), at=Max("updated_at"))
    steps = PerformedStep.objects.filter(erased_at=None, items=None).order_by().values("patient_id")
    steps = steps.annotate(at=Max("updated_at"))
    history: Any = WorklistItem.history
    deleted = history.filter(history_type="-", history_date__lt=moment, is_qa=False).order_by()
    return {
        *items.filter(day__lt=before, at__lt=moment).values_list("patient_id", flat=True),
        *steps.filter(at__lt=moment).values_list("patient_id", flat=True),
        *deleted.exclude(patient_id__startswith=PREFIX).values_list("patient_id", flat=True).distinct(),
    }


def _last_of(history: Any) -> datetime | None:
    last: datetime | None = history.aggregate(at=Max("history_date"))["at"]
    return last


def _day(moment: date | datetime) -> date:
    return timezone.localdate(moment) if isinstance(moment, datetime) else moment
