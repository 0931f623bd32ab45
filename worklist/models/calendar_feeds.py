"""A person may have appointments in a calendar program, by an address that only they know."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from pylantir_site import elapsed
from worklist import validators


class FeedShows(models.TextChoices):
    """An event tells so much of who comes; never a whole name."""

    NOBODY = "NOBODY", _("Nothing: only that the time is taken")
    INITIALS = "INITIALS", _("Initials")
    IDS = "IDS", _("Patient ID")


class CalendarFeed(models.Model):
    """A feed is one private address; who it belongs to, and what is told there.

    The address itself is not kept, only its digest. Users may live in another database, so the owner is a
    name.
    """

    username = models.CharField(_("user"), max_length=150, db_index=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    station = models.CharField(
        _("scanner"),
        max_length=16,
        blank=True,
        default="",
        validators=[validators.ae_title],
        help_text=_("The AE title of a device. Empty: all scanners, and what is for none."),
    )
    shows = models.CharField(
        _("who comes"), max_length=8, choices=FeedShows.choices, default=FeedShows.NOBODY
    )
    shows_protocol = models.BooleanField(_("the protocol, or what is to be done"), default=False)
    minutes = models.PositiveSmallIntegerField(
        _("minutes that an appointment takes"),
        default=30,
        validators=[MinValueValidator(5), MaxValueValidator(480)],
        help_text=_("The worklist knows when an appointment begins, and not when it ends."),
    )
    language = models.CharField(max_length=10, default="en", editable=False)  # of the events' few words
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    last_fetched_at = models.DateTimeField(_("last fetched"), null=True, editable=False)

    class Meta:
        verbose_name = _("calendar feed")
        verbose_name_plural = _("calendar feeds")
        ordering = ["-pk"]
        permissions = [("oversee_calendarfeed", "Can see and revoke everybody's calendar feeds")]

    def __str__(self) -> str:
        return f"{self.username} · {self.station or '*'}"

    @property
    def fetched_ago(self) -> str:
        """Return how long ago a calendar program fetched it last, "" where none has."""
        return elapsed.ago(self.last_fetched_at) if self.last_fetched_at else ""
