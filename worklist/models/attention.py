"""Points of attention are what a coordinator must look at."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from worklist.models.items import WorklistItem
from worklist.models.performed import Evidence, PerformedStep, PerformedStepItem


class AttentionKind(models.TextChoices):
    """A point is of one of these kinds, by severity, the worst first, as pages and the API list them.

    A wrong person is worse than images of nobody, then comes a weight by which the scanner limits its power,
    and all of these are worse than a wrong or incomplete report.
    """

    IDENTITY = "IDENTITY", _("Identity differs")
    IMAGES_IDENTITY = "IMAGES_IDENTITY", _("Images of another identity")
    SHARED_ID = "SHARED_ID", _("Two people under one ID")
    UNSCHEDULED = "UNSCHEDULED", _("Unscheduled examination")
    STRAY_STUDY = "STRAY_STUDY", _("Archived study that nobody scheduled")
    WRONG_ENTRY = "WRONG_ENTRY", _("Wrong worklist entry selected")
    CANCELLED = "CANCELLED", _("Performed although cancelled")
    WEIGHT = "WEIGHT", _("Weight differs")
    IMAGES_WEIGHT = "IMAGES_WEIGHT", _("Weight in the images differs")
    STALE = "STALE", _("In progress for too long")
    SIMILAR_ID = "SIMILAR_ID", _("IDs too much alike")
    TWO_STUDIES = "TWO_STUDIES", _("Two studies of one session")
    FEWER_SERIES = "FEWER_SERIES", _("Series not in the archive")
    PROTOCOL = "PROTOCOL", _("Protocol differs")
    DEVIATION = "DEVIATION", _("Incomplete report")
    NOT_PERFORMED = "NOT_PERFORMED", _("Nothing performed")
    NOT_ARCHIVED = "NOT_ARCHIVED", _("Not in the archive")


NAMES_A_STUDY = ~Q(study_instance_uid="")


class AttentionQuerySet(models.QuerySet["Attention"]):
    def open(self) -> AttentionQuerySet:
        return self.filter(resolved_at=None)

    def search(self, text: str) -> AttentionQuerySet:
        """Return the points whose item or performed step is found by the text."""
        points = Attention.objects.order_by()
        of_items = points.filter(item__in=WorklistItem.objects.search(text))
        of_steps = points.filter(step__in=PerformedStep.objects.search(text))
        of_study = points.filter(NAMES_A_STUDY, study_instance_uid=text.strip())
        return self.filter(pk__in=of_items.values("pk").union(of_steps.values("pk"), of_study.values("pk")))

    def worst_first(self) -> AttentionQuerySet:
        """Order by kind, as `AttentionKind` lists them, and the newest of each kind first."""
        whens = [When(kind=kind, then=Value(place)) for place, kind in enumerate(AttentionKind.values)]
        severity = Case(*whens, default=Value(len(whens)), output_field=models.IntegerField())
        return self.annotate(severity=severity).order_by("severity", "-opened_at", "-pk")

    def with_linker(self) -> AttentionQuerySet:
        """Annotate the person who linked the point's step to its item, or None where none did."""
        links = PerformedStepItem.objects.filter(step=OuterRef("step"), item=OuterRef("item"))
        by_a_person = links.filter(evidence=Evidence.PERSON).values("linked_by")
        return self.annotate(linker=Subquery(by_a_person[:1]))


class Attention(models.Model):
    """A point of attention concerns a performed step, an item or both; it is kept after it is resolved.

    One of an archived study that nobody scheduled concerns neither, and names the study.
    """

    kind = models.CharField(_("kind"), max_length=16, choices=AttentionKind.choices)
    step = models.ForeignKey(PerformedStep, models.CASCADE, null=True, blank=True, related_name="attention")
    item = models.ForeignKey(WorklistItem, models.CASCADE, null=True, blank=True, related_name="attention")
    study_instance_uid = models.CharField(_("Study Instance UID"), max_length=64, blank=True, default="")
    # What images say, where an item may take it over.
    weight_kg = models.DecimalField(_("weight (kg)"), max_digits=5, decimal_places=2, null=True, blank=True)
    text = models.TextField(_("text"), help_text=_("What is the matter, one line for each point."))
    opened_at = models.DateTimeField(_("opened at"), auto_now_add=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    resolved_by = models.CharField(_("resolved by"), max_length=200, blank=True, default="")
    note = models.TextField(_("note"), blank=True, default="")

    objects = AttentionQuerySet.as_manager()

    class Meta:
        verbose_name = _("point of attention")
        verbose_name_plural = _("points of attention")
        ordering = ["-opened_at", "-pk"]
        indexes = [
            models.Index(fields=["resolved_at", "-opened_at"], name="attention_open"),
            models.Index(fields=["resolved_at", "kind", "-opened_at"], name="attention_open_by_kind"),
            models.Index(fields=["study_instance_uid"], name="attention_of_study", condition=NAMES_A_STUDY),
        ]
        constraints = [
            models.UniqueConstraint(
                "kind",
                Coalesce("step_id", 0),
                Coalesce("item_id", 0),
                "study_instance_uid",
                condition=Q(resolved_at=None),
                name="attention_open_once",
            ),
            models.CheckConstraint(
                condition=Q(step__isnull=False) | Q(item__isnull=False) | NAMES_A_STUDY,
                name="attention_of_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.item or self.step or self.study_instance_uid}"

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None
