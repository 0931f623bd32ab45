"""Nothing is "not performed" before the archive was asked, where no scanner would have reported it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _

from archives.models import Archive, ArchiveCheck, ArchivedStudy, Finding
from archives.silent import evidence
from archives.silent.due import open_items
from archives.silent.evidence import Doubt
from worklist.attention import awaiting
from worklist.devices import silent
from worklist.models.items import WorklistQuerySet

IS_THERE = (Finding.FOUND, Finding.DIFFERS)


def condition(items: WorklistQuerySet) -> Q | None:
    """Return the condition of those that archives may still find, or have found; None where none is.

    An archive has said that an item's study is not there once it was asked after the item's day. One whose
    study is there, grows no more and did not complete it is in doubt: a person must say. Where it differs, a
    point of attention tells of it already.
    """
    silence = silent.now()
    if not silence.is_anybody:
        return None
    archives = list(Archive.objects.asked())
    if not archives:
        return None
    named = items.order_by().values_list(*silent.READ).distinct()
    of_silent = [each for each in named if silence.is_of(*each)]
    found = [each for archive in archives if (each := _of(archive, of_silent)) is not None]
    return Q(*found, _connector=Q.OR) if found else None


def _of(archive: Archive, named: Collection[tuple[str, str]]) -> Q | None:
    held = silent.any_of(each for each in named if archive.holds([ae for ae in each[0].split("\\") if ae]))
    if held is None:
        return None
    checks = ArchiveCheck.objects.filter(archive=archive, item=OuterRef("pk"))
    is_there = checks.filter(finding__in=IS_THERE)
    was_not_there = checks.filter(
        finding=Finding.NOT_FOUND, asked_at__date__gt=OuterRef("scheduled_start_date")
    )
    settled_after = timedelta(minutes=archive.settled_after_minutes)
    settled = ArchivedStudy.objects.filter(
        Q(item=OuterRef("pk")) | Q(study_instance_uid=OuterRef("study_instance_uid")),
        archive=archive,
        gone_at=None,
        asked_at__gte=F("grew_at") + settled_after,
    )
    last_day = timezone.localdate() - archive.window - timedelta(days=1)
    may_come = Q(~Exists(was_not_there), scheduled_start_date__gte=last_day)
    may_settle = ~Q(Exists(settled)) & (Q(Exists(is_there)) | may_come)
    return held & (Q(Exists(checks.filter(finding=Finding.DIFFERS))) | may_settle)


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
    studies = ArchivedStudy.objects.filter(study_instance_uid__in=uids) if uids else ()
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
