"""A synced step tells which session of which record an item stands for."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from sources.contract import SessionKey
from sources.models.data_sources import DataSource
from sources.models.runs import SyncRun
from worklist.models import WorklistItem


class Withdrawal(models.TextChoices):
    NONE = "", _("Wanted")
    PENDING = "PENDING", _("To be cancelled")  # an examination is under way, or a person must confirm
    DONE = "DONE", _("Cancelled")


class SyncedStep(models.Model):
    """Source, record, event, instrument and instance identify a synced item; the last occurrence is today's.

    `says` is what the source said last, `written` what was last put into the item from it, both cleaned and
    as JSON. A field of the item that differs from `written` was edited by a person, and stays. Without an
    item a person has deleted it, and it is not made again.
    """

    source = models.ForeignKey(DataSource, models.CASCADE, related_name="steps", verbose_name=_("source"))
    record = models.CharField(_("record"), max_length=100)
    event = models.CharField(max_length=100, blank=True, default="")
    instrument = models.CharField(max_length=100, blank=True, default="")
    instance = models.PositiveIntegerField(default=0)
    occurrence = models.PositiveIntegerField(
        default=1, help_text=_("Counts the uses of a row that is used again after an examination.")
    )
    item = models.OneToOneField(
        WorklistItem, models.SET_NULL, null=True, blank=True, related_name="synced_step"
    )
    says = models.JSONField(default=dict)
    written = models.JSONField(default=dict)
    # Kept by `sources.sync.edited_marks`, for lists: whether the item differs from `written`.
    is_edited = models.BooleanField(default=False, editable=False)
    withdrawal = models.CharField(max_length=10, choices=Withdrawal.choices, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    run = models.ForeignKey(
        SyncRun, models.SET_NULL, null=True, blank=True, help_text=_("The last that changed it.")
    )

    class Meta:
        verbose_name = _("session at its source")
        verbose_name_plural = _("sessions at their sources")
        ordering = ["source", "record", "event", "instrument", "instance", "occurrence"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "record", "event", "instrument", "instance", "occurrence"],
                name="synced_step_once",
            )
        ]
        indexes = [
            models.Index(fields=["item"], condition=models.Q(is_edited=True), name="synced_step_edited")
        ]

    def __str__(self) -> str:
        return str(self.item) if self.item else self.record

    @property
    def key(self) -> SessionKey:
        return SessionKey(self.event, self.instrument, self.instance)
