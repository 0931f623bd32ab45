"""What is written back to a source waits here, with what was sent and what a person must decide."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sources.contract import SessionKey
from sources.mapping.rules import MappingPlan
from sources.models.data_sources import DataSource, choices
from sources.models.steps import SyncedStep
from sources.outgoing.facts import ScanFact
from sources.outgoing.rules import OutgoingRule
from worklist.models.history import Recorded, actor_history

FACTS = {
    ScanFact.STATUS: _("Status"),
    ScanFact.START: _("Start"),
    ScanFact.END: _("End"),
    ScanFact.SCANNER: _("Scanner (AE title)"),
    ScanFact.OPERATOR: _("Operator"),
    ScanFact.SERIES: _("Number of series"),
    ScanFact.IMAGES: _("Number of images"),
    ScanFact.PROTOCOLS: _("Protocols"),
    ScanFact.STUDY: _("Study Instance UID"),
    ScanFact.REASON: _("Reason of a stop"),
}


class WriteRule(Recorded):
    """A source's outgoing mapping has rows, each of which is a `sources.outgoing.rules.OutgoingRule`."""

    source = models.ForeignKey(DataSource, models.CASCADE, related_name="write_rules")
    position = models.PositiveIntegerField(default=0)
    field = models.CharField(
        _("field"),
        max_length=100,
        help_text=_("It is written on the session's own record, event and instance."),
    )
    fact = models.CharField(_("takes"), max_length=30, choices=choices(FACTS))
    codes = models.CharField(
        _("codes"),
        max_length=500,
        blank=True,
        default="",
        help_text=_("Of a choice, from what is known here to its code: COMPLETED=2, DISCONTINUED=3."),
    )
    event = models.CharField(
        _("event"),
        max_length=100,
        blank=True,
        default="",
        help_text=_("Only where a session is a whole record, and several events have the field."),
    )

    history = actor_history()

    class Meta:
        verbose_name = _("row that is written back")
        verbose_name_plural = _("written back")
        ordering = ["source", "position", "pk"]

    def __str__(self) -> str:
        return f"{self.field} ← {self.fact}"

    def as_rule(self) -> OutgoingRule:
        return OutgoingRule(self.field, ScanFact(self.fact), self.codes, self.event)


class WriteProgress(models.TextChoices):
    WAITING = "WAITING", _("Waits to be sent")
    DONE = "DONE", _("As at the source")
    HELD = "HELD", _("Needs a person")
    LEFT = "LEFT", _("Left as it is there")  # a person says so, until another outcome comes


class OutcomeWrite(models.Model):
    """A session's outcome is to be written back, or was.

    It holds keys alone: values are read when they are sent, so that the newest outcome wins. `change` tells
    whether another one came meanwhile. `sent` has digests of what we have sent to each field and may be
    there, `replaceable` of a value that a person lets us overwrite (`sources.write_back.digests`).
    """

    # Whoever deletes a source while a scanner reports must not have the report refused for a missing row.
    step = models.OneToOneField(
        SyncedStep,
        models.CASCADE,
        related_name="outcome_write",
        db_constraint=False,
        verbose_name=_("session"),
    )
    state = models.CharField(
        _("state"), max_length=10, choices=WriteProgress.choices, default=WriteProgress.WAITING
    )
    change = models.UUIDField(default=uuid.uuid4, editable=False)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    due_at = models.DateTimeField(_("next try"), default=timezone.now, db_index=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    sent = models.JSONField(default=dict)
    replaceable = models.JSONField(default=dict)
    agreed_at = models.DateTimeField(_("agreed"), null=True, blank=True)

    class Meta:
        verbose_name = _("outcome to write back")
        verbose_name_plural = _("outcomes to write back")
        ordering = ["-asked_at", "-pk"]

    def __str__(self) -> str:
        return str(self.step)

    @staticmethod
    def ask(step_pk: int) -> None:
        """Have a session's outcome written, whatever of it was written before, by one statement.

        Another change meanwhile is no conflict: what is written is read when it is sent.
        """
        renewed = ["state", "change", "asked_at", "due_at", "attempts"]
        OutcomeWrite.objects.bulk_create(
            [OutcomeWrite(step_id=step_pk)],
            update_conflicts=True,
            unique_fields=["step"],
            update_fields=renewed,
        )


class Hindrance(models.TextChoices):
    DIFFERS = "DIFFERS", _("The field holds another value, which was not written from here.")
    OUTDATED = "OUTDATED", _("What was written is true no longer: empty the field at the source.")
    LOCKED = "LOCKED", _("The form is locked for this record: unlock it, or leave it as it is.")
    INVALID = (
        "INVALID",
        _("The source refuses the value: compare the field's type and codes."),
    )
    UNKNOWN_FIELD = "UNKNOWN_FIELD", _("The project has no such field any more: correct the mapping.")
    GONE = "GONE", _("The record has no such session any more: nothing is written.")
    ANOTHER = "ANOTHER", _("The session is another person's or another day's by now: nothing is written.")
    UNREADABLE = "UNREADABLE", _("The session cannot be read: mend its open issues first.")
    NOT_STORED = "NOT_STORED", _("The source took the value, and does not hold it: look at the field there.")
    REFUSED = "REFUSED", _("The source refuses the write: look at the rights of the token's user.")


class WriteIssue(models.Model):
    """Something keeps a field from holding the outcome. The issue closes by itself once it does.

    Both values are kept for the person who decides; they are in no log.
    """

    write = models.ForeignKey(OutcomeWrite, models.CASCADE, related_name="issues")
    field = models.CharField(_("field"), max_length=100, blank=True, default="")
    kind = models.CharField(_("what is wrong"), max_length=20, choices=Hindrance.choices)
    theirs = models.TextField(_("at the source"), blank=True, default="")
    ours = models.TextField(_("reported"), blank=True, default="")
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("issue of a write")
        verbose_name_plural = _("issues of writes")
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["write", "field", "kind"],
                condition=models.Q(closed_at=None),
                name="write_issue_open_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.get_kind_display()}" if self.field else str(self.get_kind_display())


class WriteState(models.Model):
    """Each source that writes has one row; `claim` is held by the one worker that writes."""

    source = models.OneToOneField(DataSource, models.CASCADE, related_name="write_state", primary_key=True)
    claim = models.CharField(max_length=36, blank=True, default="")
    claimed_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text=_("In a row, of the server or the token."))
    message = models.TextField(blank=True, default="")
    next_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.source}: {self.message or 'well'}"


def key_of(write: OutcomeWrite) -> SessionKey:
    key: SessionKey = write.step.key
    return key


def other_plans(source: Any) -> dict[str, MappingPlan]:
    """Return the mappings of the other sources that read the same project, by name."""
    return {other.name: other.plan for other in source.details.others()}


def outgoing_rules(source: Any) -> tuple[OutgoingRule, ...]:
    """Return a source's outgoing mapping as `sources.outgoing` takes it."""
    return tuple(rule.as_rule() for rule in source.write_rules.all())
