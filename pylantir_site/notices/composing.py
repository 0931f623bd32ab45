"""A notice says what, of which study, how often, since when, and where to see to it: never of whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pylantir_site.notices.facts import Fact, open_facts
from pylantir_site.notices.models import Delivery, DeliveryReason, NoticeKind
from pylantir_site.notices.outbox import NEWS_FOR
from worklist.day import readiness
from worklist.day.lanes import day_of
from worklist.day.readiness import Readiness


@dataclass(frozen=True)
class Notice:
    """It is what goes out, in both forms: a mail, and what a webhook is sent as JSON."""

    subject: str
    text: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class NoticeLine:
    """All facts of one kind and study are one line."""

    kind: NoticeKind
    study: str
    count: int
    since: datetime | None
    path: str


def compose(delivery: Delivery, *, now: datetime | None = None) -> Notice | None:
    """Return what the delivery says by now, or None where there is nothing to say any more."""
    now = now or timezone.now()
    subscription = delivery.subscription
    with translation.override(subscription.language):
        if delivery.reason == DeliveryReason.TEST:
            return _test(delivery, now)
        if delivery.reason == DeliveryReason.DIGEST:
            return _digest(delivery, now) if delivery.digest_day == timezone.localdate(now) else None
        lines = _lines(_still_open(delivery, now))
        return _of_facts(delivery, lines, now) if lines else None


def link(path: str) -> str:
    """Return the page's whole address, "" where the site does not say under which name people reach it."""
    return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else ""


def _still_open(delivery: Delivery, now: datetime) -> list[Fact]:
    keys = set(delivery.noticed_facts.values_list("key", flat=True))
    found = open_facts(after=delivery.made_at - NEWS_FOR, now=now)
    return [fact for fact in found if fact.key in keys]


def _lines(facts: Iterable[Fact]) -> list[NoticeLine]:
    groups: dict[tuple[NoticeKind, str], list[Fact]] = {}
    for fact in facts:
        groups.setdefault((fact.kind, fact.study), []).append(fact)
    order = list(NoticeKind)
    return [
        NoticeLine(
            kind, study, len(group), min((f.since for f in group if f.since), default=None), group[0].path
        )
        for (kind, study), group in sorted(
            groups.items(), key=lambda each: (order.index(each[0][0]), each[0][1])
        )
    ]


def _of_facts(delivery: Delivery, lines: list[NoticeLine], now: datetime) -> Notice:
    kinds = {line.kind for line in lines}
    count = sum(line.count for line in lines)
    subject = (
        _("Pylantir: %(what)s") % {"what": lines[0].kind.label}
        if len(kinds) == 1
        else ngettext(
            "Pylantir: %(count)d thing waits for somebody",
            "Pylantir: %(count)d things wait for somebody",
            count,
        )
        % {"count": count}
    )
    return _notice(delivery, subject, [_line_in_words(line) for line in lines], lines, now)


def _digest(delivery: Delivery, now: datetime) -> Notice:
    subscription = delivery.subscription
    today = timezone.localdate(now)
    prepared = _prepared(today, subscription.studies)
    facts = [fact for fact in open_facts(now=now) if subscription.wants(fact.kind, fact.study)]
    lines = _lines(facts)
    day = date_format(today, _("l j F Y"))
    opened = [_line_in_words(line) for line in lines] or [_("Nothing waits for you of what you asked for.")]
    blocks = [
        "\n".join(filter(None, [day, readiness.in_words(prepared), link(reverse("admin:index"))])),
        *opened,
    ]
    subject = _("Pylantir: %(day)s") % {"day": day}
    return _notice(delivery, subject, blocks, lines, now, prepared=prepared)


def _prepared(day: date, studies: list[str]) -> Readiness:
    """Count the day's bookings, or those of the studies alone."""
    bookings = day_of(day).bookings
    return readiness.counted(each for each in bookings if not studies or each.item.data_source in studies)


def _test(delivery: Delivery, now: datetime) -> Notice:
    block = _("This is a test. If you read it, your notices will reach you.")
    return _notice(delivery, _("Pylantir: a test notice"), [block], [], now)


def _line_in_words(line: NoticeLine) -> str:
    since = date_format(timezone.localtime(line.since), "DATETIME_FORMAT") if line.since else ""
    told = [
        str(line.kind.label),
        _("Study: %(name)s") % {"name": line.study} if line.study else "",
        _("Number: %(count)d") % {"count": line.count} if line.count > 1 else "",
        _("Since: %(moment)s") % {"moment": since} if since else "",
        link(line.path),
    ]
    return "\n  ".join(filter(None, told))


def _notice(
    delivery: Delivery,
    subject: str,
    blocks: list[str],
    lines: list[NoticeLine],
    now: datetime,
    *,
    prepared: Readiness | None = None,
) -> Notice:
    page = link(reverse("admin:notices_subscription_changelist"))
    why = _("You asked for this in Pylantir, under My notices.")
    closing = "\n".join(filter(None, [why, page, _("Notices never name a participant: the pages do.")]))
    payload: dict[str, Any] = {
        "id": str(delivery.uid),
        "reason": str(delivery.reason),
        "sent_at": now.isoformat(),
        "facts": [_as_json(line) for line in lines],
    }
    if prepared and delivery.digest_day:
        payload["day"] = {"date": delivery.digest_day.isoformat(), **_counts(prepared)}
    return Notice(subject, "\n\n".join([*blocks, f"-- \n{closing}"]) + "\n", payload)


def _as_json(line: NoticeLine) -> dict[str, Any]:
    return {
        "kind": str(line.kind),
        "study": line.study,
        "count": line.count,
        "since": line.since.isoformat() if line.since else None,
        "link": link(line.path),
    }


def _counts(prepared: Readiness) -> dict[str, int]:
    """Return what is counted of the day itself."""
    return {name: count for name, count in vars(prepared).items() if name != "overdue"}
