"""A study of a scanner of ours that nobody scheduled is pointed out, until it is scheduled, linked or gone.

Whose scanner it was is told by the station name of its series alone. Of a study of other scanners nothing but
UID and day is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.formats import date_format

from archives.contract import ArchiveClient, FoundStudy
from archives.models import Archive, ArchivedStudy
from archives.verifying import answers, erased
from archives.verifying.answers import Answered
from archives.verifying.budget import QuestionBudget
from worklist.attention import archived, points
from worklist.attention.archived import ArchivePoint, PointSubject
from worklist.devices import stations
from worklist.models import Attention, AttentionKind, Device, PerformedStep, WorklistItem
from worklist.models.attention import AttentionQuerySet

LONGEST_UID = 64
RECENT = timedelta(days=30)
MOST_AT_ONCE = 200


def look_through(
    archive: Archive,
    nobodys: Iterable[FoundStudy],
    *,
    days: Collection[date],
    client: ArchiveClient,
    budget: QuestionBudget,
    now: datetime,
) -> None:
    """Keep those of nobody's studies of these days that are of scanners of ours, and point them out."""
    ours = station_names(archive, now=now)
    modalities = set(Device.objects.exclude(modality="").values_list("modality", flat=True))
    every = list(nobodys)
    left = _unknown(
        each
        for each in erased.without(every)
        if not modalities or not each.modalities or modalities & {*each.modalities}
    )
    rows = answers.rows_of(archive, [each.study_instance_uid for each in left])
    kept = []
    for study in left:
        if _is_of_another(rows.get(study.study_instance_uid), ours):
            continue
        found = answers.with_series([study], rows, in_doubt=False, client=client, budget=budget)
        if found is None:
            break
        kept.append(_least(found[0], rows.get(study.study_instance_uid), ours))
    with transaction.atomic():
        answers.keep(archive, {None: kept}, rows, now=now)
        there = {each.study_instance_uid for each in every}
        answers.note_gone(archive, Q(item=None), uids=(), days=days, answered=there, now=now)
        review([each.study.study_instance_uid for each in kept], now=now)


def ask_again(
    archive: Archive, *, client: ArchiveClient, budget: QuestionBudget, now: datetime, but: Collection[str]
) -> None:
    """Ask for those that are pointed out once more, as long as the archive's window is: they may be gone."""
    uids = list(
        ArchivedStudy.objects.filter(
            archive=archive,
            item=None,
            gone_at=None,
            first_found_at__gte=now - archive.window,
            study_instance_uid__in=_open_points().values("study_instance_uid"),
        )
        .exclude(study_instance_uid__in=but)
        .order_by("asked_at")
        .values_list("study_instance_uid", flat=True)[:MOST_AT_ONCE]
    )
    if not uids or budget.is_spent:
        return
    there = {each.study_instance_uid for each in client.studies(study_instance_uids=uids)}
    answers.note_gone(archive, Q(item=None), uids=uids, days=(), answered=there, now=now)


def review_open(*, now: datetime) -> None:
    """Resolve the points of studies that are scheduled, linked or gone by now."""
    uids = list(
        _open_points().order_by("opened_at").values_list("study_instance_uid", flat=True)[:MOST_AT_ONCE]
    )
    with transaction.atomic():
        review(uids, now=now)


def review(uids: Collection[str], *, now: datetime) -> None:
    """Bring the points of these studies up to date. Needs a transaction."""
    known = _known(uids)
    rows = ArchivedStudy.objects.filter(
        study_instance_uid__in=[uid for uid in uids if uid not in known],
        item=None,
        gone_at=None,
        archive__enabled=True,
        archive__tells_stray_studies=True,
    ).select_related("archive")
    told: dict[str, list[str]] = {uid: [] for uid in uids}
    names: dict[int, set[str]] = {}
    for row in rows.order_by("archive__name"):
        if row.archive_id not in names:
            names[row.archive_id] = station_names(row.archive, now=now)
        if row.station_name.casefold() in names[row.archive_id]:
            told[row.study_instance_uid].append(_sentence(row))
    due = {
        PointSubject(None, uid): [ArchivePoint(AttentionKind.STRAY_STUDY, "\n".join(lines))] if lines else []
        for uid, lines in told.items()
    }
    archived.bring_up_to_date(
        due, note=points.no_longer("It was scheduled, linked, or is gone from the archive.")
    )


def station_names(archive: Archive, *, now: datetime) -> set[str]:
    """Return by what names images say of which scanner they are: as set up, and as scanners have reported."""
    devices = [each for each in Device.objects.filter(enabled=True) if stations.is_scanner(each)]
    if own := set(archive.station_titles):
        devices = [each for each in devices if own & set(stations.of(each, each.ae_title))]
    titles = [each.ae_title for each in devices]
    reported = PerformedStep.objects.filter(created_at__gte=now - RECENT, calling_ae_title__in=titles)
    names = {
        *(each.station_name for each in devices),
        *titles,
        *(title for each in devices for title in stations.of(each, each.ae_title)),
        *reported.order_by().values_list("performed_station_name", flat=True).distinct(),
    }
    return {name.casefold() for name in names if name}


def _open_points() -> AttentionQuerySet:
    return Attention.objects.open().filter(kind=AttentionKind.STRAY_STUDY, item=None, step=None)


def _unknown(studies: Iterable[FoundStudy]) -> list[FoundStudy]:
    fit = [each for each in studies if len(each.study_instance_uid) <= LONGEST_UID]
    known = _known([each.study_instance_uid for each in fit])
    return [each for each in fit if each.study_instance_uid not in known]


def _known(uids: Collection[str]) -> set[str]:
    """Return those of the UIDs that an item or a report has: the report's own points tell of it."""
    items = WorklistItem.objects.filter(study_instance_uid__in=uids).order_by()
    steps = PerformedStep.objects.filter(study_instance_uid__in=uids).order_by()
    return {
        *items.values_list("study_instance_uid", flat=True),
        *steps.values_list("study_instance_uid", flat=True),
    }


def _is_of_another(row: ArchivedStudy | None, ours: Collection[str]) -> bool:
    """Return whether the series were asked for already, and are of no scanner of ours."""
    return row is not None and bool(row.series_instance_uids) and row.station_name.casefold() not in ours


def _least(answered: Answered, row: ArchivedStudy | None, ours: Collection[str]) -> Answered:
    """Return all of a study of ours, and of any other only what keeps it from being asked for again."""
    study, series = answered
    named = row.station_name if series is None and row else ""
    name = next((each.station_name for each in series or () if each.station_name), named)
    if name.casefold() in ours:
        return answered
    least = FoundStudy(
        study.study_instance_uid,
        study_date=study.study_date,
        series_count=study.series_count,
        image_count=study.image_count,
    )
    return Answered(least, series)


def _sentence(row: ArchivedStudy) -> str:
    who = ", ".join(filter(None, (row.readable_patient_name, row.patient_id))) or "a patient not named"
    day = f" on {date_format(row.study_date)}" if row.study_date else ""
    return f"Of {row.station_name}{day} in the archive {row.archive}, and nobody scheduled it: {who}."
