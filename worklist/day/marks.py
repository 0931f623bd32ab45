"""What needs attention of some items is found here, in two queries however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.db.models import Q

from worklist.models import Attention, AttentionKind, PerformedStepItem

# A point's text may be long, and is not needed to say that it is open.
COLUMNS = ("pk", "kind", "step_id", "item_id", "resolved_at")
SEVERITY = {kind: place for place, kind in enumerate(AttentionKind.values)}


def open_points(items: Collection[int]) -> dict[int, tuple[Attention, ...]]:
    """Return by item the open points about it, and those about a performed step that is linked to it.

    What is said of a step and one of its items is that item's alone. The worst come first.
    """
    links = PerformedStepItem.objects.filter(item__in=items).order_by().values_list("step_id", "item_id")
    linked: dict[int, list[int]] = defaultdict(list)
    for step, item in links:
        linked[step].append(item)
    # Resolved ones, too: asked for open ones, SQLite would go through all of these.
    rows = Attention.objects.filter(Q(item__in=items) | Q(step__in=list(linked))).order_by().only(*COLUMNS)
    found: dict[int, list[Attention]] = defaultdict(list)
    for point in filter(_is_open, rows):
        for item in [point.item_id] if point.item_id else linked.get(point.step_id or 0, []):
            found[item].append(point)
    return {item: tuple(sorted(points, key=_severity)) for item, points in found.items()}


def _is_open(point: Attention) -> bool:
    return point.is_open


def _severity(point: Attention) -> int:
    return SEVERITY.get(point.kind, len(SEVERITY))
