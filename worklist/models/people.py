"""Somebody may have said that a patient ID is a person's although other items name another."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from worklist import validators
from worklist.dicom import name_parts
from worklist.models.items import Sex


class ConfirmedPerson(models.Model):
    """This person was confirmed to have the patient ID, by whom and why; who is written so is not questioned.

    `is_shared` says that other people have the ID on purpose. Where it is false the others were mistaken,
    and images of examinations that were done before may carry what they said.
    """

    patient_id = models.CharField(_("patient ID"), max_length=64, db_index=True, validators=[validators.text])
    patient_name = models.CharField(_("patient name"), max_length=194, validators=[validators.person_name])
    patient_birth_date = models.DateField(_("patient birth date"), null=True, blank=True)
    patient_sex = models.CharField(
        _("patient sex"), max_length=1, blank=True, default="", choices=Sex.choices
    )
    is_shared = models.BooleanField(_("the ID is shared on purpose"), default=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    confirmed_by = models.CharField(_("confirmed by"), max_length=200, editable=False)
    confirmed_at = models.DateTimeField(_("confirmed at"), auto_now_add=True)

    class Meta:
        verbose_name = _("confirmed person")
        verbose_name_plural = _("confirmed people")
        ordering = ["patient_id", "-confirmed_at", "-pk"]

    def __str__(self) -> str:
        return f"{name_parts.readable(self.patient_name)} · {self.patient_id}"
