"""How far a day is prepared and done is counted here, and said in one line without a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from worklist.attention import awaiting
from worklist.day.lanes import Booking, day_of
from worklist.models import Status, WorklistItem

MOST_OVERDUE = 999  # that are counted: more are not looked at one by one


@dataclass(frozen=True)
class Readiness:
    """`booked` leaves out what was cancelled; what is lacking is counted of what is still scheduled.

    `overdue` are items of days before, whichever day is looked at, up to one more than MOST_OVERDUE.
    """

    booked: int = 0
    complete: int = 0
    under_way: int = 0
    stopped: int = 0
    cancelled: int = 0
    without_weight: int = 0
    without_scanner: int = 0
    without_time: int = 0
    needing_attention: int = 0
    overdue: int = 0


def of(day: date) -> Readiness:
    """Return that of a day, and how much is overdue."""
    return with_overdue(counted(day_of(day).bookings))


def with_overdue(found: Readiness) -> Readiness:
    late = awaiting.overdue(WorklistItem.objects.order_by(), timezone.localdate())
    overdue = late[: MOST_OVERDUE + 1].count()
    return replace(found, overdue=overdue)


def counted(bookings: Iterable[Booking]) -> Readiness:
    """Count bookings of participants; what is overdue is not among them, nor is a QA scan."""
    found = [booking for booking in bookings if not booking.item.is_qa]
    by_status = Counter(booking.status for booking in found)
    to_come = [booking for booking in found if booking.is_to_come]
    return Readiness(
        booked=len(found) - by_status[Status.CANCELLED],
        complete=by_status[Status.COMPLETED],
        under_way=by_status[Status.IN_PROGRESS],
        stopped=by_status[Status.DISCONTINUED],
        cancelled=by_status[Status.CANCELLED],
        without_weight=sum(booking.weight is None for booking in to_come),
        without_scanner=sum(not booking.item.stations for booking in to_come),
        without_time=sum(booking.time is None for booking in to_come),
        needing_attention=sum(bool(booking.points) for booking in found),
    )


def in_words(found: Readiness) -> str:
    """Say it in one sentence: "5 booked, 4 complete, 1 without weight, none without scanner."."""
    if not found.booked and not found.cancelled:
        return _("Nothing is booked.")
    return _("%(counts)s.") % {"counts": ", ".join(_counts(found))}


def _counts(found: Readiness) -> Iterator[str]:
    yield ngettext("%(count)d booked", "%(count)d booked", found.booked) % {"count": found.booked}
    yield ngettext("%(count)d complete", "%(count)d complete", found.complete) % {"count": found.complete}
    for count, text in (
        (found.under_way, ngettext("%(count)d under way", "%(count)d under way", found.under_way)),
        (found.stopped, ngettext("%(count)d stopped", "%(count)d stopped", found.stopped)),
        (found.cancelled, ngettext("%(count)d cancelled", "%(count)d cancelled", found.cancelled)),
    ):
        if count:
            yield text % {"count": count}
    weightless, stationless, timeless = found.without_weight, found.without_scanner, found.without_time
    yield (
        ngettext("%(count)d without weight", "%(count)d without weight", weightless) % {"count": weightless}
        if weightless
        else _("none without weight")
    )
    yield (
        ngettext("%(count)d without scanner", "%(count)d without scanner", stationless)
        % {"count": stationless}
        if stationless
        else _("none without scanner")
    )
    if timeless:
        yield ngettext("%(count)d without a time", "%(count)d without a time", timeless) % {"count": timeless}
    if needing := found.needing_attention:
        yield ngettext("%(count)d needs attention", "%(count)d need attention", needing) % {"count": needing}
