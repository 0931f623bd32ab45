"""An issue names what a person must mend at the source."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from sources.models.data_sources import DataSource


class SyncIssueQuerySet(models.QuerySet["SyncIssue"]):
    def open(self) -> SyncIssueQuerySet:
        return self.filter(closed_at=None)


class SyncIssue(models.Model):
    """A value could not be used, or a session differs and its item stays. The issue closes by itself.

    The text never holds the value: the link leads to it.
    """

    source = models.ForeignKey(DataSource, models.CASCADE, related_name="issues", verbose_name=_("source"))
    record = models.CharField(_("record"), max_length=100)
    event = models.CharField(max_length=100, blank=True, default="")
    instrument = models.CharField(max_length=100, blank=True, default="")
    instance = models.PositiveIntegerField(default=0)
    target = models.CharField(max_length=100, blank=True, default="")
    field = models.CharField(_("field"), max_length=100, blank=True, default="")
    text = models.TextField(_("what is wrong"))
    blocks = models.BooleanField(
        _("session kept out"),
        default=False,
        help_text=_("The session is not offered, or stays as it was."),
    )
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = SyncIssueQuerySet.as_manager()

    class Meta:
        verbose_name = _("issue")
        verbose_name_plural = _("issues")
        ordering = ["-opened_at", "-pk"]
        indexes = [models.Index(fields=["source", "closed_at", "record"], name="issues_of_a_source")]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "record", "event", "instrument", "instance", "target", "field", "text"],
                condition=models.Q(closed_at=None),
                name="issue_open_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.field or self.target}: {self.text}"
