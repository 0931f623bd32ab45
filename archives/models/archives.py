"""An archive is asked by C-FIND or by QIDO-RS whether images have arrived, and whose they are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from archives.models.addresses import dicomweb_url, host_name
from sources import host, validators
from sources.models.details import kept, secret_of
from worklist import validators as of_dicom
from worklist.models.history import Recorded, actor_history

SECRETS = ("secret_cipher",)
TESTED = ("tested_at", "test_problem")
A_VARIABLE = RegexValidator(r"^[A-Za-z_][A-Za-z0-9_]*$", _("The name of an environment variable."))


class ArchiveKind(models.TextChoices):
    DICOM = "DICOM", _("DICOM: C-FIND, study root")
    DICOMWEB = "DICOMWEB", _("DICOMweb: QIDO-RS")


class Authentication(models.TextChoices):
    NONE = "NONE", _("None")
    BASIC = "BASIC", _("User name and password (HTTP Basic)")
    BEARER = "BEARER", _("Bearer token")


class ArchiveQuerySet(models.QuerySet["Archive"]):
    def asked(self) -> ArchiveQuerySet:
        """Return the archives that are to be asked."""
        return self.filter(enabled=True)


def _file(verbose_name: Any, validator: Any, help_text: Any) -> Any:
    return models.CharField(
        verbose_name, max_length=500, blank=True, default="", validators=[validator], help_text=help_text
    )


def _number(verbose_name: Any, default: int, least: int, most: int, help_text: Any = "") -> Any:
    return models.PositiveIntegerField(
        verbose_name,
        default=default,
        validators=[MinValueValidator(least), MaxValueValidator(most)],
        help_text=help_text,
    )


class Archive(Recorded):
    """A row says where an archive is, who asks it, and how often. Nothing is ever written into it.

    The columns of the kind that it is not are left alone.
    """

    name = models.CharField(
        _("name"), max_length=64, unique=True, help_text=_("For people: what your site calls it.")
    )
    enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("Only an enabled archive is asked.")
    )
    kind = models.CharField(
        _("kind"), max_length=16, choices=ArchiveKind.choices, default=ArchiveKind.DICOM.value
    )
    stations = models.CharField(
        _("scanners"),
        max_length=271,
        blank=True,
        default="",
        validators=[of_dicom.ae_titles],
        help_text=_(r"AE titles of the stations whose images it holds: MR1\MR2. Empty: of all."),
    )

    host = models.CharField(
        _("host"),
        max_length=253,
        blank=True,
        default="",
        validators=[host_name],
        help_text=_("pacs.example.org"),
    )
    port = models.PositiveIntegerField(
        _("port"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    called_ae_title = models.CharField(
        _("called AE title"),
        max_length=16,
        blank=True,
        default="",
        validators=[of_dicom.ae_title],
        help_text=_("The archive's own."),
    )
    calling_ae_title = models.CharField(
        _("calling AE title"),
        max_length=16,
        blank=True,
        default="",
        validators=[of_dicom.ae_title],
        help_text=_("By which the archive knows this server. Empty: MWL_AETITLE."),
    )
    tls = models.BooleanField(
        _("TLS"),
        default=False,
        help_text=_("TLS 1.2 or later; the archive's certificate is always verified."),
    )
    tls_host_name = models.BooleanField(
        _("its certificate names the host"),
        default=True,
        help_text=_("Only turn it off for an archive whose certificate names no host, with a CA bundle."),
    )
    client_certificate = _file(
        _("client certificate"),
        validators.token_file,
        _("The path of this server's certificate in PEM, where the archive asks for one."),
    )
    client_key = _file(
        _("client key"), validators.token_file, _("The path of the certificate's key in PEM, not encrypted.")
    )

    url = models.CharField(
        _("base URL"),
        max_length=500,
        blank=True,
        default="",
        validators=[dicomweb_url],
        help_text=_("Of the DICOMweb service, before /studies: https://pacs.example.org/dicom-web"),
    )
    authentication = models.CharField(
        _("authentication"),
        max_length=16,
        choices=Authentication.choices,
        default=Authentication.NONE.value,
    )
    user_name = models.CharField(_("user name"), max_length=200, blank=True, default="")
    secret_cipher = models.TextField(blank=True, default="", editable=False)
    secret_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    secret_set_by = models.CharField(max_length=200, blank=True, default="", editable=False)
    secret_variable = models.CharField(
        _("password or token from the environment"),
        max_length=100,
        blank=True,
        default="",
        validators=[A_VARIABLE, validators.token_variable],
        help_text=_(
            "The name of the environment variable that holds it, instead of storing it: it begins with "
            "PYLANTIR_TOKEN_, unless SOURCE_TOKEN_VARIABLES says otherwise."
        ),
    )
    secret_file = _file(
        _("password or token from a file"),
        validators.token_file,
        _("The path of a file that holds it: below the folder that SOURCE_FILES_FOLDER names."),
    )
    ca_bundle = _file(
        _("CA bundle"),
        validators.existing_file,
        _(
            "The path of the certificates to trust, where the institution has its own: below the folder "
            "that SOURCE_FILES_FOLDER names."
        ),
    )

    questions_per_minute = _number(_("questions per minute"), 120, 1, 60_000)
    read_timeout = _number(_("time-out (seconds)"), 30, 1, 240)
    first_after_minutes = _number(
        _("first asked after (minutes)"), 5, 0, 1440, _("Once an examination has ended; then every hour.")
    )
    days = _number(_("asked for (days)"), 7, 1, 90, _("Then what is missing is left to people."))
    settled_after_minutes = _number(
        _("settled after (minutes)"),
        15,
        1,
        1440,
        _("Of a scanner without MPPS: a study that has not grown for so long is performed."),
    )
    missing_after_hours = _number(
        _("missed after (hours)"),
        4,
        0,
        24 * 90,
        _("Once an examination has ended: what is not there by then needs attention."),
    )
    tells_stray_studies = models.BooleanField(
        _("tells studies that nobody scheduled"),
        default=True,
        help_text=_(
            "Of the scanners in Devices, as their station names say. Turn it off where others use them, too."
        ),
    )

    has_pseudonyms = models.BooleanField(
        _("IDs and names there are pseudonyms"),
        default=False,
        help_text=_(
            "Then no identity is compared with this archive, and none is kept of what it answers. A study is "
            "found by the worklist's own Study Instance UID or accession number alone."
        ),
    )

    tested_at = models.DateTimeField(_("tested at"), null=True, blank=True, editable=False)
    test_problem = models.TextField(_("what was wrong"), blank=True, default="", editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = ArchiveQuerySet.as_manager()
    history = actor_history(excluded_fields=(*SECRETS, *TESTED, "created_at", "updated_at"))

    class Meta:
        verbose_name = _("archive")
        verbose_name_plural = _("archives")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="archive_name_given"),
            models.CheckConstraint(
                condition=models.Q(kind__in=ArchiveKind.values), name="archive_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> str:
        """Return who acts in a history where this archive's answer is the evidence."""
        return f"archive:{self.name}"

    @property
    def station_titles(self) -> tuple[str, ...]:
        return tuple(filter(None, self.stations.split("\\")))

    def holds(self, stations: list[str]) -> bool:
        """Tell whether it holds images of one of these; an item without a station may be at any."""
        own = self.station_titles
        return not own or not stations or bool(set(own) & set(stations))

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.days)

    @property
    def has_secret(self) -> bool:
        return bool(self.secret_cipher or self.secret_variable or self.secret_file)

    def set_secret(self, secret: str, *, by: str) -> None:
        """Keep the password or token, encrypted; "" forgets it. The caller saves."""
        self.secret_cipher, self.secret_set_at, self.secret_set_by = kept(secret, by=by)

    def secret(self) -> str:
        """Return it from the environment, the file or the database.

        Raises SecretMissing or secrets.CannotDecrypt.
        """
        return secret_of(
            "password or token",
            cipher=self.secret_cipher,
            variable=self.secret_variable,
            file=self.secret_file,
            owner="archive",
        )

    def names_what_it_may_not(self) -> tuple[str, ...]:
        """Return why something of this machine that it names may not be read, for administrators."""
        return (
            *host.refusals(
                variable=self.secret_variable, token=self.secret_file, certificates_at=self.ca_bundle
            ),
            *host.refusals(token=self.client_certificate),
            *host.refusals(token=self.client_key),
        )
