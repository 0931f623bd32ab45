"""Whoever finds a delivery that is due claims it, sends it, and writes what became of it.

A claim is the next try's moment, moved on: a process that dies with it loses it, and the delivery is tried
again. It is then sent a second time under the same id, if it had gone out just before.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from accounts.models import User
from pylantir_site.database import fault_log
from pylantir_site.notices import webhooks
from pylantir_site.notices.composing import Notice, compose
from pylantir_site.notices.mailing import Mailer
from pylantir_site.notices.models import (
    Delivery,
    DeliveryReason,
    DeliveryState,
    NoticeWay,
    Subscription,
)
from pylantir_site.notices.undelivered import Undelivered
from sources.secrets import CannotDecrypt

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)  # longer than any one try
# After each try that failed but the last.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
AT_ONCE = 100  # deliveries to one look: the rest goes out with the next
ACCOUNT_CLOSED = "The account is closed."
NOT_AN_ADMIN = "Only administrators may use a webhook."
SWITCHED_OFF = "The notice was switched off."
SETTLED = "It was settled before it was sent."
FAILED_HERE = "It failed on this server: see the log."


def send_due(*, now: datetime | None = None) -> int:
    """Send what waits and is due; return how many went out."""
    now = now or timezone.now()
    due = Delivery.objects.filter(state=DeliveryState.WAITING, next_try_at__lte=now).order_by(
        "next_try_at", "pk"
    )
    sent = 0
    with Mailer() as mailer:
        for pk in list(due.values_list("pk", flat=True)[:AT_ONCE]):
            if _claim(pk, now):
                sent += _send_claimed(pk, mailer, now)
    return sent


def send_test(subscription: Subscription) -> Delivery:
    """Send a test now and return what became of it: it is tried once."""
    now = timezone.now()
    delivery = Delivery.objects.create(
        subscription=subscription, reason=DeliveryReason.TEST, tries=1, made_at=now, next_try_at=now + LEASE
    )
    with Mailer() as mailer:
        _send(delivery, mailer, now)
    return delivery


def _claim(pk: int, now: datetime) -> bool:
    waiting = Delivery.objects.filter(pk=pk, state=DeliveryState.WAITING, next_try_at__lte=now)
    leased = max(now, timezone.now()) + LEASE  # those before it may have taken long
    return bool(waiting.update(next_try_at=leased, tries=F("tries") + 1))


def _send_claimed(pk: int, mailer: Mailer, now: datetime) -> bool:
    delivery = Delivery.objects.select_related("subscription").filter(pk=pk).first()
    if delivery is None:  # it went with its subscription
        return False
    try:
        return _send(delivery, mailer, now)
    except Exception as error:  # of one, which hinders no other
        fault_log.log.tell_failure(log, "A notice failed", error)
        return _fail(delivery, FAILED_HERE)


def _send(delivery: Delivery, mailer: Mailer, now: datetime) -> bool:
    user = User.objects.filter(username=delivery.subscription.username).first()
    if why_not := _why_not(delivery, user):
        return _end(delivery, DeliveryState.OVER, why_not)
    notice = compose(delivery, now=now)
    if notice is None:
        return _end(delivery, DeliveryState.OVER, SETTLED)
    try:
        _bring(delivery, notice, mailer, to=user.email if user else "", now=now)
    except Undelivered as error:
        return _fail(delivery, str(error))
    return _end(delivery, DeliveryState.SENT, "")


def _why_not(delivery: Delivery, user: User | None) -> str:
    subscription = delivery.subscription
    if user is None or not user.is_active or not user.has_perm("notices.view_subscription"):
        return ACCOUNT_CLOSED
    if subscription.way == NoticeWay.WEBHOOK and not user.is_superuser:
        return NOT_AN_ADMIN
    is_test = delivery.reason == DeliveryReason.TEST
    return "" if subscription.enabled or is_test else SWITCHED_OFF


def _bring(delivery: Delivery, notice: Notice, mailer: Mailer, *, to: str, now: datetime) -> None:
    subscription = delivery.subscription
    if subscription.way == NoticeWay.MAIL:
        mailer.send(notice, to=to, uid=str(delivery.uid))
        return
    try:
        secret = subscription.secret()
    except CannotDecrypt as error:
        raise Undelivered(str(error)) from None
    webhooks.post(subscription.webhook_url, notice.payload, secret=secret, uid=str(delivery.uid), now=now)


def _fail(delivery: Delivery, why: str) -> bool:
    """Have it tried again later, if it may be."""
    is_last = delivery.reason == DeliveryReason.TEST or delivery.tries > len(WAITS)
    if is_last:
        return _end(delivery, DeliveryState.FAILED, why)
    delivery.next_try_at = timezone.now() + WAITS[delivery.tries - 1]
    delivery.error = why
    delivery.save(update_fields=["next_try_at", "error"])
    return False


def _end(delivery: Delivery, state: DeliveryState, why: str) -> bool:
    delivery.state, delivery.error, delivery.ended_at = state, why, timezone.now()
    delivery.save(update_fields=["state", "error", "ended_at"])
    return state == DeliveryState.SENT
