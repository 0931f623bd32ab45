"""An archive is asked for an item until what was found is right, or its window has passed."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from archives.models.archives import Archive
from worklist.models import WorklistItem


class Finding(models.TextChoices):
    NOT_ASKED = "NOT_ASKED", _("Not asked yet")
    FOUND = "FOUND", _("Found")
    NOT_FOUND = "NOT_FOUND", _("Not found")
    DIFFERS = "DIFFERS", _("Found, and differs")
    FAILED = "FAILED", _("The archive did not answer")


IS_THERE = (Finding.FOUND, Finding.DIFFERS)


class ArchiveCheckQuerySet(models.QuerySet["ArchiveCheck"]):
    def due(self, now: datetime) -> ArchiveCheckQuerySet:
        """Return what enabled archives are to be asked now, the longest due first."""
        return self.filter(next_at__lte=now, archive__enabled=True).order_by("next_at", "pk")


class ArchiveCheck(models.Model):
    """A row says when an archive is to be asked for an item, and what came of it the last time.

    Where `next_at` is empty nothing more is asked. `failures` counts those since the last answer.
    """

    archive = models.ForeignKey(Archive, models.CASCADE, related_name="checks")
    item = models.ForeignKey(WorklistItem, models.CASCADE, related_name="archive_checks")
    next_at = models.DateTimeField(_("next asked at"), null=True, blank=True)
    until = models.DateTimeField(_("asked until"))
    asked_at = models.DateTimeField(_("last asked at"), null=True, blank=True)
    asked_count = models.PositiveIntegerField(_("times asked"), default=0)
    finding = models.CharField(
        _("finding"), max_length=16, choices=Finding.choices, default=Finding.NOT_ASKED.value
    )
    failures = models.PositiveIntegerField(_("failures"), default=0)
    problem = models.TextField(
        _("problem"), blank=True, default="", help_text=_("Why the archive did not answer.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ArchiveCheckQuerySet.as_manager()

    class Meta:
        verbose_name = _("check of an archive")
        verbose_name_plural = _("checks of archives")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["next_at"], name="archive_check_due", condition=~models.Q(next_at=None)),
            models.Index(fields=["finding", "asked_at"], name="archive_check_finding"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["archive", "item"], name="archive_check_unique"),
            models.CheckConstraint(
                condition=models.Q(finding__in=Finding.values), name="archive_finding_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.archive}: {self.item}"
