"""What is kept of archives' answers is compared with items and reports: findings, and points of attention."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from archives import lost_letters
from archives.comparing import series
from archives.models import Archive, ArchiveCheck, ArchivedStudy, Finding
from archives.verifying import sessions
from archives.verifying.sessions import Reported
from worklist.attention import archived, as_sent, identity, points
from worklist.attention.archived import ArchivePoint, PointSubject
from worklist.attention.points import DeviceRules
from worklist.devices import stored
from worklist.dicom.performed import Patient
from worklist.items import cleaning
from worklist.models import Attention, AttentionKind

MOST_AT_ONCE = 200
Findings = dict[tuple[int, int], Finding]  # by the keys of archive and item


@dataclass
class _DueLines:
    """What is due of one item is gathered here, line by line."""

    lines: dict[AttentionKind, list[str]] = field(default_factory=lambda: defaultdict(list))
    weights: set[Decimal | None] = field(default_factory=set)

    def points(self) -> list[ArchivePoint]:
        return [
            ArchivePoint(kind, "\n".join(lines), self._weight(kind)) for kind, lines in self.lines.items()
        ]

    def _weight(self, kind: AttentionKind) -> Decimal | None:
        """Return the images' weight where there is only one."""
        is_known = kind == AttentionKind.IMAGES_WEIGHT and len(self.weights) == 1
        return next(iter(self.weights)) if is_known else None


def review(item_pks: Collection[int], *, now: datetime, note: str) -> Findings:
    """Bring the points of these items up to date, and return what was found. Needs a transaction.

    It holds the items. `note` is that of a point which is no longer so.
    """
    sessions.hold(item_pks)
    known = sessions.by_keys(item_pks)
    studies = _studies(known)
    settled = _settled_weights(known)
    rules: dict[str, DeviceRules] = {}
    told: dict[int, _DueLines] = {pk: _DueLines() for pk in known}
    found: Findings = {}
    checks = ArchiveCheck.objects.filter(item__in=list(known), archive__enabled=True).select_related(
        "archive"
    )
    for check in checks.order_by("archive__name"):
        each = known[check.item_id]
        device = each.device
        if device not in rules:
            rules[device] = points.rules_by(stored.row_of(device), device)
        own = studies.get((check.archive_id, check.item_id), [])
        lines = _lines(check, each, own, rules[device], now=now)
        if check.item_id in settled:
            lines = (line for line in lines if line[0] != AttentionKind.IMAGES_WEIGHT)
        differs = False
        for kind, text, weight in lines:
            told[check.item_id].lines[kind].append(text)
            if kind == AttentionKind.IMAGES_WEIGHT:
                told[check.item_id].weights.add(weight)
            differs = True
        is_there = Finding.DIFFERS if differs else Finding.FOUND
        found[check.archive_id, check.item_id] = is_there if own else Finding.NOT_FOUND
    archived.bring_up_to_date({PointSubject(pk): each.points() for pk, each in told.items()}, note=note)
    return found


def review_changed(*, now: datetime | None = None) -> int:
    """Review the items with an open point that have changed since an archive was asked; return how many.

    A person may have put the worklist right, or turned the archive off: nothing needs to be asked for that.
    """
    now = now or timezone.now()
    open_points = Attention.objects.open().filter(kind__in=archived.OF_ARCHIVES, item__isnull=False)
    items = open_points.order_by().values_list("item_id", flat=True).distinct()
    current = ArchiveCheck.objects.filter(archive__enabled=True, asked_at__gt=F("item__updated_at"))
    pks = list(items.exclude(item__in=current.values("item"))[:MOST_AT_ONCE])
    if pks:
        with transaction.atomic():
            note = points.no_longer("The item was changed, or the archive is asked no more.")
            review([pk for pk in pks if pk is not None], now=now, note=note)
    return len(pks)


def _studies(known: dict[int, Reported]) -> dict[tuple[int, int], list[ArchivedStudy]]:
    """Return what is there of each item, by the keys of archive and item, in the order of time."""
    by_uid: dict[str, list[int]] = defaultdict(list)
    for pk, each in known.items():
        for uid in each.session.study_instance_uids:
            by_uid[uid].append(pk)
    rows = ArchivedStudy.objects.filter(
        Q(item__in=list(known)) | Q(study_instance_uid__in=list(by_uid)), gone_at=None, archive__enabled=True
    )
    found: dict[tuple[int, int], list[ArchivedStudy]] = defaultdict(list)
    for row in rows.order_by("study_date", "study_time", "study_instance_uid"):
        owners: Sequence[int | None] = by_uid.get(row.study_instance_uid) or [row.item_id]
        for owner in owners:
            if owner is not None and owner in known:
                found[row.archive_id, owner].append(row)
    return found


def _settled_weights(item_pks: Collection[int]) -> set[int]:
    """Return the items whose report told of another weight: one point is enough, settled or not."""
    told = Attention.objects.filter(kind=AttentionKind.WEIGHT, item__in=list(item_pks)).order_by()
    told = told.exclude(resolved_by=points.BY_ITSELF)
    return {pk for pk in told.values_list("item_id", flat=True) if pk is not None}


Line = tuple[AttentionKind, str, Decimal | None]


def _lines(
    check: ArchiveCheck, each: Reported, own: Sequence[ArchivedStudy], rules: DeviceRules, *, now: datetime
) -> Iterator[Line]:
    archive = check.archive
    if not own:
        if each.is_acquired and _is_missed(check, each, now):
            yield AttentionKind.NOT_ARCHIVED, f"Not in the archive {archive}.", None
        return
    yield from _of_identity(archive, each, own, rules)
    if len(own) > 1:
        moments = ", ".join(map(_moment, own))
        yield AttentionKind.TWO_STUDIES, f"{len(own)} studies in the archive {archive}: {moments}.", None
    if text := _missing_series(archive, each, own, now=now):
        yield AttentionKind.FEWER_SERIES, text, None


def _is_missed(check: ArchiveCheck, each: Reported, now: datetime) -> bool:
    ended_at = each.ended_at or check.until - check.archive.window
    return now >= ended_at + timedelta(hours=check.archive.missing_after_hours)


def _of_identity(
    archive: Archive, each: Reported, own: Iterable[ArchivedStudy], rules: DeviceRules
) -> Iterator[Line]:
    where = f"in the archive {archive}"
    sent_name = as_sent.name(each.item, rules.output)
    for text in dict.fromkeys(
        text
        for study in own
        for text in identity.differences(
            each.item, _whole(_patient(study), each.item.patient_name), sent_name=sent_name, where=where
        )
    ):
        yield AttentionKind.IMAGES_IDENTITY, text, None
    tolerance = rules.weight_tolerance
    for study in own:
        text = identity.weight_difference(each.item, _patient(study), tolerance=tolerance, where=where)
        if text:
            yield AttentionKind.IMAGES_WEIGHT, text, _as_an_item_keeps_it(study.patient_weight_kg)
            return


def _missing_series(archive: Archive, each: Reported, own: Sequence[ArchivedStudy], *, now: datetime) -> str:
    """Return what is missing of what was reported, once the studies have not grown for a while."""
    grew_at = max(study.grew_at for study in own)
    if each.shares or grew_at + timedelta(minutes=archive.settled_after_minutes) > now:
        return ""
    arrived = frozenset[str]().union(*(study.series_uids for study in own))
    counts = [study.series_count for study in own]
    count = None if None in counts else sum(number or 0 for number in counts)
    text = series.missing(each.series, arrived=arrived, count=count)
    return f"In the archive {archive}: {text}" if text else ""


def _patient(study: ArchivedStudy) -> Patient:
    return Patient(
        name=study.patient_name,
        patient_id=study.patient_id,
        birth_date=study.patient_birth_date,
        sex=study.patient_sex,
        weight=None if study.patient_weight_kg is None else _plainly(study.patient_weight_kg),
    )


def _whole(patient: Patient, scheduled: str) -> Patient:
    """Return the patient without a name that lost letters on its way: it is no evidence of anybody."""
    return replace(patient, name="") if lost_letters.may_have_lost(scheduled, patient.name) else patient


def _plainly(weight: Decimal) -> Decimal:
    """Return the number without zeros that only fill its column: 95, and not 9E+1."""
    whole = weight.to_integral_value()
    return whole if weight == whole else weight.normalize()


def _as_an_item_keeps_it(weight: Decimal | None) -> Decimal | None:
    """Return the weight to ten grams; None where it is beyond all measure, so that nobody takes it over."""
    try:
        return cleaning.kilograms(weight)
    except ValidationError:
        return None


def _moment(study: ArchivedStudy) -> str:
    day = study.study_date.isoformat() if study.study_date else ""
    at = f"{study.study_time:%H:%M}" if study.study_time else ""
    return f"{day} {at}".strip() or study.study_instance_uid
