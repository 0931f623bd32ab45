"""Pulls write how a source fares with single statements, beside what people decide."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    NEVER = "NEVER", _("Not pulled yet")
    OK = "OK", _("Well")
    TRANSIENT = "TRANSIENT", _("Out of reach for now")
    CONFIGURATION = "CONFIGURATION", _("Set up wrongly")
    AUTHORISATION = "AUTHORISATION", _("Not let in")
    HELD = "HELD", _("Held: needs a person")
    SET_ASIDE = "SET_ASIDE", _("Set aside: its pulls were cut off")


class SourceState(models.Model):
    """Each source has one row; `claim` is held by the one pull that runs."""

    source = models.OneToOneField(
        "sources.DataSource", models.CASCADE, related_name="state", primary_key=True
    )
    state = models.CharField(max_length=20, choices=State.choices, default=State.NEVER)
    since = models.DateTimeField(default=timezone.now)
    message = models.TextField(blank=True, default="")
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    refusals = models.PositiveIntegerField(
        default=0, help_text="Of the token, by the source itself, since a pull last went well."
    )
    last_success_at = models.DateTimeField(null=True, blank=True)
    mark = models.DateTimeField(null=True, blank=True, help_text="All that changed before has been read.")
    last_full_at = models.DateTimeField(null=True, blank=True)
    next_pull_at = models.DateTimeField(
        null=True, blank=True, default=timezone.now, help_text="Empty: paused until a person acts."
    )
    full_requested = models.BooleanField(default=False)
    requested_at = models.DateTimeField(null=True, blank=True)
    requested_by = models.CharField(max_length=200, blank=True, default="")
    claim = models.CharField(max_length=36, blank=True, default="")
    claimed_at = models.DateTimeField(null=True, blank=True)
    claimed_by = models.CharField(
        max_length=100, blank=True, default="", help_text="Which worker pulls, by sources.sync.interruptions."
    )
    interruptions = models.PositiveIntegerField(
        default=0, help_text="Pulls that were cut off, in a row, since a person last asked for one."
    )
    held = models.JSONField(
        default=dict, blank=True, help_text="How many changes wait for a person, by sources.sync.guards."
    )
    allowed = models.JSONField(
        default=dict, blank=True, help_text="What a person lets the next full pull do, by the same kinds."
    )
    clock_zone = models.CharField(
        max_length=64, blank=True, default="", help_text="The time zone with which the log was compared."
    )
    clock_offset_minutes = models.SmallIntegerField(
        null=True, blank=True, help_text="The server's UTC offset at that moment, by its log."
    )
    clock_seen_at = models.DateTimeField(null=True, blank=True)
    skew_seconds = models.IntegerField(null=True, blank=True, help_text="The server's clock minus ours.")
    warnings = models.JSONField(default=list, blank=True)
    triggered_at = models.DateTimeField(null=True, blank=True)
    trigger_tested_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.JSONField(
        default=dict,
        blank=True,
        help_text="When people last tested, previewed and compared it, and what it was then.",
    )

    def __str__(self) -> str:
        return f"{self.source}: {self.get_state_display()}"

    @property
    def held_withdrawals(self) -> int:
        """Return how many cancellations wait: records that cannot be seen, and appointments called off."""
        return sum(self.held.get(kind, 0) for kind in ("RECORDS_GONE", "WITHDRAWN"))


class PendingRecord(models.Model):
    """A record is to be read again: a Data Entry Trigger named it, or it failed in the last pull."""

    source = models.ForeignKey("sources.DataSource", models.CASCADE, related_name="pending")
    record = models.CharField(max_length=100)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "record"], name="pending_once")]

    def __str__(self) -> str:
        return f"{self.source}: one record"


class WorkerBeat(models.Model):
    """One row keeps when the worker last looked for what is due."""

    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.at)


class FirstStepsEnd(models.Model):
    """One row ends the list of first steps for good: all were done, or an administrator hid them."""

    at = models.DateTimeField(default=timezone.now)
    hidden_by = models.CharField(max_length=200, blank=True, default="")

    def __str__(self) -> str:
        return str(self.at)
