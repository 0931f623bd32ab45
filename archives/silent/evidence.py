"""A study in an archive shows that an item was performed, or something speaks against it.

Time alone never does: the archive must have been asked again, and have told of no more series and images.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archives.models import ArchivedStudy
from worklist.models import WorklistItem

NO_IMAGES = frozenset({"PR", "SR", "KO", "DOC"})  # modalities of what is made of images, or about them


class Doubt(models.TextChoices):
    """This speaks against it that the study shows the item to have been performed."""

    ANOTHER_STUDY = "ANOTHER_STUDY", _("it is another study")
    ANOTHER_ID = "ANOTHER_ID", _("it is there under another patient ID")
    ANOTHER_MODALITY = "ANOTHER_MODALITY", _("it has no images of this modality")
    GONE = "GONE", _("it is there no more")
    EMPTY = "EMPTY", _("it has no images")
    NOT_COUNTED = "NOT_COUNTED", _("the archive does not tell how many series and images it has")
    GROWING = "GROWING", _("it may still grow")


def doubt(item: WorklistItem, study: ArchivedStudy, *, settled_after: timedelta) -> Doubt | None:
    """Return what speaks against it, or None where the study shows that the item was performed.

    `settled_after` is how long it must not have grown, by the archive's own answers.
    """
    if not _is_of(item, study):
        return Doubt.ANOTHER_STUDY
    if study.patient_id.strip() != item.patient_id.strip():
        return Doubt.ANOTHER_ID
    if (images := _image_modalities(study)) and item.modality not in images:
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
    if study.study_instance_uid == item.study_instance_uid:
        return True
    return study.item_id == item.pk and study.study_date == item.scheduled_start_date


def _image_modalities(study: ArchivedStudy) -> frozenset[str]:
    return frozenset(filter(None, study.modalities.split("\\"))) - NO_IMAGES


def _counted(number: int | None, one: str, many: str) -> str:
    return "" if number is None else f"{number} {one if number == 1 else many}"
