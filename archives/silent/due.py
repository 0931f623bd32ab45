"""No report says when a silent item has ended: an archive is asked for it once it should have begun."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from archives.models import Archive, ArchiveCheck, ArchivedStudy
from worklist.devices import silent
from worklist.models import Status, WorklistItem
from worklist.models.items import WorklistQuerySet

OPEN = (Status.SCHEDULED, Status.IN_PROGRESS)  # what a person says was stopped is left to people


def open_items() -> WorklistQuerySet:
    """Return the items that an archive may show to have been performed: no scanner has reported of them."""
    return WorklistItem.objects.filter(performed_procedure_step_status__in=OPEN, erased_at=None, links=None)


def note_begun(archive: Archive, *, now: datetime) -> int:
    """Make a check for each silent item that should have begun within the archive's window; return how many.

    One that was moved to a later day is asked for as long as that day says.
    """
    today = timezone.localdate(now)
    items = open_items().filter(scheduled_start_date__range=(today - archive.window, today))
    condition = silent.among(items, silent.now())
    if condition is None:
        return 0
    known = ArchiveCheck.objects.filter(archive=archive, item=OuterRef("pk")).values("until")
    found = items.filter(condition).order_by("pk").annotate(known_until=Subquery(known[:1]))
    columns = ("pk", "scheduled_station_aetitle", "scheduled_start_date", "scheduled_start_time")
    checks = []
    for pk, stations, day, at, known_until in found.values_list(*columns, "known_until"):
        begun, until = _moment(day, at), _moment(day + timedelta(days=1)) + archive.window
        holds = archive.holds([title for title in stations.split("\\") if title])
        if holds and begun <= now and (known_until is None or known_until < until):
            first = begun + timedelta(minutes=archive.first_after_minutes)
            checks.append(ArchiveCheck(archive=archive, item_id=pk, next_at=first, until=until))
    ArchiveCheck.objects.bulk_create(
        checks,
        update_conflicts=True,
        unique_fields=["archive", "item"],
        update_fields=["next_at", "until"],
    )
    return len(checks)


def hasten(archive: Archive, *, now: datetime) -> int:
    """Have the archive asked again as soon as a study of a silent item may be settled; return how many are.

    Else it would be asked within an hour, and people would wait as long.
    """
    settled_after = timedelta(minutes=archive.settled_after_minutes)
    growing = ArchivedStudy.objects.filter(
        archive=archive, gone_at=None, asked_at__lt=F("grew_at") + settled_after
    )
    of_uid = growing.filter(study_instance_uid=OuterRef("item__study_instance_uid"))
    grew = Subquery(of_uid.order_by().values("grew_at")[:1])
    items = open_items()
    condition = silent.among(items, silent.now())
    if condition is None:
        return 0
    checks = ArchiveCheck.objects.filter(archive=archive, until__gt=now, item__in=items.filter(condition))
    later = checks.annotate(settles_at=grew + settled_after).filter(
        Q(next_at=None) | Q(next_at__gt=F("settles_at")), settles_at__isnull=False
    )
    settling = list(later.order_by("pk").values_list("pk", "settles_at"))
    for pk, settles_at in settling:
        ArchiveCheck.objects.filter(pk=pk).update(next_at=max(settles_at, now))
    return len(settling)


def _moment(day: date, at: time = time.min) -> datetime:
    """Return the moment of a schedule, which is the wall clock at the scanner."""
    return timezone.make_aware(datetime.combine(day, at))
