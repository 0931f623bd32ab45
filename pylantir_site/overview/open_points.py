"""The index says first what needs attention: a few points, the worst first, and how many more there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Count
from django.http import HttpRequest

from pylantir_site import elapsed
from worklist.models import Attention, AttentionKind
from worklist.models.attention import AttentionQuerySet

if TYPE_CHECKING:
    from worklist.admin.linking_panel import LinkChoice
    from worklist.admin.settling import StockNote

POINTS_ON_THE_INDEX = 5
LONGEST_LINE = 200  # characters, as the template cuts it
NOT_SHOWN = ("step__dataset", "step__deviations", "step__remarks", "item__extra_attributes")


class ShownPoint(NamedTuple):
    """`line` is the first of what is said, `more` how many lines its page has beside it.

    `likeliest` is the item to link to where nothing speaks against it, and `note` the ready note that
    resolves a point whose whole text is shown: each is one press of a button.
    """

    point: Attention
    line: str
    more: int
    likeliest: LinkChoice | None = None
    note: StockNote | None = None

    @property
    def ago(self) -> str:
        return elapsed.ago(self.point.opened_at)

    @property
    def is_whole(self) -> bool:
        return not self.more and len(self.line) <= LONGEST_LINE


class KindCount(NamedTuple):
    kind: AttentionKind
    points: int


def context_of(request: HttpRequest) -> dict[str, Any]:
    """Return what the index is told of the open points, nothing for whoever may not see them."""
    if not request.user.has_perm("worklist.view_attention"):
        return {}
    counts = _counts(request)
    counted = [KindCount(kind, counts[kind]) for kind in AttentionKind if kind in counts]
    shown = _worst(counted)
    return {
        "shows_attention": True,
        "attention_count": sum(counts.values()),
        "kind_counts": counted,
        "points": list(_in_turn(request, shown)),
        "more_points": sum(counts.values()) - len(shown),
    }


def waiting(request: HttpRequest) -> int:
    """Return how many points are open, which a page that has counted them by kind is not asked again."""
    return sum(_counts(request).values())


def _counts(request: HttpRequest) -> dict[str, int]:
    known: dict[str, dict[str, int]] = request.__dict__
    if "_open_points" not in known:
        by_kind = Attention.objects.open().order_by().values_list("kind").annotate(Count("pk"))
        known["_open_points"] = dict(by_kind)
    return known["_open_points"]


def _worst(counted: Sequence[KindCount]) -> list[Attention]:
    """Return the first of all open points, in two queries.

    Of the worst kinds all are read, and of the next one the newest; to put all open ones in order would cost
    more the more there are.
    """
    whole: list[AttentionKind] = []
    left = POINTS_ON_THE_INDEX
    for kind, points in counted:
        if points > left:
            newest = Attention.objects.open().filter(kind=kind).order_by("-opened_at", "-pk")
            return [*_all_of(whole), *_whole_rows(newest)[:left]]
        whole.append(kind)
        left -= points
    return _all_of(whole)


def _all_of(kinds: Sequence[AttentionKind]) -> list[Attention]:
    if not kinds:
        return []
    points = Attention.objects.open().filter(kind__in=kinds).order_by("-opened_at", "-pk")
    return sorted(_whole_rows(points), key=lambda point: kinds.index(AttentionKind(point.kind)))


def _whole_rows(points: AttentionQuerySet) -> AttentionQuerySet:
    return points.select_related("item", "step").defer(*NOT_SHOWN)


def _in_turn(request: HttpRequest, shown: Sequence[Attention]) -> Iterator[ShownPoint]:
    """Yield the points with what settles each.

    To find the item of an examination costs a dozen queries, so the first examination alone has one.
    """
    from worklist.admin import settling  # its pages register with the site, which comes first

    may_settle = request.user.has_perm("worklist.change_attention")
    to_link = next((point for point in shown if point.kind == AttentionKind.UNSCHEDULED), None)
    for point in shown:
        lines = point.text.splitlines() or [""]
        told = ShownPoint(point, lines[0], len(lines) - 1)
        if may_settle and point is to_link:
            told = told._replace(likeliest=settling.likeliest(request, point))
        elif may_settle and point.kind != AttentionKind.UNSCHEDULED and told.is_whole:
            told = told._replace(note=settling.stock_notes(point)[0])
        yield told
