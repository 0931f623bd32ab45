"""A run keeps what a pull did."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sources.models.data_sources import DataSource


class RunOutcome(models.TextChoices):
    RUNNING = "RUNNING", _("Running")
    OK = "OK", _("Done")
    TRANSIENT = "TRANSIENT", _("Out of reach")
    CONFIGURATION = "CONFIGURATION", _("Set up wrongly")
    AUTHORISATION = "AUTHORISATION", _("Not let in")
    HELD = "HELD", _("Held: needs a person")
    INTERRUPTED = "INTERRUPTED", _("Interrupted")
    FAILED = "FAILED", _("Failed: see the log")


class Trigger(models.TextChoices):
    SCHEDULE = "SCHEDULE", _("Schedule")
    PERSON = "PERSON", _("A person")
    DATA_ENTRY = "DATA_ENTRY", _("Data Entry Trigger")


class SyncRun(models.Model):
    """A pull leaves counts and times here, never a value of a participant."""

    source = models.ForeignKey(DataSource, models.CASCADE, related_name="runs", verbose_name=_("source"))
    trigger = models.CharField(_("trigger"), max_length=20, choices=Trigger.choices, default=Trigger.SCHEDULE)
    actor = models.CharField(_("actor"), max_length=200)
    is_full = models.BooleanField(default=False)
    started_at = models.DateTimeField(_("started at"), default=timezone.now, db_index=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    outcome = models.CharField(
        _("outcome"), max_length=20, choices=RunOutcome.choices, default=RunOutcome.RUNNING
    )
    message = models.TextField(_("message"), blank=True, default="")
    records_total = models.PositiveIntegerField(null=True, blank=True)
    records_done = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(_("created"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    withdrawn = models.PositiveIntegerField(_("withdrawn"), default=0)
    restored = models.PositiveIntegerField(_("restored"), default=0)
    kept = models.PositiveIntegerField(
        _("kept"), default=0, help_text=_("Differ, and stay: examined, or edited by a person.")
    )
    issues = models.PositiveIntegerField(_("issues"), default=0)
    requests = models.PositiveIntegerField(_("requests"), default=0)
    memory_before_mb = models.FloatField(null=True, blank=True)
    memory_after_mb = models.FloatField(null=True, blank=True)

    class Meta:
        verbose_name = _("pull")
        verbose_name_plural = _("pulls")
        ordering = ["-started_at", "-pk"]
        indexes = [models.Index(fields=["source", "-started_at"], name="runs_of_a_source")]

    def __str__(self) -> str:
        return f"{self.source}, {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def duration(self) -> timedelta | None:
        return self.ended_at - self.started_at if self.ended_at else None
