"""A source says where participants come from, and its mapping what is made of them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sources.kinds import KINDS, kinds
from sources.mapping import targets
from sources.mapping.rules import (
    IdsAre,
    Level,
    MappingPlan,
    NamingRules,
    Policy,
    Rule,
    SessionLayout,
    WithoutTime,
)
from sources.models.state import SourceState
from sources.validators import regular_expression
from worklist.models.history import Recorded, actor_history
from worklist.validators import ae_titles

if TYPE_CHECKING:
    from sources.models.details import SourceDetails

TIMESTAMPS = ("created_at", "updated_at")


LEVELS = {Level.RECORD: _("Record"), Level.SESSION: _("Session")}
POLICIES = {Policy.AS_MAPPED: _("As mapped"), Policy.PSEUDONYMOUS: _("Pseudonymous")}
IDS_ARE = {
    IdsAre.PARTICIPANT: _("The participant's: sessions share it, unless its template numbers them"),
    IdsAre.SESSION: _("The session's: another session under the same ID stays out"),
}
WITHOUT_TIMES = {WithoutTime.ISSUE: _("Issue"), WithoutTime.MIDNIGHT: _("Midnight")}


def choices(labels: Mapping[Any, Any]) -> list[tuple[str, Any]]:
    return [(kind.value, label) for kind, label in labels.items()]


def _most(label: Any, default: int, help_text: Any) -> Any:
    return models.PositiveIntegerField(
        label, default=default, validators=[MaxValueValidator(100_000)], help_text=help_text
    )


def _percent(label: Any, default: int, help_text: Any) -> Any:
    return models.PositiveIntegerField(
        label, default=default, validators=[MaxValueValidator(1000)], help_text=help_text
    )


def _pattern(label: Any, help_text: Any) -> Any:
    return models.CharField(
        label, max_length=1000, blank=True, default="", validators=[regular_expression], help_text=help_text
    )


def _longest(label: Any, help_text: Any) -> Any:
    return models.PositiveSmallIntegerField(
        label,
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(64)],
        help_text=help_text,
    )


class DataSource(Recorded):
    """A source says what every kind of source has: how it is pulled, and what is made of it.

    Where it is and how it is opened is in its `details`, a row of its kind's own.
    How it fares is in `SourceState`: what is here, people decide.
    """

    name = models.CharField(
        _("name"),
        max_length=80,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", _("Letters, digits and - . _ only."))],
        help_text=_("As items, their history and the logs name it."),
    )
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=20, choices=kinds, default="redcap")
    enabled = models.BooleanField(
        _("enabled"),
        default=False,
        help_text=_(
            "Without it nothing is asked; its items stay. A new source's preview offers to enable it."
        ),
    )
    sync_interval = models.PositiveIntegerField(
        _("pull every (seconds)"),
        default=60,
        validators=[MinValueValidator(30), MaxValueValidator(86_400)],
        help_text=_("30 or more; pulls begin at the worker's next half minute."),
    )
    window_start = models.TimeField(
        _("only from"),
        null=True,
        blank=True,
        help_text=_("Of the day, here. Over midnight is fine: 17:00 to 06:00."),
    )
    window_end = models.TimeField(_("until"), null=True, blank=True)
    horizon_back_days = models.PositiveIntegerField(
        _("days back"),
        default=7,
        validators=[MaxValueValidator(3650)],
        help_text=_("Older appointments are not taken, and those never performed are cancelled."),
    )
    horizon_ahead_days = models.PositiveIntegerField(
        _("days ahead"),
        default=365,
        validators=[MaxValueValidator(3650)],
        help_text=_("Later appointments are taken when their day comes nearer."),
    )
    most_records_gone = _most(
        _("records gone at once"),
        2,
        _("Records that can no longer be seen; more wait for a person."),
    )
    most_records_gone_percent = _percent(
        _("or more than one and (%)"), 20, _("Of the records with coming appointments.")
    )
    most_withdrawn = _most(
        _("cancelled at once"), 5, _("Coming appointments; more, and more than the share, wait for a person.")
    )
    most_withdrawn_percent = _percent(_("and more than (%)"), 20, _("Of the coming appointments."))
    most_renamed = _most(
        _("renamed at once"),
        2,
        _(
            "Records whose items would get another patient ID, name, birth date or sex; "
            "more wait for a person."
        ),
    )
    most_renamed_percent = _percent(_("or more than one and (%)"), 20, _("Of the records with items."))
    most_added = _most(
        _("added at once"),
        10,
        _("Records that are new here; more, and more than the share, wait for a person."),
    )
    most_added_percent = _percent(
        _("and more than (%)"), 100, _("Of the records that the source has given before.")
    )

    site_id = models.CharField(
        _("site ID"), max_length=64, blank=True, default="", help_text=_("{site_id} in templates.")
    )
    protocol_name = models.CharField(
        _("protocol"),
        max_length=64,
        blank=True,
        default="",
        help_text=_("Where the mapping has no protocol."),
    )
    hisris_coding_designator = models.CharField(
        _("coding scheme designator"),
        max_length=16,
        blank=True,
        default="",
        help_text=_("Of the protocol, such as GEHC."),
    )
    scheduled_station_aetitle = models.CharField(
        _("scanner (station AE title)"),
        max_length=271,
        blank=True,
        default="",
        validators=[ae_titles],
        help_text=_(
            r"Of all items, where the mapping has no row for it; several as MR1\MR2. Items without one "
            "are not found by a scanner that asks for its own."
        ),
    )

    identity_policy = models.CharField(
        _("identity"),
        max_length=20,
        choices=choices(POLICIES),
        default=Policy.AS_MAPPED.value,
        help_text=_(
            "A pseudonymous source refuses true names, full birth dates and what else tells who somebody is."
        ),
    )

    session_conditions = models.TextField(
        _("conditions"), blank=True, default="", help_text=_("One a line, all must hold: mri_complete = 2")
    )
    without_time = models.CharField(
        _("a date without a time"),
        max_length=20,
        choices=choices(WITHOUT_TIMES),
        default=WithoutTime.ISSUE.value,
    )

    writes_back = models.BooleanField(
        _("write outcomes back"),
        default=False,
        help_text=_("What scanners report goes into the fields named below, with the token for writing."),
    )
    patient_id_pattern = _pattern(
        _("pattern of patient IDs"),
        _("A regular expression that the whole ID fits, such as CPIP-[0-9]{4}. Empty takes any."),
    )
    longest_patient_id = _longest(_("longest patient ID"), _("Characters, up to 64."))
    patient_name_pattern = _pattern(
        _("pattern of patient names"),
        _("A regular expression that the whole name fits, as DICOM writes it: [A-Z]+\\^[A-Z]+"),
    )
    longest_patient_name = _longest(_("longest patient name"), _("Characters, ^ included, up to 64."))
    allowed_visits = models.TextField(
        _("allowed visits"),
        blank=True,
        default="",
        help_text=_(
            "One a line: what the row {session} gives, or without such a row an event. Empty allows all."
        ),
    )
    ids_are = models.CharField(
        _("a patient ID is"),
        max_length=20,
        choices=choices(IDS_ARE),
        default=IdsAre.PARTICIPANT.value,
        help_text=_("Two visits under one ID are one in an archive that files by it."),
    )

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = actor_history(excluded_fields=TIMESTAMPS)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["name"]
        permissions = [("pull_datasource", "Can pull from a source")]
        constraints = [
            models.CheckConstraint(condition=models.Q(sync_interval__gte=30), name="sync_interval_least"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the source, and make its state with it."""
        super().save(*args, **kwargs)
        SourceState.objects.get_or_create(source=self)

    @property
    def actor(self) -> str:
        return f"source:{self.name}"

    def horizon(self, today: date) -> tuple[date, date]:
        """Return the first and the last day of which appointments are taken."""
        back, ahead = timedelta(days=self.horizon_back_days), timedelta(days=self.horizon_ahead_days)
        return today - back, today + ahead

    @property
    def details(self) -> SourceDetails:
        """Return what is its kind's own. Raises ObjectDoesNotExist where there is no such row."""
        details: SourceDetails = getattr(self, KINDS[self.kind].details)
        return details

    @details.setter
    def details(self, details: SourceDetails) -> None:
        setattr(self, KINDS[self.kind].details, details)

    def save_with_details(self, actor: str, *, reason: str = "") -> None:
        """Save the source and its details, at one moment in the history of both."""
        details, now = self.details, timezone.now()
        with transaction.atomic():
            self.save_as(actor, reason=reason, at=now)
            details.source = self
            details.save_as(actor, reason=reason, at=now)

    @property
    def sessions(self) -> SessionLayout:
        """Return how sessions are found, as `sources.mapping` takes it."""
        return self.details.session_layout(
            conditions=self.session_conditions, without_time=WithoutTime(self.without_time)
        )

    def take_sessions(self, sessions: SessionLayout) -> None:
        """Let `sessions` return these. The caller saves the source with its details."""
        self.session_conditions = sessions.conditions
        self.without_time = sessions.without_time.value
        self.details.take_sessions(sessions)

    @property
    def plan(self) -> MappingPlan:
        """Return the mapping as `sources.mapping` takes it."""
        return MappingPlan(
            rules=tuple(rule.as_rule() for rule in self.rules.all()),
            sessions=self.sessions,
            constants={"site_id": self.site_id},
            is_pseudonymous=self.identity_policy == Policy.PSEUDONYMOUS,
            fallbacks={
                "protocol_name": self.protocol_name,
                "hisris_coding_designator": self.hisris_coding_designator,
                **self._scanner,
            },
            naming=self.naming,
        )

    @property
    def naming(self) -> NamingRules:
        """Return the rules of patient IDs, names and visits, as `sources.mapping` takes them."""
        return NamingRules(
            patient_id_pattern=self.patient_id_pattern,
            longest_patient_id=self.longest_patient_id,
            patient_name_pattern=self.patient_name_pattern,
            longest_patient_name=self.longest_patient_name,
            visits=tuple(filter(None, map(str.strip, self.allowed_visits.splitlines()))),
            ids_are=IdsAre(self.ids_are),
        )

    @property
    def _scanner(self) -> dict[str, str]:
        """Return the scanner, or nothing: a source that names none says nothing of its items' station."""
        scanner = self.scheduled_station_aetitle
        return {targets.STATION: scanner} if scanner else {}


def details_models() -> list[type[SourceDetails]]:
    """Return the model of each kind's own rows."""
    fields = (DataSource._meta.get_field(kind.details) for kind in KINDS.values())
    return [field.related_model for field in fields]  # type: ignore[misc]


class MappingRule(Recorded):
    """A source's mapping has rows, each of which is a `sources.mapping.rules.Rule`."""

    source = models.ForeignKey(DataSource, models.CASCADE, related_name="rules")
    position = models.PositiveIntegerField(default=0)
    target = models.CharField(
        _("target"),
        max_length=100,
        help_text=_("An item's field, a DICOM keyword, or a name for templates: {session}."),
    )
    field = models.CharField(_("field"), max_length=100, blank=True, default="")
    level = models.CharField(_("level"), max_length=10, choices=choices(LEVELS), default=Level.SESSION.value)
    events = models.TextField(
        _("events"), blank=True, default="", help_text=_("Where to look, in order; one a line.")
    )
    transforms = models.TextField(
        _("transforms"), blank=True, default="", help_text=_("One a line, in order.")
    )
    default = models.CharField(_("default"), max_length=200, blank=True, default="")
    required = models.BooleanField(_("required"), default=False)

    history = actor_history()

    class Meta:
        verbose_name = _("row of a mapping")
        verbose_name_plural = _("mapping")
        ordering = ["source", "position", "pk"]

    def __str__(self) -> str:
        return f"{self.target} ← {self.field or self.transforms or self.default}"

    def as_rule(self) -> Rule:
        return Rule(
            target=self.target,
            field=self.field,
            level=Level(self.level),
            events=tuple(self.events.split()),
            transforms=self.transforms,
            default=self.default,
            required=self.required,
        )

    @staticmethod
    def columns_of_rule(rule: Rule) -> dict[str, Any]:
        """Return the columns that `as_rule` reads back."""
        return {
            "target": rule.target,
            "field": rule.field,
            "level": rule.level.value,
            "events": "\n".join(rule.events),
            "transforms": rule.transforms,
            "default": rule.default,
            "required": rule.required,
        }
