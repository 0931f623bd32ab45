"""Pulls leave out who was erased, and nobody can read here who that was."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sources.models.data_sources import DataSource

PURPOSE, OF_A_PATIENT_ID = "erased records", "patient ID"  # of the digests (`sources.secrets.digests`)


class ErasedRecord(models.Model):
    """A record of a source, or without one a patient ID of any, belongs to an erased participant.

    What it is called is not kept: `digest` is made of it with a key that is not in the database, and `key`
    tells which (`sources.sync.left_out`). With `until`, appointments after that day come in.
    """

    erasure = models.UUIDField(_("erasure"), db_index=True)
    source = models.ForeignKey(
        DataSource, models.CASCADE, null=True, related_name="erased_records", verbose_name=_("source")
    )
    digest = models.CharField(max_length=64)
    key = models.CharField(max_length=16)
    until = models.DateField(_("until"), null=True)
    erased_at = models.DateTimeField(_("erased"), default=timezone.now)
    erased_by = models.CharField(_("erased by"), max_length=200)

    class Meta:
        verbose_name = _("erased record")
        verbose_name_plural = _("erased records")
        ordering = ["-erased_at", "-pk"]
        indexes = [models.Index(fields=["source", "digest"], name="erased_record")]

    def __str__(self) -> str:
        return f"{self.source or '*'}, {self.erased_at:%Y-%m-%d}"
