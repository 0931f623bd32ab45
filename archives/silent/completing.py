"""Silent items are completed here where a study in an archive shows that they were performed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction

from archives.models import Archive, ArchivedStudy
from archives.silent import evidence
from archives.silent.due import OPEN, open_items
from worklist.devices import silent, stations
from worklist.devices.silent import Silence
from worklist.items import lifecycle
from worklist.models import Device, PerformedBy, PerformedStep, PerformedStepItem, Status, WorklistItem

MOST_AT_ONCE = 500


def complete(archive: Archive, *, now: datetime) -> int:
    """Complete the silent items whose study is in the archive and grows no more; return how many.

    Each is judged by the row as it is stored, in a transaction of its own: a report that came meanwhile, or a
    person, counts more.
    """
    silence = silent.now()
    if not archive.enabled or not silence.is_anybody:
        return 0
    return sum(_complete(item_pk, study, archive, silence) for item_pk, study in _settled(archive, now))


def _settled(archive: Archive, now: datetime) -> Iterator[tuple[int, ArchivedStudy]]:
    """Yield the items that are open, each with a study that shows it to have been performed.

    The newest come first: what is in doubt stays open, and would else stand before them for ever.
    """
    settled_after = timedelta(minutes=archive.settled_after_minutes)
    grown = ArchivedStudy.objects.filter(archive=archive, gone_at=None, grew_at__lte=now - settled_after)
    studies = grown.select_related("archive")
    by_uid = open_items().filter(study_instance_uid__in=studies.order_by().values("study_instance_uid"))
    items = {item.study_instance_uid: item for item in by_uid.order_by("-pk")[:MOST_AT_ONCE]}
    for study in studies.filter(study_instance_uid__in=list(items)):
        item = items[study.study_instance_uid]
        if evidence.doubt(item, study, settled_after=settled_after) is None:
            yield item.pk, study
    of_items = studies.filter(item__in=open_items()).exclude(study_instance_uid__in=list(items))
    for study in of_items.select_related("item").order_by("-pk")[:MOST_AT_ONCE]:
        if study.item and evidence.doubt(study.item, study, settled_after=settled_after) is None:
            yield study.item.pk, study


@transaction.atomic
def _complete(item_pk: int, study: ArchivedStudy, archive: Archive, silence: Silence) -> bool:
    item = WorklistItem.objects.select_for_update().filter(pk=item_pk).first()
    if item is None or not _is_left_to_archives(item, silence):
        return False
    settled_after = timedelta(minutes=archive.settled_after_minutes)
    put_back_at = evidence.put_back([item.pk]).get(item.pk)
    doubt = evidence.doubt(item, study, settled_after=settled_after, put_back_at=put_back_at)
    if doubt is not None or not archive.holds(item.stations):
        return False
    if not _is_of_this_item_alone(item, study) or _do_archives_disagree(item, study):
        return False
    lifecycle.mark_performed(
        item, evidence=PerformedBy.ARCHIVE, actor=archive.actor, reason=evidence.in_words(study)
    )
    return True


def _is_left_to_archives(item: WorklistItem, silence: Silence) -> bool:
    is_open = item.performed_procedure_step_status in OPEN and item.erased_at is None
    return is_open and silence.includes(item) and not PerformedStepItem.objects.filter(item=item).exists()


def _is_of_this_item_alone(item: WorklistItem, study: ArchivedStudy) -> bool:
    """Tell whether no other appointment may have brought the study about: else people must say which did."""
    others = WorklistItem.objects.exclude(pk=item.pk).exclude(
        performed_procedure_step_status=Status.CANCELLED
    )
    if others.filter(study_instance_uid=study.study_instance_uid).exists():
        return False
    if study.study_instance_uid == item.study_instance_uid:
        return True
    if study.archive.has_pseudonyms and others.filter(accession_number=study.accession_number).exists():
        return False
    of_the_day = others.filter(patient_id=item.patient_id, scheduled_start_date=item.scheduled_start_date)
    if evidence.image_modalities(study):
        of_the_day = of_the_day.filter(modality=item.modality)
    return not of_the_day.exists() and not _is_of_another_scanner(item, study)


def _is_of_another_scanner(item: WorklistItem, study: ArchivedStudy) -> bool:
    """Tell whether a scanner reported the study, which the item's does not, or its images name another."""
    if PerformedStep.objects.filter(study_instance_uid=study.study_instance_uid).exists():
        return True
    own, named = set(item.stations), study.station_name.casefold()
    scanners = [each for each in Device.objects.all() if named in stations.names_in_images(each)]
    may_be = (own & {each.ae_title, *stations.of(each, each.ae_title)} for each in scanners)
    return bool(own and scanners) and not any(may_be)


def _do_archives_disagree(item: WorklistItem, study: ArchivedStudy) -> bool:
    """Tell whether another archive has the study under another ID; what was kept without one says nothing."""
    elsewhere = ArchivedStudy.objects.filter(
        study_instance_uid=study.study_instance_uid, gone_at=None, archive__enabled=True
    )
    return elsewhere.exclude(patient_id__in=("", item.patient_id)).exists()
