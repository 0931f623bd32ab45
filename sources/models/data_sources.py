"""A source says where participants come from, and its mapping what is made of them."""

from __future__ import annotations

import hashlib
import hmac
import os
import uuid
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

from sources import secrets, validators
from sources.kinds import kinds
from sources.mapping import targets
from sources.mapping.rules import Level, MappingPlan, Rule, SessionKind, SessionLayout, WithoutTime
from sources.models.state import SourceState
from worklist.models.history import Recorded, actor_history
from worklist.validators import ae_titles

# What only this server needs to know of a secret.
SECRETS = ("token_cipher", "trigger_cipher")
TIMESTAMPS = ("created_at", "updated_at")


def choices(kinds: Any) -> list[tuple[str, str]]:
    return [(kind.value, kind.value.replace("_", " ").capitalize()) for kind in kinds]


class TokenMissing(Exception):
    """There is no token, or it is not where the source says."""


def _most(label: str, default: int, help_text: str) -> Any:
    return models.PositiveIntegerField(
        label, default=default, validators=[MaxValueValidator(100_000)], help_text=help_text
    )


def _percent(label: str, default: int, help_text: str) -> Any:
    return models.PositiveIntegerField(
        label, default=default, validators=[MaxValueValidator(1000)], help_text=help_text
    )


class DataSource(Recorded):
    """A source is one REDCap project (or what another backend reads), and says how it is pulled.

    How it fares is in `SourceState`: what is here, people decide.
    """

    name = models.CharField(
        max_length=80,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", "Letters, digits and - . _ only.")],
        help_text="As items, their history and the logs name it.",
    )
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=20, choices=kinds, default="redcap")
    enabled = models.BooleanField(
        default=False,
        help_text="Without it nothing is asked; its items stay. A new source's preview offers to enable it.",
    )
    url = models.CharField(
        "API URL",
        max_length=500,
        validators=[validators.api_url],
        help_text="https://redcap.example.org/api/",
    )
    token_cipher = models.TextField(blank=True, default="", editable=False)
    token_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    token_set_by = models.CharField(max_length=200, blank=True, default="", editable=False)
    token_variable = models.CharField(
        "token from the environment",
        max_length=100,
        blank=True,
        default="",
        validators=[RegexValidator(r"^[A-Za-z_][A-Za-z0-9_]*$", "The name of an environment variable.")],
        help_text="The name of the environment variable that holds the token, instead of storing it.",
    )
    token_file = models.CharField(
        "token from a file",
        max_length=500,
        blank=True,
        default="",
        help_text="The path of a file that holds the token, instead of storing it.",
    )
    project_id = models.PositiveIntegerField(
        "project ID",
        null=True,
        blank=True,
        help_text="The project that the token must open: guards against another project's token.",
    )
    server_timezone = models.CharField(
        "server's time zone",
        max_length=64,
        validators=[validators.time_zone],
        help_text="Of REDCap's own clock, such as America/Edmonton. Test connection tells its offset.",
    )
    ca_bundle = models.CharField(
        "CA bundle",
        max_length=500,
        blank=True,
        default="",
        validators=[validators.existing_file],
        help_text="The path of the certificates to trust, where the institution has its own.",
    )

    sync_interval = models.PositiveIntegerField(
        "pull every (seconds)",
        default=60,
        validators=[MinValueValidator(30), MaxValueValidator(86_400)],
        help_text="30 or more; pulls begin at the worker's next half minute.",
    )
    window_start = models.TimeField(
        "only from",
        null=True,
        blank=True,
        help_text="Of the day, here. Over midnight is fine: 17:00 to 06:00.",
    )
    window_end = models.TimeField("until", null=True, blank=True)
    horizon_back_days = models.PositiveIntegerField(
        "days back",
        default=7,
        validators=[MaxValueValidator(3650)],
        help_text="Older appointments are not taken, and those never performed are cancelled.",
    )
    horizon_ahead_days = models.PositiveIntegerField(
        "days ahead",
        default=365,
        validators=[MaxValueValidator(3650)],
        help_text="Later appointments are taken when their day comes nearer.",
    )
    overlap_minutes = models.PositiveIntegerField(
        "overlap (minutes)",
        default=60,
        validators=[MinValueValidator(10), MaxValueValidator(10_080)],
        help_text="How far each pull looks back before the last one, for clocks that differ.",
    )
    read_timeout = models.PositiveIntegerField(
        "time-out (seconds)", default=120, validators=[MinValueValidator(1), MaxValueValidator(240)]
    )
    requests_per_minute = models.PositiveIntegerField(
        default=300,
        validators=[MinValueValidator(6), MaxValueValidator(6000)],
        help_text="REDCap bans addresses that ask more than 600 times a minute, unless set otherwise.",
    )
    batch_size = models.PositiveIntegerField(
        "records at once", default=100, validators=[MinValueValidator(1), MaxValueValidator(5000)]
    )

    most_records_gone = _most(
        "records gone at once",
        2,
        "Records that can no longer be seen; more wait for a person.",
    )
    most_records_gone_percent = _percent(
        "or more than one and (%)", 20, "Of the records with coming appointments."
    )
    most_withdrawn = _most(
        "cancelled at once", 5, "Coming appointments; more, and more than the share, wait for a person."
    )
    most_withdrawn_percent = _percent("and more than (%)", 20, "Of the coming appointments.")
    most_renamed = _most(
        "renamed at once", 2, "Records whose items would get another patient ID; more wait for a person."
    )
    most_renamed_percent = _percent("or more than one and (%)", 20, "Of the records with items.")
    most_added = _most(
        "added at once", 10, "Records that are new here; more, and more than the share, wait for a person."
    )
    most_added_percent = _percent(
        "and more than (%)", 100, "Of the records that the source has given before."
    )

    site_id = models.CharField(
        "site ID", max_length=64, blank=True, default="", help_text="{site_id} in templates."
    )
    protocol_name = models.CharField(
        "protocol", max_length=64, blank=True, default="", help_text="Where the mapping has no protocol."
    )
    hisris_coding_designator = models.CharField(
        "coding scheme designator",
        max_length=16,
        blank=True,
        default="",
        help_text="Of the protocol, such as GEHC.",
    )
    scheduled_station_aetitle = models.CharField(
        "scanner (station AE title)",
        max_length=271,
        blank=True,
        default="",
        validators=[ae_titles],
        help_text=r"Of all items, where the mapping has no row for it; several as MR1\MR2. Items without one "
        "are not found by a scanner that asks for its own.",
    )

    session_kind = models.CharField(
        "a session is",
        max_length=30,
        choices=choices(SessionKind),
        default=SessionKind.REPEATING_INSTRUMENT.value,
    )
    session_instrument = models.CharField("instrument", max_length=100, blank=True, default="")
    session_events = models.TextField(
        "events",
        blank=True,
        default="",
        help_text="Unique event names, one a line; empty is all that can hold one.",
    )
    session_conditions = models.TextField(
        "conditions", blank=True, default="", help_text="One a line, all must hold: mri_complete = 2"
    )
    without_time = models.CharField(
        "a date without a time", max_length=20, choices=choices(WithoutTime), default=WithoutTime.ISSUE.value
    )

    trigger_enabled = models.BooleanField(
        "accept Data Entry Triggers", default=False, help_text="REDCap tells at once which record was saved."
    )
    trigger_cipher = models.TextField(blank=True, default="", editable=False)

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = actor_history(excluded_fields=(*SECRETS, *TIMESTAMPS))

    class Meta:
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

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.server_timezone)

    def set_token(self, token: str, *, by: str) -> None:
        """Keep the token, encrypted; "" forgets it. The caller saves."""
        self.token_cipher = secrets.encrypt(token) if token else ""
        self.token_set_at = timezone.now() if token else None
        self.token_set_by = by if token else ""

    def token(self) -> str:
        """Return it from the environment, the file or the database.

        Raises TokenMissing or secrets.CannotDecrypt.
        """
        if self.token_variable:
            return os.environ.get(self.token_variable, "").strip() or _missing(
                f"The environment variable {self.token_variable} is not set where the worker runs."
            )
        if self.token_file:
            try:
                return Path(self.token_file).read_text(encoding="ascii").strip() or _missing(
                    "The token's file is empty."
                )
            except (OSError, UnicodeDecodeError):
                _missing("The token's file cannot be read where the worker runs.")
        return (
            secrets.decrypt(self.token_cipher) if self.token_cipher else _missing("The source has no token.")
        )

    def set_trigger_secret(self, secret: str) -> None:
        self.trigger_cipher = secrets.encrypt(secret) if secret else ""

    def trigger_secret(self) -> str:
        """Return the secret, or "" without one. Raises secrets.CannotDecrypt."""
        return secrets.decrypt(self.trigger_cipher) if self.trigger_cipher else ""

    def is_trigger_secret(self, given: str) -> bool:
        """Compare in a time that tells nothing about the secret."""
        if not (self.trigger_enabled and self.trigger_cipher):
            return False
        try:
            kept = self.trigger_secret()
        except secrets.CannotDecrypt:
            return False
        return hmac.compare_digest(
            hashlib.sha256(kept.encode()).digest(), hashlib.sha256(given.encode()).digest()
        )

    @property
    def sessions(self) -> SessionLayout:
        """Return how sessions are found, as `sources.mapping` takes it."""
        return SessionLayout(
            kind=SessionKind(self.session_kind),
            instrument=self.session_instrument,
            events=tuple(self.session_events.split()),
            conditions=self.session_conditions,
            without_time=WithoutTime(self.without_time),
        )

    @staticmethod
    def columns_of_sessions(sessions: SessionLayout) -> dict[str, str]:
        """Return the columns that `sessions` reads back."""
        return {
            "session_kind": sessions.kind.value,
            "session_instrument": sessions.instrument,
            "session_events": "\n".join(sessions.events),
            "session_conditions": sessions.conditions,
            "without_time": sessions.without_time.value,
        }

    @property
    def plan(self) -> MappingPlan:
        """Return the mapping as `sources.mapping` takes it."""
        return MappingPlan(
            rules=tuple(rule.as_rule() for rule in self.rules.all()),
            sessions=self.sessions,
            constants={"site_id": self.site_id},
            fallbacks={
                "protocol_name": self.protocol_name,
                "hisris_coding_designator": self.hisris_coding_designator,
                **self._scanner,
            },
        )

    @property
    def _scanner(self) -> dict[str, str]:
        """Return the scanner, or nothing: a source that names none says nothing of its items' station."""
        scanner = self.scheduled_station_aetitle
        return {targets.STATION: scanner} if scanner else {}


def _missing(text: str) -> Any:
    raise TokenMissing(text)


class MappingRule(Recorded):
    """A source's mapping has rows, each of which is a `sources.mapping.rules.Rule`."""

    source = models.ForeignKey(DataSource, models.CASCADE, related_name="rules")
    position = models.PositiveIntegerField(default=0)
    target = models.CharField(
        max_length=100, help_text="An item's field, a DICOM keyword, or a name for templates: {session}."
    )
    field = models.CharField("REDCap field", max_length=100, blank=True, default="")
    level = models.CharField(max_length=10, choices=choices(Level), default=Level.SESSION.value)
    events = models.TextField(blank=True, default="", help_text="Where to look, in order; one a line.")
    transforms = models.TextField(blank=True, default="", help_text="One a line, in order.")
    default = models.CharField(max_length=200, blank=True, default="")
    required = models.BooleanField(default=False)

    history = actor_history()

    class Meta:
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
