"""Who may ask."""

from __future__ import annotations

from django.db import models

from worklist import validators
from worklist.models.recorded import Recorded, actor_history, at_most, given
from worklist.queries import DeviceQuerySet


class Device(Recorded):
    """A DICOM application entity that may associate with this server."""

    ANY = "*"

    ae_title = models.CharField(
        "AE title",
        max_length=16,
        unique=True,
        validators=[validators.ae_title],
        help_text="The calling AE title, capitals matter. * lets any AE title in.",
    )
    name = models.CharField(max_length=100, blank=True, default="", help_text="Room, vendor: for people.")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = DeviceQuerySet.as_manager()
    history = actor_history(excluded_fields=("created_at", "updated_at"))

    class Meta:
        ordering = ["ae_title"]
        constraints = [at_most("ae_title", 16), given("ae_title")]

    def __str__(self) -> str:
        return self.ae_title
