"""What an archive answers is kept as rows: what is there, since when, and when it grew last."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Q

from archives.contract import ArchiveClient, FoundSeries, FoundStudy
from archives.models import Archive, ArchivedStudy
from archives.verifying.budget import QuestionBudget
from worklist.models import LONGEST_TEXT, Attention, AttentionKind

CHANGING = (
    *("item", "patient_id", "patient_name", "patient_birth_date", "patient_sex", "patient_weight_kg"),
    *("patient_size_m", "accession_number", "study_description", "study_date", "study_time", "modalities"),
    *(
        "station_name",
        "series_count",
        "image_count",
        "series_instance_uids",
        "grew_at",
        "asked_at",
        "gone_at",
    ),
)
# While these are open the series are asked for again: someone may have put them right, with as many images.
OF_SERIES = (AttentionKind.IMAGES_WEIGHT, AttentionKind.FEWER_SERIES)


class Answered(NamedTuple):
    """A study with its series, None where they were not asked for since nothing has changed."""

    study: FoundStudy
    series: Sequence[FoundSeries] | None


def rows_of(archive: Archive, uids: Collection[str]) -> dict[str, ArchivedStudy]:
    rows = ArchivedStudy.objects.filter(archive=archive, study_instance_uid__in=uids)
    return {row.study_instance_uid: row for row in rows}


def doubted(item_pks: Collection[int]) -> set[int]:
    """Return those of the items whose series are in doubt."""
    points = Attention.objects.open().filter(kind__in=OF_SERIES, item__in=item_pks).order_by()
    return {pk for pk in points.values_list("item_id", flat=True) if pk is not None}


def with_series(
    studies: Iterable[FoundStudy],
    rows: Mapping[str, ArchivedStudy],
    *,
    in_doubt: bool,
    client: ArchiveClient,
    budget: QuestionBudget,
) -> list[Answered] | None:
    """Ask for the series of what is new, has changed or is in doubt; None where the round may ask no more."""
    found = []
    for study in studies:
        row = rows.get(study.study_instance_uid)
        if row is not None and not in_doubt and not _has_changed(row, study):
            found.append(Answered(study, None))
        elif budget.is_spent:
            return None
        else:
            found.append(Answered(study, client.series(study.study_instance_uid)))
    return found


def keep(
    archive: Archive,
    answered: Mapping[int | None, Sequence[Answered]],
    rows: Mapping[str, ArchivedStudy],
    *,
    now: datetime,
) -> None:
    """Write down what was answered, by the item it belongs to. Needs a transaction."""
    made: dict[str, ArchivedStudy] = {}
    changed: dict[str, ArchivedStudy] = {}
    for item_pk, found in answered.items():
        for each in found:
            uid = each.study.study_instance_uid
            if uid in made or uid in changed:  # several items were scheduled as one study
                continue
            row = rows.get(uid)
            if row is None:
                row = ArchivedStudy(
                    archive=archive, study_instance_uid=uid, first_found_at=now, grew_at=now, asked_at=now
                )
                made[uid] = row
            else:
                changed[uid] = row
            _fill(row, each, item_pk, now=now)
    ArchivedStudy.objects.bulk_create(made.values(), ignore_conflicts=True)
    ArchivedStudy.objects.bulk_update(changed.values(), CHANGING)


def note_gone(
    archive: Archive,
    of: Q,
    *,
    uids: Collection[str],
    days: Collection[date],
    answered: Collection[str],
    now: datetime,
) -> None:
    """Note which of the rows, asked for by UID or day, the archive did not answer: they are gone."""
    asked = Q(study_instance_uid__in=uids) | Q(study_date__in=days)
    there = ArchivedStudy.objects.filter(of, asked, archive=archive, gone_at=None)
    there.exclude(study_instance_uid__in=answered).update(gone_at=now, asked_at=now)


def _has_changed(row: ArchivedStudy, study: FoundStudy) -> bool:
    """Return whether the series may be others than before; an archive that counts nothing never tells."""
    if not row.series_instance_uids or row.gone_at is not None:
        return True
    counts = (study.series_count, study.image_count)
    return None in counts or counts != (row.series_count, row.image_count)


def _fill(row: ArchivedStudy, answered: Answered, item_pk: int | None, *, now: datetime) -> None:
    study, series = answered
    before = (row.series_count or 0, row.image_count or 0)
    row.item_id = item_pk
    row.patient_id = study.patient_id[:LONGEST_TEXT]
    row.patient_name = study.patient_name[:LONGEST_TEXT]
    row.patient_birth_date = study.patient_birth_date
    row.patient_sex = study.patient_sex[:LONGEST_TEXT]
    row.accession_number = study.accession_number[:LONGEST_TEXT]
    row.study_description = study.study_description[:LONGEST_TEXT]
    row.study_date, row.study_time = study.study_date, study.study_time
    row.modalities = "\\".join(study.modalities)[:LONGEST_TEXT]
    if study.series_count is not None:
        row.series_count = study.series_count
    if study.image_count is not None:
        row.image_count = study.image_count
    if series is not None:
        _fill_of_series(row, study, series)
    if row.pk and ((row.series_count or 0) > before[0] or (row.image_count or 0) > before[1]):
        row.grew_at = now
    row.asked_at, row.gone_at = now, None


def _fill_of_series(row: ArchivedStudy, study: FoundStudy, series: Sequence[FoundSeries]) -> None:
    row.series_instance_uids = "\\".join(each.series_instance_uid for each in series)
    row.station_name = next((each.station_name for each in series if each.station_name), "")[:LONGEST_TEXT]
    row.patient_weight_kg = next((each.patient_weight_kg for each in series if each.patient_weight_kg), None)
    row.patient_size_m = next((each.patient_size_m for each in series if each.patient_size_m), None)
    if study.series_count is None:
        row.series_count = len(series)
    counts = [each.image_count for each in series]
    if study.image_count is None and None not in counts:
        row.image_count = sum(count or 0 for count in counts)
