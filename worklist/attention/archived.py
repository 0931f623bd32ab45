"""What an archive's answers show of items and studies becomes points of attention here.

Whoever asks archives says what is due; a point that is due no longer is resolved by itself, with a note that
says which archive's answer brought that about. What a person has resolved stays so while it is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from django.utils import timezone

from worklist.attention.points import BY_ITSELF
from worklist.models import Attention, AttentionKind

OF_ARCHIVES = frozenset(
    {
        AttentionKind.IMAGES_IDENTITY,
        AttentionKind.STRAY_STUDY,
        AttentionKind.IMAGES_WEIGHT,
        AttentionKind.TWO_STUDIES,
        AttentionKind.FEWER_SERIES,
        AttentionKind.NOT_ARCHIVED,
    }
)


class ArchivePoint(NamedTuple):
    """`weight_kg` is the images' weight in kilograms, where the point is about that."""

    kind: AttentionKind
    text: str
    weight_kg: Decimal | None = None


class PointSubject(NamedTuple):
    """A point is about an item, or about a study by its UID where no item is; the other is None or ""."""

    item_pk: int | None
    study_instance_uid: str = ""


def is_of(point: Attention) -> bool:
    return point.kind in OF_ARCHIVES


def bring_up_to_date(due: Mapping[PointSubject, Collection[ArchivePoint]], *, note: str) -> None:
    """Open, change and resolve the points of these subjects, so that exactly those that are due are open.

    It takes a number of queries that does not grow with the subjects, beside one for each point that changes.
    """
    known = _known(due)
    made = []
    for subject, wanted in due.items():
        own = known.pop(subject, [])
        is_open = {point.kind: point for point in own if point.is_open}
        for each in wanted:
            if (point := is_open.pop(each.kind, None)) is not None:
                _say(point, each)
            elif not _is_settled(own, each):
                made.append(_row(subject, each))
        _resolve(is_open.values(), note=note)
    Attention.objects.bulk_create(made, ignore_conflicts=True)  # another process may be first


def _known(subjects: Iterable[PointSubject]) -> dict[PointSubject, list[Attention]]:
    """Return all points of the kinds that archives bring about, resolved ones, too."""
    items = [each.item_pk for each in subjects if each.item_pk is not None]
    studies = [each.study_instance_uid for each in subjects if each.study_instance_uid]
    points = Attention.objects.filter(kind__in=OF_ARCHIVES, step=None).order_by()
    found: dict[PointSubject, list[Attention]] = {}
    rows = [
        *(points.filter(item__in=items) if items else ()),
        *(points.filter(item=None, study_instance_uid__in=studies) if studies else ()),
    ]
    for point in rows:
        found.setdefault(PointSubject(point.item_id, point.study_instance_uid), []).append(point)
    return found


def _is_settled(points: Iterable[Attention], due: ArchivePoint) -> bool:
    return any(
        (point.kind, point.text) == (due.kind, due.text)
        and not point.is_open
        and point.resolved_by != BY_ITSELF
        for point in points
    )


def _row(subject: PointSubject, due: ArchivePoint) -> Attention:
    return Attention(
        kind=due.kind,
        item_id=subject.item_pk,
        study_instance_uid=subject.study_instance_uid,
        text=due.text,
        weight_kg=due.weight_kg,
    )


def _say(point: Attention, due: ArchivePoint) -> None:
    if (point.text, point.weight_kg) != (due.text, due.weight_kg):
        Attention.objects.open().filter(pk=point.pk).update(text=due.text, weight_kg=due.weight_kg)


def _resolve(points: Iterable[Attention], *, note: str) -> None:
    if pks := [point.pk for point in points]:
        resolved = {"resolved_at": timezone.now(), "resolved_by": BY_ITSELF, "note": note}
        Attention.objects.open().filter(pk__in=pks).update(**resolved)
