"""Worklist items are what a scanner is offered."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, time
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from worklist import validators
from worklist.dicom import name_parts, patient_id, person_name
from worklist.dicom.conditions import Text
from worklist.dicom.matching import DATE_FIELD, STATUS_FIELD, TIME_FIELD
from worklist.dicom.values import pounds
from worklist.models import listed_values
from worklist.models.constraints import at_most, given
from worklist.models.history import Recorded, actor_history
from worklist.models.restrictions import WantedItems, is_narrow, restriction
from worklist.models.search_words import ItemSearchWord, Searched, has_all

PERSON_NAMES = (
    "patient_name",
    "referring_physician_name",
    "requesting_physician",
    "performing_physician",
)
COMPARABLE_GROUPS = tuple(f"{field}_{group}" for field in PERSON_NAMES for group in person_name.GROUPS)
DERIVED = ("patient_id_alphanumeric", *COMPARABLE_GROUPS)  # `WorklistItem.save` fills them

STEP_EXISTS = _("There is a step with this Study Instance UID and Scheduled Procedure Step ID already.")


class Status(models.TextChoices):
    """An item goes through these statuses; on the wire IN_PROGRESS is STARTED (`worklist.dicom.values`)."""

    SCHEDULED = "SCHEDULED", _("Scheduled")
    IN_PROGRESS = "IN_PROGRESS", _("In progress")
    COMPLETED = "COMPLETED", _("Completed")
    DISCONTINUED = "DISCONTINUED", _("Discontinued")
    CANCELLED = "CANCELLED", _("Cancelled")


class Sex(models.TextChoices):
    """These values of (0010,0040) are enumerated in PS3.3 C.7.1.1; an empty one is unknown."""

    FEMALE = "F", _("Female")
    MALE = "M", _("Male")
    OTHER = "O", _("Other")


class PerformedBy(models.TextChoices):
    """This is the evidence by which a completed item counts as performed; empty: not known.

    A report of the scanner wins over the others (`worklist.items.lifecycle`).
    """

    MPPS = "MPPS", _("Reported by the scanner (MPPS)")
    ARCHIVE = "ARCHIVE", _("Found in the archive")
    PERSON = "PERSON", _("Marked by a person")


# What says so without a report of the scanner.
MARKS = (PerformedBy.ARCHIVE, PerformedBy.PERSON)


def _comparable_group(*, db_index: bool = False) -> Any:
    """Return the column for a component group as queries compare it; `WorklistItem.save` fills it."""
    return models.CharField(max_length=64, blank=True, default="", editable=False, db_index=db_index)


# A discontinued examination can be picked again; a completed or cancelled one must be asked for.
OFFERED = ("SCHEDULED", "IN_PROGRESS", "DISCONTINUED")


class WorklistQuerySet(models.QuerySet["WorklistItem"]):
    def matching(self, keys: WantedItems, *, offered: Collection[str] = OFFERED) -> WorklistQuerySet:
        """Return the items that answer a query, by schedule; none of an erased participant does.

        They have one of the statuses that the query names, or of `offered` where it names none.
        """
        statuses = offered if keys.statuses is None else keys.statuses
        narrow = any(is_narrow(condition) for condition in keys.conditions)
        status = f"{STATUS_FIELD}__unindexed__in" if narrow else f"{STATUS_FIELD}__in"
        wanted = (restriction(condition) for condition in keys.conditions)
        found = self.filter(*wanted, **{status: statuses, "erased_at": None})
        return found.order_by(DATE_FIELD, TIME_FIELD, "pk")

    def for_station(self, ae_title: str) -> WorklistQuerySet:
        return self.filter(restriction(Text("scheduled_station_aetitle", (ae_title,), several=True)))

    def search(self, text: str) -> WorklistQuerySet:
        """Return the items that have each word of the text in a name or an ID; a whole Study UID is one, too.

        Case, accents, spaces and punctuation make no difference (`worklist.dicom.folding`).
        """
        uid = WorklistItem.objects.filter(study_instance_uid=text.strip()).order_by().values("pk")
        return self.filter(has_all(ItemSearchWord, text, uid))

    def of_participants(self) -> WorklistQuerySet:
        """Leave out the QA scans: a phantom is nobody, and counts nowhere."""
        return self.filter(is_qa=False)

    def overdue(self, today: date) -> WorklistQuerySet:
        """Return the items of participants that are still scheduled though their day has passed."""
        return self.of_participants().filter(**{STATUS_FIELD: "SCHEDULED", f"{DATE_FIELD}__lt": today})

    def status_counts(self) -> dict[str, int]:
        """Return how many items have each status; one that no item has is absent."""
        return dict(self.order_by().values_list(STATUS_FIELD).annotate(models.Count("pk")))


class WorklistItem(Searched, Recorded):
    """An item is one Scheduled Procedure Step with its Requested Procedure and patient (PS3.4 K.6.1.2.1).

    Fields hold values as DICOM has them, cleaned by `worklist.items.intake`: several station AE titles are
    separated by a backslash, a name's component groups by `=`.
    """

    patient_name = models.CharField(_("patient name"), max_length=194, validators=[validators.person_name])
    patient_id = models.CharField(_("patient ID"), max_length=64, db_index=True, validators=[validators.text])
    patient_birth_date = models.DateField(_("patient birth date"), null=True, blank=True)
    patient_sex = models.CharField(
        _("patient sex"), max_length=1, blank=True, default="", choices=Sex.choices
    )
    patient_weight_kg = models.DecimalField(
        _("patient weight (kg)"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[validators.plausible_weight],
        help_text=_("Kilograms: the scanner computes its SAR limit from it. Leave empty when unknown."),
    )

    study_instance_uid = models.CharField(
        _("Study Instance UID"), max_length=64, blank=True, validators=[validators.uid]
    )
    accession_number = models.CharField(
        _("accession number"), max_length=16, blank=True, db_index=True, validators=[validators.text]
    )
    requested_procedure_id = models.CharField(
        _("requested procedure ID"), max_length=16, blank=True, db_index=True, validators=[validators.text]
    )
    scheduled_procedure_step_id = models.CharField(
        _("scheduled procedure step ID"),
        max_length=16,
        blank=True,
        db_index=True,
        validators=[validators.text],
    )
    study_description = models.CharField(
        _("study description"),
        max_length=64,
        blank=True,
        default="",
        validators=[validators.text],
        help_text=_("Requested Procedure Description."),
    )
    procedure_description = models.CharField(
        _("procedure description"),
        max_length=64,
        blank=True,
        default="",
        validators=[validators.text],
        help_text=_("Scheduled Procedure Step Description: what the console shows."),
    )
    protocol_name = models.CharField(
        _("protocol name"), max_length=64, blank=True, default="", validators=[validators.text]
    )
    hisris_coding_designator = models.CharField(
        _("coding scheme designator"),
        max_length=16,
        blank=True,
        default="",
        validators=[validators.text],
        help_text=_("Sent with the protocol as a code, such as GEHC; without it no code is sent."),
    )
    referring_physician_name = models.CharField(
        _("referring physician name"),
        max_length=194,
        blank=True,
        default="",
        validators=[validators.person_name],
    )
    requesting_physician = models.CharField(
        _("requesting physician"), max_length=194, blank=True, default="", validators=[validators.person_name]
    )

    modality = models.CharField(_("modality"), max_length=16, validators=[validators.code_string])
    scheduled_station_aetitle = models.CharField(
        _("scheduled station AE title"),
        max_length=271,
        blank=True,
        default="",
        validators=[validators.ae_titles],
        help_text=_(
            r"The scanner's own AE title; several are separated by a backslash: MR1\MR2. Without one "
            "the item is found only by queries that leave the station open."
        ),
    )
    station_name = models.CharField(
        _("station name"), max_length=16, blank=True, default="", validators=[validators.text]
    )
    scheduled_procedure_step_location = models.CharField(
        _("location"), max_length=16, blank=True, default="", validators=[validators.text]
    )
    scheduled_start_date = models.DateField(_("scheduled start date"))
    scheduled_start_time = models.TimeField(
        _("scheduled start time"),
        default=time(0, 0),
        help_text=_("Midnight when the time is not known: scanners refuse an empty one."),
    )
    performing_physician = models.CharField(
        _("performing physician"), max_length=194, blank=True, default="", validators=[validators.person_name]
    )
    performed_procedure_step_status = models.CharField(
        _("status"), max_length=16, choices=Status.choices, default=Status.SCHEDULED
    )
    # Scanners are not told of it: `worklist.items.lifecycle` keeps it beside the status.
    performed_by_evidence = models.CharField(
        _("performed, by the evidence of"),
        max_length=8,
        choices=PerformedBy.choices,
        blank=True,
        default="",
        editable=False,
    )
    # Scanners are not told of it: `worklist.items.arrivals` sets it.
    arrived_at = models.DateTimeField(_("arrived"), null=True, blank=True, editable=False)
    # Whoever it was for is gone from it since: `worklist.privacy.erasing` sets it, and nothing takes it away.
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)

    is_qa = models.BooleanField(
        _("QA scan"),
        default=False,
        help_text=_("A phantom is scanned, and no participant. This is said once and never changes."),
    )
    data_source = models.CharField(
        _("data source"),
        max_length=100,
        blank=True,
        default="",
        db_index=True,
        editable=False,
        help_text=_("The source that keeps this item; empty for one made by a person."),
    )
    extra_attributes = models.JSONField(
        _("extra attributes"),
        default=dict,
        blank=True,
        help_text=_(
            'Any other attribute, by DICOM keyword: {"MedicalAlerts": "Pacemaker", "PregnancyStatus": 1}.'
        ),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    patient_id_alphanumeric = models.CharField(
        max_length=64, blank=True, default="", editable=False, db_index=True
    )
    patient_name_alphabetic = _comparable_group(db_index=True)
    patient_name_ideographic = _comparable_group(db_index=True)
    patient_name_phonetic = _comparable_group(db_index=True)
    referring_physician_name_alphabetic = _comparable_group()
    referring_physician_name_ideographic = _comparable_group()
    referring_physician_name_phonetic = _comparable_group()
    requesting_physician_alphabetic = _comparable_group()
    requesting_physician_ideographic = _comparable_group()
    requesting_physician_phonetic = _comparable_group()
    performing_physician_alphabetic = _comparable_group()
    performing_physician_ideographic = _comparable_group()
    performing_physician_phonetic = _comparable_group()

    searched_names = ("patient_name",)
    searched_ids = (
        "patient_id",
        "accession_number",
        "requested_procedure_id",
        "scheduled_procedure_step_id",
    )
    objects = WorklistQuerySet.as_manager()
    history = actor_history(excluded_fields=(*DERIVED, "created_at", "updated_at", "erased_at"))

    class Meta:
        verbose_name = _("worklist item")
        verbose_name_plural = _("worklist items")
        ordering = ["scheduled_start_date", "scheduled_start_time", "pk"]
        permissions = [("correct_worklistitem", "Can correct who was examined")]
        indexes = [
            models.Index(
                fields=["scheduled_start_date", "modality", "scheduled_station_aetitle"],
                name="worklist_broad_query",
            ),
            models.Index(
                fields=["performed_procedure_step_status", "scheduled_start_date"], name="worklist_offered"
            ),
            # It has all that plots count, so that they read no item.
            models.Index(
                fields=[
                    *("scheduled_start_date", "performed_procedure_step_status"),
                    *("data_source", "scheduled_station_aetitle", "is_qa"),
                ],
                name="worklist_plots",
            ),
            models.Index(
                fields=["scheduled_start_date"], condition=models.Q(is_qa=True), name="worklist_qa_scans"
            ),
            # Lists are narrowed by what stands in it; `worklist.models.listed_values` says why the cast.
            models.Index(listed_values.as_listed(), "scheduled_station_aetitle", name="worklist_listed"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["study_instance_uid", "scheduled_procedure_step_id"],
                name="step_unique",
                violation_error_message=STEP_EXISTS,
            ),
            *(
                given(field)
                for field in (
                    "patient_name",
                    "patient_id",
                    "study_instance_uid",
                    "accession_number",
                    "requested_procedure_id",
                    "scheduled_procedure_step_id",
                    "modality",
                )
            ),
            at_most("patient_name", 194),
            at_most("patient_id", 64),
            at_most("study_instance_uid", 64),
            at_most("accession_number", 16),
            at_most("requested_procedure_id", 16),
            at_most("scheduled_procedure_step_id", 16),
            at_most("study_description", 64),
            at_most("procedure_description", 64),
            at_most("protocol_name", 64),
            at_most("hisris_coding_designator", 16),
            at_most("referring_physician_name", 194),
            at_most("requesting_physician", 194),
            at_most("performing_physician", 194),
            at_most("modality", 16),
            at_most("scheduled_station_aetitle", 271),
            at_most("station_name", 16),
            at_most("scheduled_procedure_step_location", 16),
            models.CheckConstraint(
                condition=models.Q(patient_sex__in=["", *Sex.values]), name="patient_sex_known"
            ),
            models.CheckConstraint(
                condition=models.Q(patient_weight_kg__gt=0) | models.Q(patient_weight_kg=None),
                name="patient_weight_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(performed_procedure_step_status__in=Status.values), name="status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(is_qa=False) | models.Q(data_source=""), name="qa_of_no_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.readable_patient_name} · {self.patient_id} · {self.scheduled_start_date}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.derive()
        super().save(*args, **kwargs)

    def derive(self) -> None:
        """Bring what is derived from names and patient ID in step with them, without saving it."""
        self.patient_id_alphanumeric = patient_id.alphanumeric(self.patient_id)
        for field in PERSON_NAMES:
            groups = person_name.groups(getattr(self, field))
            for group, value in zip(person_name.GROUPS, groups, strict=True):
                setattr(self, f"{field}_{group}", value)

    @property
    def readable_patient_name(self) -> str:
        return name_parts.readable(self.patient_name)

    @property
    def patient_weight_lb(self) -> Decimal | None:
        return None if self.patient_weight_kg is None else pounds(self.patient_weight_kg)

    @property
    def has_arrived(self) -> bool:
        """Return whether the participant is here for this appointment: an arrival is one of its day."""
        moment = self.arrived_at
        return moment is not None and timezone.localdate(moment) == self.scheduled_start_date

    @property
    def stations(self) -> list[str]:
        return [station for station in self.scheduled_station_aetitle.split("\\") if station]
