"""A study in an archive is a participant's by its item, its UID, or its patient ID where it fits them."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from archives.models import ArchiveCheck, ArchivedStudy
from worklist.models import Attention, PerformedStep, WorklistItem
from worklist.models.attention import AttentionQuerySet
from worklist.privacy.people import ParticipantRows, WrittenPerson


def studies_of(participant: ParticipantRows) -> QuerySet[ArchivedStudy]:
    """Return the studies that are the participant's, by key."""
    uids = {
        *WorklistItem.objects.filter(pk__in=participant.items).values_list("study_instance_uid", flat=True),
        *PerformedStep.objects.filter(pk__in=participant.steps).values_list("study_instance_uid", flat=True),
    } - {""}
    certain = Q(item__in=participant.items) | Q(study_instance_uid__in=uids)
    by_id = ArchivedStudy.objects.filter(patient_id__in=participant.patient_ids - {""})
    theirs = {study.pk for study in by_id if participant.may_be(_person(study))}
    return ArchivedStudy.objects.filter(certain | Q(pk__in=theirs)).order_by("pk")


def checks_of(participant: ParticipantRows) -> QuerySet[ArchiveCheck]:
    return ArchiveCheck.objects.filter(item__in=participant.items).order_by("pk")


def points_of(participant: ParticipantRows) -> AttentionQuerySet:
    """Return the points about studies of the participant that no item and no step has."""
    uids = list(studies_of(participant).values_list("study_instance_uid", flat=True))
    return Attention.objects.filter(item=None, step=None, study_instance_uid__in=uids)


def _person(study: ArchivedStudy) -> WrittenPerson:
    return WrittenPerson(study.patient_name, study.patient_birth_date, study.patient_sex)
