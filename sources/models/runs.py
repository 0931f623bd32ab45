"""A run keeps what a pull did."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

from sources.models.data_sources import DataSource


class RunOutcome(models.TextChoices):
    RUNNING = "RUNNING", "Running"
    OK = "OK", "Done"
    TRANSIENT = "TRANSIENT", "Out of reach"
    CONFIGURATION = "CONFIGURATION", "Set up wrongly"
    AUTHORISATION = "AUTHORISATION", "Not let in"
    HELD = "HELD", "Held: needs a person"
    INTERRUPTED = "INTERRUPTED", "Interrupted"
    FAILED = "FAILED", "Failed: see the log"


class Trigger(models.TextChoices):
    SCHEDULE = "SCHEDULE", "Schedule"
    PERSON = "PERSON", "A person"
    DATA_ENTRY = "DATA_ENTRY", "Data Entry Trigger"


class SyncRun(models.Model):
    """A pull leaves counts and times here, never a value of a participant."""

    source = models.ForeignKey(DataSource, models.CASCADE, related_name="runs")
    trigger = models.CharField(max_length=20, choices=Trigger.choices, default=Trigger.SCHEDULE)
    actor = models.CharField(max_length=200)
    is_full = models.BooleanField(default=False)
    started_at = models.DateTimeField(default=timezone.now, db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, choices=RunOutcome.choices, default=RunOutcome.RUNNING)
    message = models.TextField(blank=True, default="")
    records_total = models.PositiveIntegerField(null=True, blank=True)
    records_done = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    withdrawn = models.PositiveIntegerField(default=0)
    restored = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(
        default=0, help_text="Differ, and stay: examined, or edited by a person."
    )
    issues = models.PositiveIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0)
    memory_before_mb = models.FloatField(null=True, blank=True)
    memory_after_mb = models.FloatField(null=True, blank=True)

    class Meta:
        verbose_name = "pull"
        ordering = ["-started_at", "-pk"]
        indexes = [models.Index(fields=["source", "-started_at"], name="runs_of_a_source")]

    def __str__(self) -> str:
        return f"{self.source}, {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def duration(self) -> timedelta | None:
        return self.ended_at - self.started_at if self.ended_at else None
