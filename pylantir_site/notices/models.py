"""A subscription says who wants to hear of what; a delivery is one message, and what became of it."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sources import secrets


class NoticeKind(models.TextChoices):
    """A notice is of one of these kinds, the worst first, as pages and messages list them."""

    IDENTITY = "IDENTITY", _("Identity, patient ID or weight differs")
    UNSCHEDULED = "UNSCHEDULED", _("Unscheduled examination")
    WRONG_ENTRY = "WRONG_ENTRY", _("Wrong worklist entry selected")
    STALE = "STALE", _("In progress for too long")
    NOT_PERFORMED = "NOT_PERFORMED", _("Nothing performed")
    ARCHIVE = "ARCHIVE", _("Archive and worklist disagree")
    WRITE_BACK = "WRITE_BACK", _("Not written back")
    QA_OVERDUE = "QA_OVERDUE", _("QA scan overdue")
    SOURCE_HELD = "SOURCE_HELD", _("Source holds changes for a person")
    SOURCE_FAILING = "SOURCE_FAILING", _("Source fails or is late")
    TIME_ZONE = "TIME_ZONE", _("Source's time zone is not confirmed")
    WORKER = "WORKER", _("Worker is not running")


def every_kind() -> list[str]:
    return list(NoticeKind.values)


class NoticeWay(models.TextChoices):
    MAIL = "mail", _("By mail")
    WEBHOOK = "webhook", _("By webhook")


class Timing(models.TextChoices):
    AT_ONCE = "at_once", _("At once")
    DIGEST = "digest", _("Once a day, as a digest")


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def visible_to(self, user: Any) -> SubscriptionQuerySet:
        """Return the user's own; an administrator sees all."""
        return self.all() if user.is_superuser else self.filter(username=user.get_username())

    def with_last_end(self) -> SubscriptionQuerySet:
        """Annotate how the last delivery that ended did so, and why it failed."""
        ended = Delivery.objects.filter(
            subscription=OuterRef("pk"), state__in=(DeliveryState.SENT, DeliveryState.FAILED)
        ).order_by("-ended_at", "-pk")
        return self.annotate(
            last_end=Subquery(ended.values("state")[:1]),
            last_error=Subquery(ended.values("error")[:1]),
        )

    def failing(self) -> SubscriptionQuerySet:
        """Return those that are on, and whose last delivery could not be brought."""
        failed = models.Q(last_end=DeliveryState.FAILED)
        return self.filter(enabled=True).with_last_end().filter(failed)


class Subscription(models.Model):
    """It names its owner as history does: accounts may live in a database of their own.

    `offered` are the kinds that there were when it was last saved: who chose all of them wants those, too,
    that are added later.
    """

    username = models.CharField(_("user"), max_length=150, db_index=True, editable=False)
    kinds = models.JSONField(_("what"), default=list)
    offered = models.JSONField(default=every_kind, editable=False)
    studies = models.JSONField(
        _("studies"), default=list, blank=True, help_text=_("Sources by name; none chosen is all.")
    )
    timing = models.CharField(_("when"), max_length=10, choices=Timing.choices, default=Timing.AT_ONCE)
    digest_at = models.TimeField(
        _("digest at"),
        null=True,
        blank=True,
        help_text=_("The site's wall clock, such as 07:00; for a digest alone."),
    )
    way = models.CharField(_("how"), max_length=10, choices=NoticeWay.choices, default=NoticeWay.MAIL)
    webhook_url = models.CharField(_("webhook's URL"), max_length=500, blank=True, default="")
    secret_cipher = models.TextField(blank=True, default="", editable=False)
    language = models.CharField(max_length=10, default="en", editable=False)
    enabled = models.BooleanField(_("on"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["username", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(timing=Timing.AT_ONCE) | Q(digest_at__isnull=False), name="digest_has_an_hour"
            ),
        ]

    def __str__(self) -> str:
        return gettext("%(when)s · %(how)s · to %(who)s") % {
            "when": self.when_in_words(),
            "how": self.get_way_display(),
            "who": self.username,
        }

    def when_in_words(self) -> str:
        if self.timing == Timing.DIGEST and self.digest_at:
            return gettext("Daily at %(time)s") % {"time": f"{self.digest_at:%H:%M}"}
        return str(self.get_timing_display())

    def wants(self, kind: str, study: str) -> bool:
        """Tell whether it is about such a fact. One that belongs to no source may be any study's."""
        return kind in self.wanted_kinds and (not self.studies or not study or study in self.studies)

    @property
    def wants_everything(self) -> bool:
        return bool(self.offered) and set(self.offered) <= set(self.kinds)

    @property
    def wanted_kinds(self) -> list[NoticeKind]:
        return [kind for kind in NoticeKind if self.wants_everything or kind in self.kinds]

    @property
    def kinds_not_offered(self) -> list[NoticeKind]:
        """Return what is new for whoever chose some kinds, and so is not told of it."""
        known = {*self.offered, *self.wanted_kinds}
        return [kind for kind in NoticeKind if kind not in known]

    def set_secret(self, secret: str) -> None:
        self.secret_cipher = secrets.encrypt(secret) if secret else ""

    def secret(self) -> str:
        """Return what signs the webhook's messages. Raises secrets.CannotDecrypt."""
        return secrets.decrypt(self.secret_cipher) if self.secret_cipher else ""


class DeliveryReason(models.TextChoices):
    FACTS = "facts", _("Something happened")
    DIGEST = "digest", _("Digest")
    TEST = "test", _("Test")


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    OVER = "over", _("Not needed any more")


class Delivery(models.Model):
    """`next_try_at` is also the lease of whoever sends it now: nobody else takes it before."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="deliveries")
    reason = models.CharField(_("why"), max_length=10, choices=DeliveryReason.choices)
    digest_day = models.DateField(null=True, blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING
    )
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    made_at = models.DateTimeField(_("made"), default=timezone.now, db_index=True)
    next_try_at = models.DateTimeField(_("next try"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    error = models.CharField(_("what was wrong"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-made_at", "-pk"]
        indexes = [
            models.Index(fields=["state", "next_try_at"], name="deliveries_due"),
            models.Index(fields=["subscription", "-ended_at"], name="deliveries_ended"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "digest_day"],
                condition=Q(digest_day__isnull=False),
                name="one_digest_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}: {self.get_state_display()}"


class NoticedFact(models.Model):
    """A fact is in one delivery of a subscription and in no other; `key` names it as `facts` does."""

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="noticed_facts")
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="noticed_facts")
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=NoticeKind.choices)
    study = models.CharField(max_length=100, blank=True, default="")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscription", "key"], name="fact_told_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.study}"
