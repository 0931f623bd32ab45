"""Performed procedure steps are what a scanner reported back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from worklist import validators
from worklist.dicom import name_parts
from worklist.models.constraints import at_most, given
from worklist.models.history import Recorded, actor_history
from worklist.models.items import PerformedBy, Status, WorklistItem
from worklist.models.search_words import Searched, StepSearchWord, has_all
from worklist.models.serialised import PackedDataSetField

LONGEST_TEXT = 256  # characters


class PerformedStatus(models.TextChoices):
    """These are the values of (0040,0252); on the wire IN_PROGRESS is `IN PROGRESS`.

    The other two are final (PS3.4 F.7.2).
    """

    IN_PROGRESS = "IN_PROGRESS", _("In progress")
    COMPLETED = "COMPLETED", _("Completed")
    DISCONTINUED = "DISCONTINUED", _("Discontinued")


def _reported(verbose_name: Any, **options: Any) -> Any:
    """Return a column for the first 256 characters of a text as sent; `dataset` holds all of it."""
    return models.CharField(verbose_name, max_length=LONGEST_TEXT, blank=True, default="", **options)


class PerformedStepQuerySet(models.QuerySet["PerformedStep"]):
    def stale(self, before: datetime) -> PerformedStepQuerySet:
        """Return the steps that began before that moment and are still in progress."""
        return self.filter(status="IN_PROGRESS", created_at__lt=before)

    def search(self, text: str) -> PerformedStepQuerySet:
        """Return the steps that report each word of the text in a name or an ID, as items are searched for.

        A word may also be a whole UID, or the whole accession number of an item that the step performs.
        """
        number, steps = text.strip(), PerformedStep.objects.order_by()
        return self.filter(
            has_all(
                StepSearchWord,
                text,
                steps.filter(sop_instance_uid=number).values("pk"),
                steps.filter(study_instance_uid=number).values("pk"),
                PerformedStepItem.objects.filter(item__accession_number=number).values("step_id"),
            )
        )


class PerformedStep(Searched, Recorded):
    """A row is one Modality Performed Procedure Step SOP Instance (PS3.4 F.7.2).

    `dataset` is all that the scanner reported, in the DICOM JSON Model (PS3.18 F); the other columns repeat
    what pages, searches and the API need of it, and hold no value that it does not.
    """

    sop_instance_uid = models.CharField(
        _("SOP Instance UID"), max_length=64, unique=True, validators=[validators.uid]
    )
    status = models.CharField(_("status"), max_length=16, choices=PerformedStatus.choices)
    dataset = PackedDataSetField(_("data set"))

    patient_name = _reported(_("patient name"))
    patient_id = _reported(_("patient ID"), db_index=True)
    patient_birth_date = models.DateField(_("patient birth date"), null=True, blank=True)
    patient_sex = _reported(_("patient sex"))

    study_instance_uid = _reported(_("Study Instance UID"), db_index=True)
    performed_procedure_step_id = _reported(_("performed procedure step ID"))
    description = _reported(_("description"))
    modality = _reported(_("modality"))
    performed_station_ae_title = _reported(_("performed station AE title"))
    performed_station_name = _reported(_("performed station name"))
    performed_location = _reported(_("performed location"))
    start_date = models.DateField(_("start date"), null=True, blank=True)
    start_time = models.TimeField(_("start time"), null=True, blank=True)
    end_date = models.DateField(_("end date"), null=True, blank=True)
    end_time = models.TimeField(_("end time"), null=True, blank=True)
    discontinuation_reason_code = _reported(_("discontinuation reason code"))
    discontinuation_reason = _reported(_("discontinuation reason"))

    deviations = models.JSONField(
        _("deviations"),
        default=list,
        blank=True,
        help_text=_("Where the scanner's messages depart from the standard."),
    )
    remarks = models.JSONField(
        _("remarks"),
        default=list,
        blank=True,
        help_text=_("Departures that many scanners make every day, and that cost nothing."),
    )
    calling_ae_title = models.CharField(_("calling AE title"), max_length=16)
    calling_address = models.CharField(_("calling address"), max_length=64, blank=True, default="")
    items = models.ManyToManyField(
        WorklistItem, through="PerformedStepItem", related_name="performed_steps", blank=True
    )
    created_at = models.DateTimeField(_("first message"), auto_now_add=True)
    updated_at = models.DateTimeField(_("last message"), auto_now=True)
    finished_at = models.DateTimeField(_("final message"), null=True, blank=True)
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)  # as of an item

    searched_names = ("patient_name",)
    searched_ids = ("patient_id", "performed_procedure_step_id")
    objects = PerformedStepQuerySet.as_manager()
    history = actor_history(excluded_fields=("created_at", "updated_at", "erased_at"))

    class Meta:
        verbose_name = _("performed step")
        verbose_name_plural = _("performed steps")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["status", "created_at"], name="performed_step_stale"),
            models.Index(fields=["created_at"], name="performed_step_newest"),
            models.Index(fields=["start_date"], name="performed_step_days"),
        ]
        constraints = [
            at_most("sop_instance_uid", 64),
            given("sop_instance_uid"),
            models.CheckConstraint(
                condition=models.Q(status__in=PerformedStatus.values), name="performed_status_known"
            ),
        ]

    def __str__(self) -> str:
        who = " · ".join(filter(None, (self.readable_patient_name, self.patient_id))) or gettext(
            "no patient named"
        )
        return f"{who} · {self.start_date or self.created_at.date()}"

    @property
    def readable_patient_name(self) -> str:
        return name_parts.readable(self.patient_name)

    @property
    def is_final(self) -> bool:
        return self.status != PerformedStatus.IN_PROGRESS


class PerformedSeries(models.Model):
    """A row is one item of the Performed Series Sequence (0040,0340) of the last message that held it."""

    step = models.ForeignKey(PerformedStep, models.CASCADE, related_name="series")
    number = models.PositiveIntegerField(_("number"), help_text=_("Its place in the sequence, from 1."))
    series_instance_uid = _reported(_("Series Instance UID"), db_index=True)
    description = _reported(_("description"))
    protocol_name = _reported(_("protocol name"))
    operators_name = _reported(_("operator's name"))
    performing_physician_name = _reported(_("performing physician name"))
    image_count = models.PositiveIntegerField(_("images"), default=0)
    other_count = models.PositiveIntegerField(_("other instances"), default=0)

    class Meta:
        ordering = ["step", "number"]
        verbose_name = _("performed series")
        verbose_name_plural = _("performed series")
        constraints = [models.UniqueConstraint(fields=["step", "number"], name="series_number_unique")]

    def __str__(self) -> str:
        return str(self.description or self.protocol_name or self.series_instance_uid)

    @property
    def readable_operators_name(self) -> str:
        return "; ".join(map(name_parts.readable, self.operators_name.split("\\")))


class Evidence(models.TextChoices):
    """A performed step is linked to an item by one of these, the strongest first."""

    STEP = "STEP", _("Study Instance UID and step ID")
    REFERENCED_STUDY = "REFERENCED_STUDY", _("Referenced Study and step ID")
    PROCEDURE = "PROCEDURE", _("Study Instance UID and requested procedure ID")
    ACCESSION = "ACCESSION", _("Accession number and step ID")
    STEP_PROCEDURE = "STEP_PROCEDURE", _("Step ID and requested procedure ID, each of no other item")
    STUDY = "STUDY", _("Study Instance UID alone")
    PERSON = "PERSON", _("By a person")


class PerformedStepItem(Recorded):
    """This link says that a performed step performs an item.

    A step has several items in the group case, and an item several steps when it is repeated.
    """

    step = models.ForeignKey(PerformedStep, models.CASCADE, related_name="links")
    item = models.ForeignKey(WorklistItem, models.PROTECT, related_name="links")
    evidence = models.CharField(_("evidence"), max_length=16, choices=Evidence.choices)
    status_before = models.CharField(
        _("status before"),
        max_length=16,
        choices=Status.choices,
        help_text=_("The item's status when the step was linked to it."),
    )
    evidence_before = models.CharField(
        _("evidence before"),
        max_length=8,
        choices=PerformedBy.choices,
        blank=True,
        default="",
        help_text=_("By what evidence the item counted as performed when the step was linked to it."),
    )
    linked_by = models.CharField(
        _("linked by"),
        max_length=200,
        blank=True,
        default="",
        help_text=_("The person's user name, or the device that reported."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    history = actor_history()

    class Meta:
        verbose_name = _("link to an item")
        verbose_name_plural = _("links to items")
        constraints = [models.UniqueConstraint(fields=["step", "item"], name="step_item_unique")]

    def __str__(self) -> str:
        return f"{self.item}: {self.how}"

    @property
    def how(self) -> str:
        """Return by what it was found, or by whom it was made."""
        if self.evidence == Evidence.PERSON and self.linked_by:
            return self.linked_by
        return str(self.get_evidence_display())
