"""Performed procedure steps are what a scanner reported back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models

from worklist import validators
from worklist.dicom import name_parts
from worklist.models.constraints import at_most, given
from worklist.models.history import Recorded, actor_history
from worklist.models.items import Status, WorklistItem
from worklist.models.search_words import Searched, StepSearchWord, has_all

LONGEST_TEXT = 256  # characters


class PerformedStatus(models.TextChoices):
    """These are the values of (0040,0252); on the wire IN_PROGRESS is `IN PROGRESS`.

    The other two are final (PS3.4 F.7.2).
    """

    IN_PROGRESS = "IN_PROGRESS", "In progress"
    COMPLETED = "COMPLETED", "Completed"
    DISCONTINUED = "DISCONTINUED", "Discontinued"


def _reported(verbose_name: str = "", **options: Any) -> Any:
    """Return a column for the first 256 characters of a text as sent; `dataset` holds all of it."""
    return models.CharField(verbose_name or None, max_length=LONGEST_TEXT, blank=True, default="", **options)


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
        "SOP Instance UID", max_length=64, unique=True, validators=[validators.uid]
    )
    status = models.CharField(max_length=16, choices=PerformedStatus.choices)
    dataset = models.JSONField()

    patient_name = _reported()
    patient_id = _reported("patient ID", db_index=True)
    patient_birth_date = models.DateField(null=True, blank=True)
    patient_sex = _reported()

    study_instance_uid = _reported("Study Instance UID", db_index=True)
    performed_procedure_step_id = _reported("performed procedure step ID")
    description = _reported()
    modality = _reported()
    performed_station_ae_title = _reported("performed station AE title")
    performed_station_name = _reported()
    performed_location = _reported()
    start_date = models.DateField(null=True, blank=True)
    start_time = models.TimeField(null=True, blank=True)
    end_date = models.DateField(null=True, blank=True)
    end_time = models.TimeField(null=True, blank=True)
    discontinuation_reason_code = _reported()
    discontinuation_reason = _reported()

    deviations = models.JSONField(
        default=list, blank=True, help_text="Where the scanner's messages depart from the standard."
    )
    remarks = models.JSONField(
        default=list,
        blank=True,
        help_text="Departures that many scanners make every day, and that cost nothing.",
    )
    calling_ae_title = models.CharField("calling AE title", max_length=16)
    calling_address = models.CharField(max_length=64, blank=True, default="")
    items = models.ManyToManyField(
        WorklistItem, through="PerformedStepItem", related_name="performed_steps", blank=True
    )
    created_at = models.DateTimeField("first message", auto_now_add=True)
    updated_at = models.DateTimeField("last message", auto_now=True)
    finished_at = models.DateTimeField("final message", null=True, blank=True)

    searched_names = ("patient_name",)
    searched_ids = ("patient_id", "performed_procedure_step_id")
    objects = PerformedStepQuerySet.as_manager()
    history = actor_history(excluded_fields=("created_at", "updated_at"))

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["status", "created_at"], name="performed_step_stale")]
        constraints = [
            at_most("sop_instance_uid", 64),
            given("sop_instance_uid"),
            models.CheckConstraint(
                condition=models.Q(status__in=PerformedStatus.values), name="performed_status_known"
            ),
        ]

    def __str__(self) -> str:
        who = " · ".join(filter(None, (self.readable_patient_name, self.patient_id))) or "no patient named"
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
    number = models.PositiveIntegerField(help_text="Its place in the sequence, from 1.")
    series_instance_uid = _reported("Series Instance UID", db_index=True)
    description = _reported()
    protocol_name = _reported()
    operators_name = _reported("operator's name")
    performing_physician_name = _reported()
    image_count = models.PositiveIntegerField("images", default=0)
    other_count = models.PositiveIntegerField("other instances", default=0)

    class Meta:
        ordering = ["step", "number"]
        verbose_name_plural = "performed series"
        constraints = [models.UniqueConstraint(fields=["step", "number"], name="series_number_unique")]

    def __str__(self) -> str:
        return str(self.description or self.protocol_name or self.series_instance_uid)

    @property
    def readable_operators_name(self) -> str:
        return "; ".join(map(name_parts.readable, self.operators_name.split("\\")))


class Evidence(models.TextChoices):
    """A performed step is linked to an item by one of these, the strongest first."""

    STEP = "STEP", "Study Instance UID and step ID"
    REFERENCED_STUDY = "REFERENCED_STUDY", "Referenced Study and step ID"
    PROCEDURE = "PROCEDURE", "Study Instance UID and requested procedure ID"
    ACCESSION = "ACCESSION", "Accession number and step ID"
    STEP_PROCEDURE = "STEP_PROCEDURE", "Step ID and requested procedure ID, each of no other item"
    STUDY = "STUDY", "Study Instance UID alone"
    PERSON = "PERSON", "By a person"


class PerformedStepItem(Recorded):
    """This link says that a performed step performs an item.

    A step has several items in the group case, and an item several steps when it is repeated.
    """

    step = models.ForeignKey(PerformedStep, models.CASCADE, related_name="links")
    item = models.ForeignKey(WorklistItem, models.PROTECT, related_name="links")
    evidence = models.CharField(max_length=16, choices=Evidence.choices)
    status_before = models.CharField(
        max_length=16, choices=Status.choices, help_text="The item's status when the step was linked to it."
    )
    linked_by = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="The person's user name, or the device that reported.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    history = actor_history()

    class Meta:
        verbose_name = "link to an item"
        verbose_name_plural = "links to items"
        constraints = [models.UniqueConstraint(fields=["step", "item"], name="step_item_unique")]

    def __str__(self) -> str:
        return f"{self.item}: {self.how}"

    @property
    def how(self) -> str:
        """Return by what it was found, or by whom it was made."""
        if self.evidence == Evidence.PERSON and self.linked_by:
            return self.linked_by
        return str(self.get_evidence_display())
