"""What an archive answered of a study is kept, so that what people are told can be looked up."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from archives.models.archives import Archive
from worklist.dicom import name_parts
from worklist.models import LONGEST_TEXT, WorklistItem


def _answered(verbose_name: Any, **options: Any) -> Any:
    """Return a column for the first 256 characters of a text as answered."""
    return models.CharField(verbose_name, max_length=LONGEST_TEXT, blank=True, default="", **options)


class ArchivedStudy(models.Model):
    """A row is a study as an archive told of it the last time; modalities are separated by a backslash.

    Weight and size are those of the first series. `grew_at` is when its series or images were last seen to be
    more than before, or `first_found_at`. UIDs of series are separated by a backslash, "" where they were
    not asked for.

    Of a study that is nobody's here, and of no scanner of ours, only UID and day are kept, so that it is not
    asked for again and again.
    """

    archive = models.ForeignKey(Archive, models.CASCADE, related_name="studies")
    item = models.ForeignKey(
        WorklistItem, models.SET_NULL, null=True, blank=True, related_name="archived_studies"
    )
    study_instance_uid = _answered(_("Study Instance UID"), db_index=True)
    patient_id = _answered(_("patient ID"), db_index=True)
    patient_name = _answered(_("patient name"))
    patient_birth_date = models.DateField(_("patient birth date"), null=True, blank=True)
    patient_sex = _answered(_("patient sex"))
    patient_weight_kg = models.DecimalField(
        _("patient weight (kg)"), max_digits=16, decimal_places=4, null=True, blank=True
    )
    patient_size_m = models.DecimalField(
        _("patient size (m)"), max_digits=16, decimal_places=4, null=True, blank=True
    )
    accession_number = _answered(_("accession number"))
    study_description = _answered(_("study description"))
    study_date = models.DateField(_("study date"), null=True, blank=True)
    study_time = models.TimeField(_("study time"), null=True, blank=True)
    modalities = _answered(_("modalities"))
    station_name = _answered(_("station name"))
    series_count = models.PositiveIntegerField(_("series"), null=True, blank=True)
    image_count = models.PositiveIntegerField(_("images"), null=True, blank=True)
    series_instance_uids = models.TextField(_("Series Instance UIDs"), blank=True, default="")

    first_found_at = models.DateTimeField(_("first found at"))
    grew_at = models.DateTimeField(_("last grew at"))
    asked_at = models.DateTimeField(_("last asked at"))
    gone_at = models.DateTimeField(
        _("gone since"), null=True, blank=True, help_text=_("The archive has it no more.")
    )

    class Meta:
        verbose_name = _("study in an archive")
        verbose_name_plural = _("studies in archives")
        ordering = ["-study_date", "-pk"]
        indexes = [models.Index(fields=["study_date"], name="archived_study_days")]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(study_instance_uid=""), name="archived_study_instance_uid_given"
            ),
            models.UniqueConstraint(fields=["archive", "study_instance_uid"], name="archived_study_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.readable_patient_name} · {self.patient_id} · {self.study_date or ''}"

    @property
    def series_uids(self) -> frozenset[str]:
        return frozenset(filter(None, self.series_instance_uids.split("\\")))

    @property
    def readable_patient_name(self) -> str:
        return name_parts.readable(self.patient_name)
