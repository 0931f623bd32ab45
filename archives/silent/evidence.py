"""A study in an archive shows that an item was performed, or something speaks against it.

Time alone never does: the archive must have been asked again, and have told of no more series and images.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archives import lost_letters
from archives.models import ArchivedStudy
from worklist.attention import identity
from worklist.models import PerformedBy, Status, WorklistItem

LONG_BEFORE = timedelta(hours=2)  # who comes earlier than that for an appointment is not known to have come
NO_IMAGES = frozenset({"PR", "SR", "KO", "DOC"})  # modalities of what is made of images, or about them


class Doubt(models.TextChoices):
    """This speaks against it that the study shows the item to have been performed."""

    ANOTHER_STUDY = "ANOTHER_STUDY", _("it is another study")
    ANOTHER_ID = "ANOTHER_ID", _("it is there under another patient ID")
    ANOTHER_PERSON = "ANOTHER_PERSON", _("it is there under another name, birth date or sex")
    EARLIER = "EARLIER", _("it is from well before the appointment")
    PUT_BACK = "PUT_BACK", _("it was there before the appointment was put back")
    ANOTHER_MODALITY = "ANOTHER_MODALITY", _("it has no images of this modality")
    GONE = "GONE", _("it is there no more")
    EMPTY = "EMPTY", _("it has no images")
    NOT_COUNTED = "NOT_COUNTED", _("the archive does not tell how many series and images it has")
    GROWING = "GROWING", _("it may still grow")


def doubt(
    item: WorklistItem,
    study: ArchivedStudy,
    *,
    settled_after: timedelta,
    put_back_at: datetime | None = None,
) -> Doubt | None:
    """Return what speaks against it, or None where the study shows that the item was performed.

    `settled_after` is how long it must not have grown, by the archive's own answers. `put_back_at` is as
    `put_back` tells it: what was there by then was judged already, and shows nothing.
    """
    return (
        _of_whom(item, study)
        or _of_when(item, study, put_back_at)
        or _of_what(item, study, settled_after=settled_after)
    )


def put_back(item_pks: Collection[int]) -> Mapping[int, datetime]:
    """Return by item when it was last put back after it had been stopped, or completed by an archive.

    Whoever does so says that the images which were there by then are not all, or not of this appointment.
    """
    was_judged = Q(performed_procedure_step_status=Status.DISCONTINUED) | Q(
        performed_procedure_step_status=Status.COMPLETED, performed_by_evidence=PerformedBy.ARCHIVE
    )
    judged = WorklistItem.history.filter(was_judged, id__in=item_pks).order_by()
    newest = dict(judged.values("id").annotate(last=models.Max("history_id")).values_list("id", "last"))
    if not newest:
        return {}
    later: dict[int, list[datetime]] = defaultdict(list)
    records = WorklistItem.history.filter(id__in=newest, history_id__gt=min(newest.values())).order_by()
    for pk, number, at in records.values_list("id", "history_id", "history_date"):
        if number > newest[pk]:
            later[pk].append(at)
    return {pk: min(moments) for pk, moments in later.items()}


def _of_whom(item: WorklistItem, study: ArchivedStudy) -> Doubt | None:
    if not _is_of(item, study):
        return Doubt.ANOTHER_STUDY
    if study.archive.has_pseudonyms:
        return None if _has_its_uid(item, study) or _has_its_number(item, study) else Doubt.ANOTHER_STUDY
    if study.patient_id.strip() != item.patient_id.strip():
        return Doubt.ANOTHER_ID
    if not _has_its_uid(item, study) and _is_of_another_person(item, study):
        return Doubt.ANOTHER_PERSON
    return None


def _of_when(item: WorklistItem, study: ArchivedStudy, put_back_at: datetime | None) -> Doubt | None:
    """An appointment that was moved keeps its UID: images of an earlier day are of an earlier attempt."""
    if study.study_date is not None and study.study_date < item.scheduled_start_date:
        return Doubt.EARLIER
    if not _has_its_uid(item, study) and study.study_time is not None:
        began = datetime.combine(item.scheduled_start_date, study.study_time)
        if began < datetime.combine(item.scheduled_start_date, item.scheduled_start_time) - LONG_BEFORE:
            return Doubt.EARLIER
    is_known_already = put_back_at is not None and study.grew_at <= put_back_at
    return Doubt.PUT_BACK if is_known_already else None


def _of_what(item: WorklistItem, study: ArchivedStudy, *, settled_after: timedelta) -> Doubt | None:
    if (images := image_modalities(study)) and item.modality not in images:
        return Doubt.ANOTHER_MODALITY
    if study.gone_at is not None:
        return Doubt.GONE
    if 0 in (study.series_count, study.image_count):
        return Doubt.EMPTY
    if study.series_count is None and study.image_count is None:
        return Doubt.NOT_COUNTED
    if study.asked_at - study.grew_at < settled_after:
        return Doubt.GROWING
    return None


def in_words(study: ArchivedStudy) -> str:
    """Return the evidence for the history: series and images, and since when they are no more."""
    counted = (
        _counted(study.series_count, "series", "series"),
        _counted(study.image_count, "image", "images"),
    )
    since = timezone.localtime(study.grew_at)
    return f"Study in the archive: {', '.join(filter(None, counted))}, unchanged since {since:%Y-%m-%d %H:%M}"


def _is_of(item: WorklistItem, study: ArchivedStudy) -> bool:
    """A study with a UID of its own is taken for the item's by its day alone, beside who it is of."""
    if _has_its_uid(item, study):
        return True
    return study.item_id == item.pk and study.study_date == item.scheduled_start_date


def _has_its_uid(item: WorklistItem, study: ArchivedStudy) -> bool:
    return bool(study.study_instance_uid == item.study_instance_uid)


def _has_its_number(item: WorklistItem, study: ArchivedStudy) -> bool:
    return bool(item.accession_number) and study.accession_number == item.accession_number


def _is_of_another_person(item: WorklistItem, study: ArchivedStudy) -> bool:
    """Tell it of a study that has nothing but ID and day in common: other studies may use the same IDs."""
    born, sex = study.patient_birth_date, study.patient_sex
    if item.patient_sex and sex and sex != item.patient_sex:
        return True
    if item.patient_birth_date and born:
        return bool(born != item.patient_birth_date)
    is_same = identity.same_name(item.patient_name, study.patient_name)
    return not is_same and not lost_letters.may_have_lost(item.patient_name, study.patient_name)


def image_modalities(study: ArchivedStudy) -> frozenset[str]:
    return frozenset(filter(None, study.modalities.split("\\"))) - NO_IMAGES


def _counted(number: int | None, one: str, many: str) -> str:
    return "" if number is None else f"{number} {one if number == 1 else many}"
