"""What came from a database of the original is remembered: nothing of it comes in twice."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from worklist.models import WorklistItem


class OriginalDatabase(models.Model):
    """A file of the original's is known again by the rows that came from it, whatever it is called now."""

    name = models.CharField(
        _("name"), max_length=255, help_text=_("The file's name when it was first imported.")
    )
    imported_at = models.DateTimeField(_("imported at"), default=timezone.now)
    imported_by = models.CharField(_("imported by"), max_length=200)

    class Meta:
        verbose_name = _("database of the original")
        verbose_name_plural = _("databases of the original")
        ordering = ["-imported_at", "-pk"]

    def __str__(self) -> str:
        return self.name


class OriginalRow(models.Model):
    """This row of such a database has been imported, and is not again.

    `fingerprint` tells it from another row that was given its number later. Without an item, a row of the
    worklist is one whose item a person has deleted, or one that waits for a pull (`OriginalStep`).
    """

    database = models.ForeignKey(OriginalDatabase, models.CASCADE, related_name="rows")
    table = models.CharField(max_length=40)
    row = models.BigIntegerField()
    fingerprint = models.CharField(max_length=64)
    item = models.ForeignKey(
        WorklistItem, models.SET_NULL, null=True, blank=True, related_name="original_rows"
    )

    class Meta:
        verbose_name = _("row of the original")
        verbose_name_plural = _("rows of the original")
        ordering = ["database", "table", "row"]
        constraints = [
            models.UniqueConstraint(
                fields=["database", "table", "row", "fingerprint"], name="original_row_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.row}"


class OriginalStep(models.Model):
    """The original gave this appointment its Study Instance UID: the item that a pull makes of it takes it.

    `session` says which session of a source took it: an item that is made again takes it again.
    """

    row = models.OneToOneField(OriginalRow, models.CASCADE, related_name="step")
    patient_id = models.CharField(_("patient ID"), max_length=64)
    scheduled_start_date = models.DateField()
    scheduled_start_time = models.TimeField()
    study_instance_uid = models.CharField(_("Study Instance UID"), max_length=64, unique=True)
    session = models.UUIDField(null=True, blank=True, unique=True)

    class Meta:
        verbose_name = _("appointment of the original")
        verbose_name_plural = _("appointments of the original")
        ordering = ["scheduled_start_date", "scheduled_start_time", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient_id", "scheduled_start_date", "scheduled_start_time"],
                name="original_step_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} · {self.scheduled_start_date}"
