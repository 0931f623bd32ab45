"""Points of attention of an item are told: when they were opened, and when and by whom resolved."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.db.models import Q
from django.utils.translation import gettext as _

from worklist.attention.points import BY_ITSELF
from worklist.models import Attention, WorklistItem
from worklist.timeline.entries import TimelineEntry

MOST_READ = 40


def told(item: WorklistItem, steps: Collection[int]) -> Iterator[TimelineEntry]:
    """Yield the entries of the item's own points, and of those that its performed steps have alone."""
    points = Attention.objects.filter(Q(item=item) | Q(item=None, step__in=steps))
    for point in points.order_by("-opened_at", "-pk")[:MOST_READ]:
        kind = point.get_kind_display()
        opened = _("Needs attention: %(kind)s") % {"kind": kind}
        yield TimelineEntry(point.opened_at, "opened", opened, changes=(point.text,), about=point)
        if point.resolved_at:
            yield TimelineEntry(
                point.resolved_at,
                "resolved",
                _resolved(point),
                point.resolved_by,
                note=point.note,
                about=point,
            )


def _resolved(point: Attention) -> str:
    kind = point.get_kind_display()
    if point.resolved_by == BY_ITSELF:
        return _("No longer so: %(kind)s") % {"kind": kind}
    return _("Resolved by %(who)s: %(kind)s") % {"who": point.resolved_by, "kind": kind}
