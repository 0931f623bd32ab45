"""How it goes with asking an archive is kept beside it: it changes every minute, and is no set-up."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from archives.models.archives import Archive


class ArchiveState(models.Model):
    """A row says when an archive is asked next, whether it is being asked, and what was wrong the last time.

    `claim` is a lease, as of a source. `failures` counts those since the last answer; `next_listing_at` is
    when it is asked again for all studies of a day.
    """

    archive = models.OneToOneField(Archive, models.CASCADE, primary_key=True, related_name="state")
    next_round_at = models.DateTimeField(null=True, blank=True)
    next_listing_at = models.DateTimeField(null=True, blank=True)
    claim = models.CharField(max_length=36, blank=True, default="")
    claimed_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(_("last answer"), null=True, blank=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("failures"), default=0)
    problem = models.TextField(_("problem"), blank=True, default="")
    days_problem = models.TextField(
        blank=True, default="", help_text=_("Why studies that nobody scheduled are not looked for.")
    )

    class Meta:
        verbose_name = _("state of an archive")
        verbose_name_plural = _("states of archives")

    def __str__(self) -> str:
        return str(self.archive)
