"""That somebody was erased is kept, and not who."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Why(models.TextChoices):
    REQUEST = "REQUEST", _("A person decided it")
    RETENTION = "RETENTION", _("The time to keep it is over")


class Erasure(models.Model):
    """This participant was erased: when, by whom and why, and how many rows of what were changed.

    `pseudonym` is the patient ID that the rows have since; `is_purged` says that the database's files hold
    nothing of it any more.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    at = models.DateTimeField(_("erased"), default=timezone.now, db_index=True)
    by = models.CharField(_("by"), max_length=200)
    why = models.CharField(_("why"), max_length=10, choices=Why.choices, default=Why.REQUEST)
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    pseudonym = models.CharField(_("patient ID since"), max_length=64)
    counts = models.JSONField(_("what was changed"), default=dict)
    is_purged = models.BooleanField(_("gone from the database's files"), default=False)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.pseudonym}, {self.at:%Y-%m-%d}"
