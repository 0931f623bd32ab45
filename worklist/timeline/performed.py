"""Examinations of an item are told: begun, ended, and linked by a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.formats import date_format, number_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from worklist.models import Evidence, PerformedStatus, PerformedStep, PerformedStepItem, WorklistItem
from worklist.timeline.entries import TimelineEntry, who

MOST_LINKS = 20
SAME_TIME = timedelta(minutes=2)  # between a scanner's clock and the message that it sent


def links_of(item: WorklistItem) -> list[PerformedStepItem]:
    """Return the newest links of the item, their steps counted, without what the scanners sent."""
    links = PerformedStepItem.objects.filter(item=item).select_related("step").defer("step__dataset")
    counted = links.annotate(series=Count("step__series"), images=Sum("step__series__image_count"))
    return list(counted.order_by("-created_at", "-pk")[:MOST_LINKS])


def moments(links: Sequence[PerformedStepItem]) -> list[datetime]:
    """Return when messages and links may have changed the item's status."""
    every = (at for link in links for at in (link.created_at, link.step.created_at, link.step.finished_at))
    return [at for at in every if at is not None]


def told(links: Sequence[PerformedStepItem]) -> Iterator[TimelineEntry]:
    for link in links:
        step, scanner = link.step, scanner_of(link.step)
        yield TimelineEntry(
            step.created_at,
            "started",
            _("Started at %(scanner)s") % {"scanner": scanner},
            f"device:{step.calling_ae_title}" if step.calling_ae_title else "",
            note=_by_its_clock(step.created_at, step.start_date, step.start_time),
            about=step,
        )
        if step.finished_at:
            yield TimelineEntry(
                step.finished_at,
                "ended",
                _ended(link),
                note=step.discontinuation_reason
                or _by_its_clock(step.finished_at, step.end_date, step.end_time),
                about=step,
            )
        if link.evidence == Evidence.PERSON:
            text = _("Linked to the examination by %(who)s") % {"who": who(link.linked_by)}
            yield TimelineEntry(link.created_at, "linked", text, link.linked_by, about=step)


def scanner_of(step: PerformedStep) -> str:
    """Return what the step says of where it is performed, or who reported it."""
    return step.performed_station_ae_title or step.calling_ae_title


def amount(series: int, images: int) -> str:
    """Say how much was made; only what was reported is counted."""
    of_series = ngettext("%(count)s series", "%(count)s series", series) % {"count": _number(series)}
    of_images = ngettext("%(count)s image", "%(count)s images", images) % {"count": _number(images)}
    return _("%(series)s, %(images)s") % {"series": of_series, "images": of_images}


def _ended(link: Any) -> str:
    is_completed = link.step.status == PerformedStatus.COMPLETED
    if not link.series:
        return _("Completed") if is_completed else _("Discontinued")
    made = {"amount": amount(link.series, link.images or 0)}
    return (_("Completed: %(amount)s") if is_completed else _("Discontinued: %(amount)s")) % made


def _number(count: int) -> str:
    return str(number_format(count, use_l10n=True, force_grouping=True))


def _by_its_clock(heard: datetime, day: Any, at: Any) -> str:
    """Say what the scanner's own clock showed, where that is not when its message came."""
    if day is None or at is None:
        return ""
    reported = timezone.make_aware(datetime.combine(day, at))
    if abs(reported - heard) < SAME_TIME:
        return ""
    return _("%(moment)s by the scanner's clock") % {"moment": f"{date_format(day)}, {time_format(at)}"}
