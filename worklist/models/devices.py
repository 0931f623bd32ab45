"""A device's row holds what is particular to a scanner: who it is, how it may connect, what it is offered."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from worklist import validators
from worklist.dicom.output_rules import CodesSent, read_protocol_codes
from worklist.models.constraints import at_most, given
from worklist.models.history import Recorded, actor_history
from worklist.models.items import Status
from worklist.validators import peers


class StationFilter(models.TextChoices):
    AS_ASKED = "AS_ASKED", _("As the scanner asks")
    OWN = "OWN", _("Only its own items, whatever it asks")
    OWN_OR_ANY = "OWN_OR_ANY", _("Its own items and those without a station, whatever it asks")


class OverMaximum(models.TextChoices):
    TRUNCATE = "truncate", _("Send the first ones")
    REFUSE = "refuse", _("Send none, with an error")


class Strictness(models.TextChoices):
    LENIENT = "lenient", _("Accept with a remark")
    STRICT = "strict", _("Refuse")


class Misfit(models.TextChoices):
    UNICODE = "unicode", _("Send the item in ISO_IR 192 (Unicode)")
    PLAIN = "plain", _("Send plain Latin letters (MÜLLER as MULLER); what has none in ISO_IR 192")


class ProtocolCodes(models.TextChoices):
    AS_STORED = CodesSent.AS_STORED.value, _("Send them; over 16 characters as Long Code Value")
    SHORT_ONLY = CodesSent.SHORT_ONLY.value, _("Send only those of up to 16 characters")
    NONE = CodesSent.NONE.value, _("Send none: description only")


# Specific Character Set (0008,0005), PS3.3 C.12.1.1.2, by the terms as they are sent.
CHARACTER_SETS = {
    "ISO_IR 6": _("ISO 646: ASCII only"),
    "ISO_IR 100": _("ISO_IR 100: Latin 1, Western Europe"),
    "ISO_IR 101": _("ISO_IR 101: Latin 2, Central Europe"),
    "ISO_IR 109": _("ISO_IR 109: Latin 3, Southern Europe"),
    "ISO_IR 110": _("ISO_IR 110: Latin 4, Northern Europe"),
    "ISO_IR 148": _("ISO_IR 148: Latin 5, Turkish"),
    "ISO_IR 144": _("ISO_IR 144: Cyrillic"),
    "ISO_IR 127": _("ISO_IR 127: Arabic"),
    "ISO_IR 126": _("ISO_IR 126: Greek"),
    "ISO_IR 138": _("ISO_IR 138: Hebrew"),
    "ISO_IR 166": _("ISO_IR 166: Thai"),
    "ISO_IR 13": _("ISO_IR 13: Japanese katakana"),
    "\\ISO 2022 IR 87": _("ISO 2022 IR 87: Japanese kanji"),
    "ISO 2022 IR 13\\ISO 2022 IR 87": _("ISO 2022 IR 13 and 87: Japanese katakana and kanji"),
    "\\ISO 2022 IR 149": _("ISO 2022 IR 149: Korean"),
    "\\ISO 2022 IR 58": _("ISO 2022 IR 58: simplified Chinese with ASCII"),
    "GB18030": _("GB18030: Chinese"),
    "GBK": _("GBK: simplified Chinese"),
    "ISO_IR 192": _("ISO_IR 192: Unicode"),
}


class DeviceQuerySet(models.QuerySet["Device"]):
    def of(self, ae_title: str) -> Device | None:
        """Return the device that speaks for an AE title: its own row, else the row `*`."""
        found = {device.ae_title: device for device in self.filter(ae_title__in=[ae_title, self.model.ANY])}
        return found.get(ae_title) or found.get(self.model.ANY)


class Device(Recorded):
    """A device is a DICOM application entity that may associate with this server.

    The row `*` speaks for every calling AE title that has no row of its own.
    """

    ANY = "*"

    ae_title = models.CharField(
        _("AE title"),
        max_length=16,
        unique=True,
        validators=[validators.ae_title],
        help_text=_("The calling AE title, capitals matter. * lets any AE title in."),
    )
    enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("Only an enabled device may connect.")
    )
    name = models.CharField(
        _("name"), max_length=100, blank=True, default="", help_text=_("For people: the room, for example.")
    )
    vendor = models.CharField(_("vendor"), max_length=64, blank=True, default="")
    model = models.CharField(_("model"), max_length=64, blank=True, default="")
    modality = models.CharField(
        _("modality"),
        max_length=16,
        blank=True,
        default="",
        validators=[validators.code_string],
        help_text=_(
            "MR, for example. Its usual query is taken to ask for this while it has asked nothing yet."
        ),
    )
    preset = models.CharField(
        _("preset"),
        max_length=32,
        blank=True,
        default="",
        help_text=_("The vendor's rules that it began from."),
    )
    notes = models.TextField(
        _("notes"), blank=True, default="", help_text=_("For people; no device sees them.")
    )

    addresses = models.TextField(
        _("addresses"),
        blank=True,
        default="",
        validators=[validators.networks],
        help_text=_(
            "Where it may call from: addresses and networks, such as 10.0.0.5 or 10.1.0.0/24. "
            "Empty: from anywhere."
        ),
    )
    called_ae_title = models.CharField(
        _("called AE title"),
        max_length=16,
        blank=True,
        default="",
        validators=[validators.ae_title],
        help_text=_(
            "The AE title that it must call this server by. Empty: any, unless "
            "MWL_REQUIRE_CALLED_AETITLE is set."
        ),
    )
    certificate_subject = models.CharField(
        _("certificate subject"),
        max_length=500,
        blank=True,
        default="",
        validators=[validators.certificate_subject],
        help_text=_(
            "It must come over TLS with a certificate whose subject has all of these parts: "
            "CN=MR1,O=Hospital. Empty: not bound to a certificate."
        ),
    )
    host = models.CharField(
        _("host"),
        max_length=253,
        blank=True,
        default="",
        help_text=_("Where it listens itself, for the C-ECHO button; nothing else is ever sent there."),
    )
    port = models.PositiveIntegerField(
        _("port"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )

    station_filter = models.CharField(
        _("station filter"),
        max_length=16,
        choices=StationFilter.choices,
        default=StationFilter.AS_ASKED,
        help_text=_(
            "An operator's own queries leave the station open: forced, a scanner sees no other "
            "scanner's items. A query for another station then finds nothing."
        ),
    )
    station_ae_titles = models.CharField(
        _("own station AE titles"),
        max_length=271,
        blank=True,
        default="",
        validators=[validators.ae_titles],
        help_text=_(r"What items call this station, where that is not its AE title; several as MR1\MR2."),
    )
    offered_statuses = models.JSONField(
        _("offered statuses"),
        default=list,
        blank=True,
        validators=[validators.statuses],
        help_text=_(
            "Only these, whatever it asks. None chosen: scheduled, in progress and discontinued, "
            "unless the query names others."
        ),
    )
    days_back = models.PositiveSmallIntegerField(
        _("days back"),
        null=True,
        blank=True,
        help_text=_("Items of so many days before today are offered; 0: none. Empty: all."),
    )
    days_ahead = models.PositiveSmallIntegerField(
        _("days ahead"),
        null=True,
        blank=True,
        help_text=_("Items of so many days after today are offered; 0: none. Empty: all."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        default="",
        validators=[validators.time_zone],
        help_text=_(
            "Europe/Berlin, for example: which day is today there. Schedules are the wall clock at the "
            "scanner and are never converted. Empty: the server's."
        ),
    )
    maximum_answers = models.PositiveIntegerField(
        _("maximum answers"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: MWL_MAXIMUM_ANSWERS, which is no limit by default."),
    )
    over_maximum = models.CharField(
        _("where more match"),
        max_length=16,
        blank=True,
        default="",
        choices=OverMaximum.choices,
        help_text=_("Empty: MWL_OVER_MAXIMUM."),
    )

    station_name = models.CharField(
        _("station name"),
        max_length=16,
        blank=True,
        default="",
        validators=[validators.text],
        help_text=_("Sent as Scheduled Station Name with items that have none."),
    )
    specific_character_set = models.CharField(
        _("specific character set"),
        max_length=64,
        blank=True,
        default="",
        choices=list(CHARACTER_SETS.items()),
        help_text=_(
            "What the scanner can show. Empty: the query's, ISO_IR 100 or ISO_IR 192, the first that "
            "holds the text."
        ),
    )
    misfit = models.CharField(
        _("text that does not fit"),
        max_length=16,
        choices=Misfit.choices,
        default=Misfit.UNICODE,
        help_text=_("Logged each time. IDs and codes are never rewritten, and nothing is ever sent as ?."),
    )
    longest_patient_name = models.PositiveSmallIntegerField(
        _("longest patient name"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(64)],
        help_text=_(
            "Characters that it takes, ^ included. An item with a longer name is left out and logged: "
            "a shortened one would be another's."
        ),
    )
    longest_patient_id = models.PositiveSmallIntegerField(
        _("longest patient ID"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(64)],
        help_text=_("Characters that it takes. An item with a longer ID is left out and logged."),
    )
    coding_scheme_designator = models.CharField(
        _("coding scheme designator"),
        max_length=16,
        blank=True,
        default="",
        validators=[validators.text],
        help_text=_("Sent with a protocol that has none, so that it becomes a code: GEHC, for example."),
    )
    protocol_codes_sent = models.CharField(
        _("codes of protocols"), max_length=16, choices=ProtocolCodes.choices, default=ProtocolCodes.AS_STORED
    )
    protocol_codes = models.TextField(
        _("its own protocol codes"),
        blank=True,
        default="",
        help_text=_(
            "One a line: PROTOCOL = CODE | SCHEME | MEANING. Without scheme it is the one above, "
            "without meaning the protocol's name. An item's own codes go first."
        ),
    )

    plain_pending = models.BooleanField(
        _("only plain pending"),
        default=False,
        help_text=_(
            "Each answer is FF00, also where it asked for what this server does not support. For a "
            "program that takes FF01 for the end."
        ),
    )

    sends_mpps = models.BooleanField(
        _("sends MPPS"),
        default=True,
        help_text=_(
            "Off: nothing reports what it performed. Its items are then completed by a person, or by an "
            "archive that holds the study."
        ),
    )
    mpps_strictness = models.CharField(
        _("MPPS that departs from the standard"),
        max_length=16,
        blank=True,
        default="",
        choices=Strictness.choices,
        help_text=_("Empty: MPPS_STRICTNESS."),
    )
    weight_tolerance_kg = models.DecimalField(
        _("weight tolerance (kg)"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_(
            "By so much its weight may differ from the item's before a person is told. "
            "Empty: MPPS_WEIGHT_TOLERANCE_KG."
        ),
    )

    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = DeviceQuerySet.as_manager()
    history = actor_history(excluded_fields=("created_at", "updated_at"))

    class Meta:
        verbose_name = _("scanner")
        verbose_name_plural = _("scanners")
        ordering = ["ae_title"]
        constraints = [at_most("ae_title", 16), given("ae_title")]

    def __str__(self) -> str:
        return self.ae_title

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        try:
            read_protocol_codes(self.protocol_codes, scheme=self.coding_scheme_designator)
        except ValueError as error:
            errors["protocol_codes"] = str(error)
        if bool(self.host) != (self.port is not None):
            errors["port"] = gettext("Give both host and port, or none.")
        self.offered_statuses = [status for status in Status if status in (self.offered_statuses or ())]
        if errors:
            raise ValidationError(errors)

    def lets_in(self, address: str) -> bool:
        """Return whether it may call from there; a row whose addresses cannot be read lets nobody in."""
        try:
            return not self.addresses.strip() or peers.includes(self.addresses, address)
        except ValueError:
            return False

    def bears(self, subject: Any) -> bool:
        """Return whether the subject of a certificate (None without one) is the one that it is bound to."""
        try:
            return not self.certificate_subject or peers.bears(subject, self.certificate_subject)
        except ValueError:
            return False
