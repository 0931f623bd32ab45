"""Devices' activity is kept for people who look why something did not arrive."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pylantir_site.retention import delete
from worklist.models.devices import Device


class ActivityQuerySet(models.QuerySet["DeviceActivity"]):
    def queries(self) -> ActivityQuerySet:
        return self.filter(kind="QUERY")

    def newest(self, ae_title: str) -> DeviceActivity | None:
        return self.filter(ae_title=ae_title).order_by("-at", "-pk").first()

    def prune(self, *, days: int) -> None:
        """Delete what is older, except the last contact and the last query of each device."""
        kept: set[int] = set()
        for ae_title in Device.objects.values_list("ae_title", flat=True):
            own = self.filter(ae_title=ae_title).order_by("-at", "-pk").values_list("pk", flat=True)
            kept.update(own[:1], own.filter(kind="QUERY")[:1])
        delete(self.filter(at__lt=timezone.now() - timedelta(days=days)).exclude(pk__in=kept))


class DeviceActivity(models.Model):
    """This row tells of one association, query or message.

    A query is kept as it came, perhaps with a participant's ID in it.
    """

    class Kind(models.TextChoices):
        ASSOCIATION = "ASSOCIATION", _("Association")
        REFUSED = "REFUSED", _("Association refused")
        ECHO = "ECHO", _("C-ECHO")
        QUERY = "QUERY", _("C-FIND")
        N_CREATE = "N-CREATE", _("MPPS N-CREATE")
        N_SET = "N-SET", _("MPPS N-SET")
        N_GET = "N-GET", _("MPPS N-GET")

    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    ae_title = models.CharField(_("calling AE title"), max_length=64, blank=True, default="")
    called_ae_title = models.CharField(_("called AE title"), max_length=64, blank=True, default="")
    address = models.CharField(_("address"), max_length=64, blank=True, default="")
    certificate_subject = models.CharField(_("certificate subject"), max_length=500, blank=True, default="")
    status = models.PositiveIntegerField(
        _("status"), null=True, blank=True, help_text=_("The final status of the answer (PS3.7 Annex C).")
    )
    comment = models.CharField(
        _("comment"), max_length=255, blank=True, default="", help_text=_("How it ended, or why.")
    )
    milliseconds = models.FloatField(_("milliseconds"), null=True, blank=True)
    matches = models.PositiveIntegerField(_("matches"), null=True, blank=True, help_text=_("Answers sent."))
    left_out = models.PositiveIntegerField(
        _("left out"),
        null=True,
        blank=True,
        help_text=_("Items that match and could not be sent: the server's log says why."),
    )
    identifier = models.BinaryField(
        _("identifier"), blank=True, default=b"", help_text=_("The query, as it came.")
    )
    implicit_vr = models.BooleanField(_("implicit VR"), default=True)
    sop_instance_uid = models.CharField(_("SOP Instance UID"), max_length=64, blank=True, default="")

    objects = ActivityQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("contact with a scanner")
        verbose_name_plural = _("contacts with scanners")
        indexes = [
            models.Index(fields=["ae_title", "-at"], name="activity_of_a_device"),
            models.Index(fields=["ae_title", "kind", "-at"], name="activity_by_kind"),
            models.Index(fields=["at"], name="activity_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.ae_title}, {self.at:%Y-%m-%d %H:%M:%S}"
