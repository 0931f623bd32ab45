"""A day's bookings are drawn one by one, and kept: from one refresh to the next hardly any changes.

What is drawn follows from the values of `Drawing` alone, and is drawn anew where any of them is another.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from django.db.models import Model
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from worklist.day.lanes import Booking, Day, Lane

MOST_KEPT = 1000
NO_TOKEN = secrets.token_hex()  # stands for the token of whoever is sent the booking


class OfThePage(NamedTuple):
    """What bookings are drawn with beside their own values."""

    date: str
    is_today: bool
    may_change: bool
    shows_attention: bool
    here: str
    here_quoted: str
    worklist_url: str
    attention_url: str
    language: str | None


class DrawnLane(NamedTuple):
    lane: Lane
    past: list[SafeString]
    to_come: list[SafeString]


@dataclass(frozen=True)
class Drawing:
    """`values` are all that was read of the item and its open points."""

    page: OfThePage
    values: tuple[Any, ...]
    booking: Booking = field(compare=False)


def drawn_lanes(request: HttpRequest, day: Day, *, is_today: bool) -> list[DrawnLane]:
    page = _of_the_page(request, day.date, is_today=is_today)
    token = get_token(request) if page.may_change else ""
    return [
        DrawnLane(lane, _drawn(page, lane.past, token), _drawn(page, lane.to_come, token))
        for lane in day.lanes
    ]


def drawn_quality(request: HttpRequest, day: Day, *, is_today: bool) -> list[SafeString]:
    """Return the day's QA scans, which stand in no lane."""
    page = _of_the_page(request, day.date, is_today=is_today)
    return _drawn(page, day.quality, get_token(request) if page.may_change else "")


def _of_the_page(request: HttpRequest, day: date, *, is_today: bool) -> OfThePage:
    here = request.get_full_path()
    return OfThePage(
        day.isoformat(),
        is_today,
        request.user.has_perm("worklist.change_worklistitem"),
        request.user.has_perm("worklist.view_attention"),
        here,
        quote(here, safe=""),
        reverse("admin:worklist_worklistitem_changelist"),
        reverse("admin:worklist_attention_changelist"),
        get_language(),
    )


def _drawn(page: OfThePage, bookings: Iterable[Booking], token: str) -> list[SafeString]:
    htmls = (_html(Drawing(page, _values(booking), booking)) for booking in bookings)
    return [mark_safe(html.replace(NO_TOKEN, token)) for html in htmls]  # noqa: S308  (by a template)


@lru_cache(maxsize=MOST_KEPT)
def _html(drawing: Drawing) -> str:
    booking = drawing.booking
    own = {"booking": booking, "item": booking.item, "name": booking.name, "csrf_token": NO_TOKEN}
    return render_to_string("admin/today/booking.html", {**drawing.page._asdict(), **own})


def _values(booking: Booking) -> tuple[Any, ...]:
    points = tuple(map(_as_read, booking.points))
    of_the_day = (booking.session, booking.is_overdue, booking.today, booking.is_silent, booking.awaited)
    return (_as_read(booking.item), booking.also, points, *of_the_day)


def _as_read(row: Model) -> tuple[Any, ...]:
    """Return the values as they were read, without what was left in the database."""
    return tuple(map(row.__dict__.get, _columns(type(row))))


@lru_cache
def _columns(model: type[Model]) -> tuple[str, ...]:
    return tuple(column.attname for column in model._meta.concrete_fields)
