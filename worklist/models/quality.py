"""Phantoms are scanned by rules of the site; their items are no participant's."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from worklist import validators
from worklist.models.constraints import given
from worklist.models.devices import Device
from worklist.models.history import Recorded, actor_history
from worklist.models.items import WorklistItem
from worklist.validators import qa_patterns

MOST_OVERDUE_HOURS = 24 * 14
_A_DAY, _A_TIME = date(2000, 12, 30), time(23, 59, 59)  # any, to see how long a filled pattern is


class IdScope(models.TextChoices):
    PHANTOM = "PHANTOM", _("One ID for the phantom, in every scan")
    SCAN = "SCAN", _("An ID of its own for each scan")


class QaRule(Recorded):
    """A rule says when a scanner is checked with a phantom, and as whom the phantom is entered.

    `weekdays` are numbers, Monday being 0; none means that it is scanned on demand alone. The time is the
    wall clock of the site (TIME_ZONE).
    """

    device = models.ForeignKey(
        Device, models.CASCADE, related_name="qa_rules", verbose_name=_("scanner")
    )  # its open scans are taken back by the next plan
    name = models.CharField(
        _("name"), max_length=64, help_text=_("For people, and as Study Description: Weekly QA, for example.")
    )
    enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("A disabled rule takes back its scans that are to come.")
    )
    weekdays = models.JSONField(
        _("weekdays"),
        default=list,
        blank=True,
        help_text=_("None chosen: only when somebody asks for a scan."),
    )
    at = models.TimeField(
        _("time"), default=time(7, 0), help_text=_("By the clock of this site, in summer and in winter.")
    )
    overdue_hours = models.PositiveSmallIntegerField(
        _("overdue after (hours)"),
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_OVERDUE_HOURS)],
        help_text=_("So long after its time somebody is told that it was not scanned."),
    )

    id_scope = models.CharField(
        _("patient ID is for"), max_length=8, choices=IdScope.choices, default=IdScope.SCAN
    )
    id_pattern = models.CharField(
        _("patient ID"),
        max_length=64,
        default="QA-{scanner}-{date}-{time}",
        help_text=_("{scanner} is its AE title, {date} as 20261130, {time} as 070000."),
    )
    name_pattern = models.CharField(
        _("patient name"),
        max_length=64,
        default="QA^{scanner}",
        help_text=_("As DICOM writes it: Phantom^{scanner}. The same words may be used as in the ID."),
    )
    patient_birth_date = models.DateField(_("patient birth date"), null=True, blank=True)
    patient_weight_kg = models.DecimalField(
        _("phantom's weight (kg)"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[validators.plausible_weight],
        help_text=_("The phantom's real weight, from a scale: the scanner computes its limits from it."),
    )
    modality = models.CharField(
        _("modality"), max_length=16, blank=True, default="", validators=[validators.code_string]
    )
    procedure_description = models.CharField(
        _("procedure description"), max_length=64, blank=True, default="", validators=[validators.text]
    )
    protocol_name = models.CharField(
        _("protocol name"), max_length=64, blank=True, default="", validators=[validators.text]
    )
    problem = models.TextField(_("problem"), blank=True, default="", editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    history = actor_history(excluded_fields=("created_at", "updated_at", "problem"))

    class Meta:
        verbose_name = _("QA rule")
        verbose_name_plural = _("QA rules")
        ordering = ["device__ae_title", "name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["device", "name"],
                name="qa_rule_once",
                violation_error_message=_("The scanner has a rule of this name already."),
            ),
            given("name"),
        ]

    def __str__(self) -> str:
        return f"{self.device}: {self.name}"

    @property
    def overdue_after(self) -> timedelta:
        return timedelta(hours=self.overdue_hours)

    def filled(self, pattern: str, *, on: date, at: time) -> str:
        return qa_patterns.fill(pattern, scanner=self.device.ae_title, day=on, at=at)

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        self.weekdays = sorted(set(self.weekdays or ()))
        if not set(self.weekdays) <= set(range(7)):
            errors["weekdays"] = gettext("Choose days of the week.")
        if self.device_id and self.device.ae_title == Device.ANY:
            errors["device"] = gettext("Choose one scanner: this row speaks for any.")
        elif self.device_id and not (self.modality or self.device.modality):
            errors["modality"] = gettext("Give the modality: the scanner has none of its own.")
        for field in ("id_pattern", "name_pattern"):
            if problem := self._problem_of(field):
                errors[field] = problem
        if errors:
            raise ValidationError(errors)

    def _problem_of(self, field: str) -> str:
        """Return what is wrong with a pattern, or with what comes of it."""
        pattern = getattr(self, field)
        try:
            moments = qa_patterns.words(pattern) & qa_patterns.OF_A_MOMENT
            found = self.filled(pattern, on=_A_DAY, at=_A_TIME) if self.device_id else ""
            if field == "name_pattern":
                validators.person_name(found)
            else:
                validators.text(found)
        except ValueError as error:
            return str(error)
        except ValidationError as error:
            return " ".join(error.messages)
        if len(found) > qa_patterns.LONGEST:
            return gettext("It becomes %(length)d characters long, and 64 are the most.") % {
                "length": len(found)
            }
        return self._problem_of_scope(field, moments)

    def _problem_of_scope(self, field: str, moments: frozenset[str]) -> str:
        if self.id_scope == IdScope.PHANTOM and moments:
            return gettext("One ID for the phantom is the same every time: leave {date} and {time} out.")
        if self.id_scope == IdScope.SCAN and field == "id_pattern" and moments != qa_patterns.OF_A_MOMENT:
            return gettext("An ID of its own for each scan needs {date} and {time}.")
        return ""


class QaScan(models.Model):
    """A rule made the item: for a day of its week, or, without a day, when somebody asked.

    `digest` is that of the values that the rule gave it, so that what people changed since stays.
    """

    rule = models.ForeignKey(QaRule, models.SET_NULL, null=True, related_name="scans")
    # A day whose item somebody deleted stays taken.
    item = models.OneToOneField(WorklistItem, models.SET_NULL, null=True, related_name="qa_scan")
    day = models.DateField(null=True)
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("QA scan")
        verbose_name_plural = _("QA scans")
        constraints = [models.UniqueConstraint(fields=["rule", "day"], name="qa_scan_once_a_day")]

    def __str__(self) -> str:
        return str(self.item_id)
