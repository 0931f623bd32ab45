"""A REDCap project is what a source of the kind REDCap reads."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.fields.json import KT
from django.utils.translation import gettext_lazy as _

from sources import host, secrets, validators
from sources.contract import ServerClock
from sources.mapping.rules import SessionKind, SessionLayout, WithoutTime
from sources.models.data_sources import DataSource, choices
from sources.models.details import SecretMissing, ServerDetails, kept, secret_of
from sources.models.dictionaries import KnownDictionary
from worklist.models.history import actor_history

# What only this server needs to know of a secret.
SECRETS = ("token_cipher", "write_token_cipher", "trigger_cipher")
SESSION_KINDS = {
    SessionKind.REPEATING_INSTRUMENT: _("Repeating instrument"),
    SessionKind.REPEATING_EVENT: _("Repeating event"),
    SessionKind.EVENT: _("Event"),
    SessionKind.RECORD: _("Record"),
}


class RedcapProject(ServerDetails):
    """It says where the project is, by which token it is opened, and what of it is a session."""

    hidden_from_viewers = (
        *("token_set_at", "token_set_by", "token_variable", "token_file", "trigger_enabled"),
        *("write_token_set_at", "write_token_set_by", "write_token_variable"),
    )
    secret_columns = SECRETS
    host_columns = {"variable": "token_variable", "token": "token_file", "certificates_at": "ca_bundle"}

    where_nothing_is = "Check the token's rights."

    source = models.OneToOneField(DataSource, models.CASCADE, primary_key=True, related_name="redcap")
    url = models.CharField(
        _("API URL"),
        max_length=500,
        validators=[validators.api_url],
        help_text="https://redcap.example.org/api/",
    )
    token_cipher = models.TextField(blank=True, default="", editable=False)
    token_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    token_set_by = models.CharField(max_length=200, blank=True, default="", editable=False)
    token_variable = models.CharField(
        _("token from the environment"),
        max_length=100,
        blank=True,
        default="",
        validators=[
            RegexValidator(r"^[A-Za-z_][A-Za-z0-9_]*$", _("The name of an environment variable.")),
            validators.token_variable,
        ],
        help_text=_(
            "The name of the environment variable that holds the token, instead of storing it: "
            "it begins with REDCAP_ or PYLANTIR_TOKEN_, unless SOURCE_TOKEN_VARIABLES says otherwise."
        ),
    )
    token_file = models.CharField(
        _("token from a file"),
        max_length=500,
        blank=True,
        default="",
        validators=[validators.token_file],
        help_text=_(
            "The path of a file that holds the token, instead of storing it: below the folder that "
            "SOURCE_FILES_FOLDER names."
        ),
    )
    write_token_cipher = models.TextField(blank=True, default="", editable=False)
    write_token_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    write_token_set_by = models.CharField(max_length=200, blank=True, default="", editable=False)
    write_token_variable = models.CharField(
        _("token for writing from the environment"),
        max_length=100,
        blank=True,
        default="",
        validators=[
            RegexValidator(r"^[A-Za-z_][A-Za-z0-9_]*$", _("The name of an environment variable.")),
            validators.token_variable,
        ],
        help_text=_("The name of the variable that holds the token for writing, instead of storing it."),
    )
    project_id = models.PositiveIntegerField(
        _("project ID"),
        null=True,
        blank=True,
        help_text=_("The project that the token must open: guards against another project's token."),
    )
    server_timezone = models.CharField(
        _("server's time zone"),
        max_length=64,
        validators=[validators.time_zone],
        help_text=_("Of REDCap's own clock, such as America/Edmonton. Test connection tells its offset."),
    )
    overlap_minutes = models.PositiveIntegerField(
        _("overlap (minutes)"),
        default=60,
        validators=[MinValueValidator(10), MaxValueValidator(10_080)],
        help_text=_("How far each pull looks back before the last one, for clocks that differ."),
    )
    requests_per_minute = models.PositiveIntegerField(
        _("requests per minute"),
        default=300,
        validators=[MinValueValidator(6), MaxValueValidator(6000)],
        help_text=_("REDCap bans addresses that ask more than 600 times a minute, unless set otherwise."),
    )
    batch_size = models.PositiveIntegerField(
        _("records at once"), default=100, validators=[MinValueValidator(1), MaxValueValidator(5000)]
    )

    session_kind = models.CharField(
        _("a session is"),
        max_length=30,
        choices=choices(SESSION_KINDS),
        default=SessionKind.REPEATING_INSTRUMENT.value,
    )
    session_instrument = models.CharField(_("instrument"), max_length=100, blank=True, default="")
    session_events = models.TextField(
        _("events"),
        blank=True,
        default="",
        help_text=_("Unique event names, one a line; empty is all that can hold one."),
    )
    trigger_enabled = models.BooleanField(
        _("accept Data Entry Triggers"),
        default=False,
        help_text=_("REDCap tells at once which record was saved."),
    )
    trigger_cipher = models.TextField(blank=True, default="", editable=False)

    history = actor_history(excluded_fields=SECRETS)

    class Meta:
        verbose_name = _("REDCap project")
        verbose_name_plural = _("REDCap projects")

    def __str__(self) -> str:
        return f"{self.source}: {self.url}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.server_timezone)

    def session_layout(self, *, conditions: str, without_time: WithoutTime) -> SessionLayout:
        return SessionLayout(
            kind=SessionKind(self.session_kind),
            instrument=self.session_instrument,
            events=tuple(self.session_events.split()),
            conditions=conditions,
            without_time=without_time,
        )

    def take_sessions(self, sessions: SessionLayout) -> None:
        for column, value in self.columns_of_sessions(sessions).items():
            setattr(self, column, value)

    @staticmethod
    def columns_of_sessions(sessions: SessionLayout) -> dict[str, str]:
        """Return the columns that `session_layout` reads back; the others are the source's."""
        return {
            "session_kind": sessions.kind.value,
            "session_instrument": sessions.instrument,
            "session_events": "\n".join(sessions.events),
        }

    def access(self) -> tuple[Any, ...]:
        access = (self.source.kind, self.url, self.project_id, self.token_cipher)
        return (access, self.token_variable, self.token_file)

    def clock(self) -> ServerClock:
        return ServerClock(
            zone=self.server_timezone,
            overlap=timedelta(minutes=self.overlap_minutes),
            whose="REDCap",
            remedy="Give the token's user the right Logging",
        )

    @property
    def records_at_once(self) -> int:
        return int(self.batch_size)

    @property
    def has_token(self) -> bool:
        return bool(self.token_cipher or self.token_variable or self.token_file)

    def set_token(self, token: str, *, by: str) -> None:
        """Keep the token, encrypted; "" forgets it. The caller saves."""
        self.token_cipher, self.token_set_at, self.token_set_by = kept(token, by=by)

    def token(self) -> str:
        """Return it from the environment, the file or the database.

        Raises SecretMissing or secrets.CannotDecrypt.
        """
        return secret_of(
            "token", cipher=self.token_cipher, variable=self.token_variable, file=self.token_file
        )

    @property
    def has_write_token(self) -> bool:
        return bool(self.write_token_cipher or self.write_token_variable)

    def set_write_token(self, token: str, *, by: str) -> None:
        """Keep the token for writing, encrypted; "" forgets it. The caller saves."""
        kept_now = kept(token, by=by)
        self.write_token_cipher, self.write_token_set_at, self.write_token_set_by = kept_now

    def write_token(self) -> str:
        """Return the token for writing. Raises SecretMissing or secrets.CannotDecrypt."""
        return secret_of(
            "token for writing", cipher=self.write_token_cipher, variable=self.write_token_variable
        )

    def names_what_it_may_not(self) -> tuple[str, ...]:
        """Return why something of this machine that it names may not be read, of either token."""
        return (*super().names_what_it_may_not(), *host.refusals(variable=self.write_token_variable))

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

    def others(self) -> list[DataSource]:
        """Return the other sources that read the project, by name."""
        known = _known_projects([self])
        return self.others_that_open(known.get(self.pk), _token_of(self))

    def others_that_open(self, project_id: int | None, token: str) -> list[DataSource]:
        """Return the other sources that read this project at the URL.

        A project is known by its ID, or by a token, which opens one project only.
        """
        there = RedcapProject.objects.filter(url=self.url).exclude(pk=self.pk).select_related("source")
        others = list(there.order_by("source__name"))
        known = _known_projects(others)
        return [
            other.source
            for other in others
            if (project_id is not None and known.get(other.pk) == project_id)
            or (token and _token_of(other) == token)
        ]


def _known_projects(projects: list[RedcapProject]) -> dict[int, int]:
    """Return which project each reads: the one that it must open, or the one that it was seen to open."""
    known_dictionaries = KnownDictionary.objects.filter(
        source__in=[project.pk for project in projects if not project.project_id]
    )
    seen = known_dictionaries.annotate(project=KT("content__project_id")).values_list("source_id", "project")
    known = {pk: int(number) for pk, number in seen if number is not None}
    return known | {project.pk: project.project_id for project in projects if project.project_id}


def _token_of(project: RedcapProject) -> str:
    try:
        return project.token()
    except (SecretMissing, secrets.CannotDecrypt):
        return ""
