"""Nothing is "not performed" before the archive was asked, where no scanner would have reported it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _

from archives.models import IS_THERE, Archive, ArchiveCheck, ArchivedStudy, Finding
from archives.silent import evidence
from archives.silent.due import open_items
from archives.silent.evidence import Doubt
from worklist.attention import awaiting
from worklist.devices import silent
from worklist.models.items import WorklistQuerySet


class _OpenItem(NamedTuple):
    pk: int
    stations: str
    study_instance_uid: str
    day: date


def condition(items: WorklistQuerySet) -> Q | None:
    """Return the condition of those that archives may still find, or have found; None where none is.

    An archive has said that an item's study is not there once it was asked after the item's day. One whose
    study is there, grows no more and did not complete it is in doubt: a person must say. Where it differs, a
    point of attention tells of it already. After the archive's window nothing is awaited.
    """
    silence = silent.now()
    of_silent = silent.among(items, silence)
    archives = list(Archive.objects.asked()) if of_silent is not None else []
    if of_silent is None or not archives:
        return None
    # They are few, and found by their days; as one condition of the database this would be planned for all.
    since = min(_last_day(archive) for archive in archives)
    found = items.filter(of_silent, scheduled_start_date__gte=since).order_by()
    columns = ("pk", "scheduled_station_aetitle", "study_instance_uid", "scheduled_start_date")
    known = [_OpenItem(*row) for row in found.values_list(*columns)]
    checks = _checks_of(known)
    settled = _settled([each for each in known if each.pk in {pk for _archive, pk in checks}])
    awaited = {
        each.pk
        for archive in archives
        for each in known
        if _is_awaited(archive, each, checks.get((archive.pk, each.pk)))
        and ((archive.pk, each.pk) not in settled or _differs(checks.get((archive.pk, each.pk))))
    }
    return Q(pk__in=awaited) if awaited else None


def _last_day(archive: Archive) -> date:
    return timezone.localdate() - archive.window - timedelta(days=1)


def _checks_of(known: Collection[_OpenItem]) -> dict[tuple[int, int], ArchiveCheck]:
    checks = ArchiveCheck.objects.filter(item__in=[each.pk for each in known]) if known else ()
    return {(check.archive_id, check.item_id): check for check in checks}


def _settled(known: Collection[_OpenItem]) -> set[tuple[int, int]]:
    """Return by archive and item whether a study of the item is there and grows no more."""
    by_uid: dict[str, list[int]] = {}
    for each in known:
        by_uid.setdefault(each.study_instance_uid, []).append(each.pk)
    if not by_uid:
        return set()
    own = Q(item__in=[each.pk for each in known]) | Q(study_instance_uid__in=list(by_uid))
    studies = ArchivedStudy.objects.filter(own, gone_at=None, archive__enabled=True).select_related("archive")
    settled = (
        study
        for study in studies
        if study.asked_at - study.grew_at >= timedelta(minutes=study.archive.settled_after_minutes)
    )
    return {
        (study.archive_id, pk)
        for study in settled
        for pk in (*by_uid.get(study.study_instance_uid, ()), study.item_id)
        if pk is not None
    }


def _is_awaited(archive: Archive, item: _OpenItem, check: ArchiveCheck | None) -> bool:
    """Tell whether the archive may still find the item's study, or has found it."""
    is_held = archive.holds([title for title in item.stations.split("\\") if title])
    if not is_held or item.day < _last_day(archive):
        return False
    if check is None or check.finding != Finding.NOT_FOUND or check.asked_at is None:
        return True
    return bool(timezone.localdate(check.asked_at) <= item.day)


def _differs(check: ArchiveCheck | None) -> bool:
    return check is not None and check.finding == Finding.DIFFERS


def sentences(pks: Collection[int]) -> dict[int, str]:
    """Return by item what archives said last of those that are open; nothing of those not to be asked for."""
    if not pks:
        return {}
    checks = ArchiveCheck.objects.filter(item__in=open_items().filter(pk__in=pks), archive__enabled=True)
    checks = checks.select_related("archive", "item").order_by("archive__name")
    studies = _studies_of(checks)
    put_back = evidence.put_back([check.item_id for check in checks if check.finding in IS_THERE])
    found: dict[int, list[str]] = {}
    for check in checks:
        study = studies.get((check.archive_id, check.item.study_instance_uid))
        found.setdefault(check.item_id, []).append(_said(check, study, put_back.get(check.item_id)))
    return {pk: " ".join(said) for pk, said in found.items()}


def _studies_of(checks: Collection[ArchiveCheck]) -> dict[tuple[int, str], ArchivedStudy]:
    uids = [check.item.study_instance_uid for check in checks if check.finding in IS_THERE]
    found = ArchivedStudy.objects.filter(study_instance_uid__in=uids).select_related("archive")
    studies = found if uids else ()
    return {(study.archive_id, study.study_instance_uid): study for study in studies}


def _said(check: ArchiveCheck, study: ArchivedStudy | None, put_back_at: datetime | None) -> str:
    words = {"archive": check.archive.name, "moment": _moment(check)}
    if check.finding == Finding.NOT_FOUND:
        return _("%(archive)s asked %(moment)s: not there.") % words
    if check.finding in IS_THERE:
        settled_after = timedelta(minutes=check.archive.settled_after_minutes)
        doubt: Doubt | None = Doubt.ANOTHER_STUDY
        if study is not None:
            doubt = evidence.doubt(check.item, study, settled_after=settled_after, put_back_at=put_back_at)
        words["doubt"] = str((doubt or Doubt.ANOTHER_STUDY).label)
        return _("%(archive)s asked %(moment)s: there, but %(doubt)s.") % words
    if check.finding == Finding.FAILED:
        return _("%(archive)s did not answer.") % words
    return _("%(archive)s was not asked yet.") % words


def _moment(check: ArchiveCheck) -> str:
    if check.asked_at is None:
        return ""
    at = timezone.localtime(check.asked_at)
    is_today: bool = at.date() == timezone.localdate()
    return time_format(at) if is_today else f"{date_format(at)}, {time_format(at)}"


def register() -> None:
    awaiting.register(awaiting.Awaiter(condition, sentences))
