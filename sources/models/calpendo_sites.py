"""A Calpendo, or some resources of one, is what a source of the kind Calpendo reads."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from sources import host, validators
from sources.calpendo import biskits, resources, states
from sources.calpendo.bookings import SiteTables
from sources.calpendo.client import BOOKING_TYPE
from sources.calpendo.literals import DateLiteral
from sources.mapping.rules import SessionKind, SessionLayout, WithoutTime
from sources.models.data_sources import DataSource, choices
from sources.models.details import SecretMissing, ServerDetails, kept, secret_of
from worklist.models.history import actor_history

SECRETS = ("password_cipher",)
LITERALS = {DateLiteral.DOCUMENTED: _("20260127T0930"), DateLiteral.DASHED: _("20260127-0930")}
A_VARIABLE = RegexValidator(r"^[A-Za-z_][A-Za-z0-9_]*$", _("The name of an environment variable."))


class CalpendoSite(ServerDetails):
    """It says where the Calpendo is, who reads it, and what its resources and states mean here."""

    hidden_from_viewers = (
        *("user_name", "user_variable", "password_set_at", "password_set_by"),
        *("password_variable", "password_file"),
    )
    secret_columns = SECRETS
    host_columns = {
        "variable": "password_variable",
        "token": "password_file",
        "certificates_at": "ca_bundle",
    }
    lists_horizon = True
    where_nothing_is = "Look at its resources, and at the rights of its user."

    source = models.OneToOneField(DataSource, models.CASCADE, primary_key=True, related_name="calpendo")
    url = models.CharField(
        _("base URL"),
        max_length=500,
        validators=[validators.calpendo_url],
        help_text="https://example.calpendo.com",
    )
    user_name = models.CharField(
        _("user name"),
        max_length=200,
        blank=True,
        default="",
        help_text=_("Of a local user of Calpendo's who may read bookings: not one of single sign-on."),
    )
    user_variable = models.CharField(
        _("user name from the environment"),
        max_length=100,
        blank=True,
        default="",
        validators=[A_VARIABLE, validators.token_variable],
        help_text=_("The name of the environment variable that holds it, such as CALPENDO_USERNAME."),
    )
    password_cipher = models.TextField(blank=True, default="", editable=False)
    password_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    password_set_by = models.CharField(max_length=200, blank=True, default="", editable=False)
    password_variable = models.CharField(
        _("password from the environment"),
        max_length=100,
        blank=True,
        default="",
        validators=[A_VARIABLE, validators.token_variable],
        help_text=_(
            "The name of the environment variable that holds the password, instead of storing it: it begins "
            "with CALPENDO_ or PYLANTIR_TOKEN_, unless SOURCE_TOKEN_VARIABLES says otherwise."
        ),
    )
    password_file = models.CharField(
        _("password from a file"),
        max_length=500,
        blank=True,
        default="",
        validators=[validators.token_file],
        help_text=_(
            "The path of a file that holds the password, instead of storing it: below the folder that "
            "SOURCE_FILES_FOLDER names."
        ),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        validators=[validators.time_zone],
        help_text=_("Of the site's clocks, such as America/Edmonton: bookings are shown in it."),
    )
    booking_type = models.CharField(
        _("booking type"),
        max_length=100,
        default=BOOKING_TYPE,
        validators=[
            RegexValidator(r"^[A-Za-z][A-Za-z0-9_.]*$", _("A type of Calpendo's: Calpendo.Booking."))
        ],
        help_text=_("Calpendo.Booking is every booking; a site's own type, such as MRIScan, is fewer."),
    )
    resources = models.TextField(
        _("resources"),
        blank=True,
        default="",
        validators=[validators.calpendo_resources],
        help_text=_("Whose bookings are read, one a line, as Calpendo names them."),
    )
    scanners = models.TextField(
        _("scanners"),
        blank=True,
        default="",
        validators=[validators.calpendo_scanners],
        help_text=_(
            "What a resource is, one a line: 3T Diagnostic = MR, PRISMA (modality, station AE title). "
            "3T* = MR, PRISMA is each whose name begins so. A booking of another resource is an issue."
        ),
    )
    states = models.TextField(
        _("states"),
        default=states.USUAL,
        validators=[validators.calpendo_states],
        help_text=_(
            "Which bookings are wanted, one state a line: Approved = wanted, Denied = not wanted. "
            "A state that is missing here is not offered, and is an issue; cancelled bookings never are."
        ),
    )
    further_paths = models.TextField(
        _("further fields"),
        blank=True,
        default="",
        validators=[validators.calpendo_paths],
        help_text=_(
            "Paths that a booking does not show by itself, one a line, for the mapping: Operator.name"
        ),
    )
    date_literal = models.CharField(
        _("how Calpendo takes a time"),
        max_length=1,
        blank=True,
        default="",
        choices=choices(LITERALS),
        help_text=_("Empty until Test connection, or a pull, has found out which."),
    )
    requests_per_minute = models.PositiveIntegerField(
        _("requests per minute"), default=60, validators=[MinValueValidator(6), MaxValueValidator(6000)]
    )

    history = actor_history(excluded_fields=SECRETS)

    class Meta:
        verbose_name = _("Calpendo site")
        verbose_name_plural = _("Calpendo sites")

    def __str__(self) -> str:
        return f"{self.source}: {self.url}"

    def session_layout(self, *, conditions: str, without_time: WithoutTime) -> SessionLayout:
        """Return that each booking is one session, and its record as well."""
        return SessionLayout(SessionKind.RECORD, conditions=conditions, without_time=without_time)

    def take_sessions(self, sessions: SessionLayout) -> None:
        """Leave what cannot differ: a booking is a session."""

    def access(self) -> tuple[Any, ...]:
        user = (self.user_name, self.user_variable)
        password = (self.password_cipher, self.password_variable, self.password_file)
        return (self.source.kind, self.url, *user, *password, self.booking_type)

    def others(self) -> list[DataSource]:
        """Return the other sources that read one of the resources at the URL, by name."""
        return self.others_at(self.url, self.resources)

    def others_at(self, url: str, read: str) -> list[DataSource]:
        """Return the other sources that read one of these resources, listed one a line, at the URL."""
        own = set(resources.listed(read))
        there = CalpendoSite.objects.filter(url=url).exclude(pk=self.pk).select_related("source")
        return [
            other.source
            for other in there.order_by("source__name")
            if own & set(resources.listed(other.resources))
        ]

    @property
    def tables(self) -> SiteTables:
        """Return the zone and the tables as `sources.calpendo` takes them. Raises ValueError."""
        return SiteTables(
            zone=ZoneInfo(self.time_zone),
            states=states.read(self.states),
            resources=resources.read(self.scanners),
            asked=resources.listed(self.resources),
        )

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(filter(None, map(biskits.path_of, self.further_paths.splitlines())))

    @property
    def has_password(self) -> bool:
        return bool(self.password_cipher or self.password_variable or self.password_file)

    @property
    def has_user(self) -> bool:
        return bool(self.user_name or self.user_variable)

    def set_password(self, password: str, *, by: str) -> None:
        """Keep the password, encrypted; "" forgets it. The caller saves."""
        self.password_cipher, self.password_set_at, self.password_set_by = kept(password, by=by)

    def password(self) -> str:
        """Return it from the environment, the file or the database.

        Raises SecretMissing or secrets.CannotDecrypt.
        """
        return secret_of(
            "password",
            cipher=self.password_cipher,
            variable=self.password_variable,
            file=self.password_file,
        )

    def user(self) -> str:
        """Return the user's name. Raises SecretMissing."""
        if self.user_variable:
            return secret_of("user name", cipher="", variable=self.user_variable)
        if not self.user_name:
            raise SecretMissing("The source has no user name.")
        return self.user_name

    def names_what_it_may_not(self) -> tuple[str, ...]:
        return (*super().names_what_it_may_not(), *host.refusals(variable=self.user_variable))
