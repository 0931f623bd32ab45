"""The index is put together here: what needs attention, a day or a week, sources and devices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from pylantir_site.overview import open_points, quality, scanners
from pylantir_site.overview.bookings import drawn_lanes
from pylantir_site.overview.extensions import IndexSection, SessionNamesFor
from pylantir_site.overview.shown_days import ShownDays
from pylantir_site.overview.stations import station_warnings
from worklist.day import questions, readiness
from worklist.day.lanes import Day, day_of
from worklist.day.week import week_of


def title_of(shown: ShownDays) -> str:
    """Return the heading of the page."""
    if shown.is_week:
        days = {"first": _day_and_month(shown.monday), "last": date_format(shown.sunday, _("j F Y"))}
        return _("%(first)s to %(last)s") % days
    day = date_format(shown.day, _("l, j F Y"))
    return _("Today, %(day)s") % {"day": day} if shown.is_today else day


def context_of(
    request: HttpRequest,
    shown: ShownDays,
    *,
    sections: Sequence[IndexSection],
    session_names: Sequence[SessionNamesFor],
) -> dict[str, Any]:
    """Return all that the person may see of it."""
    context: dict[str, Any] = {"shown": shown, "heading": title_of(shown), **open_points.context_of(request)}
    for section in sections:
        context |= section(request)
    may_see = request.user.has_perm("worklist.view_worklistitem")
    if may_see and not shown.is_week:
        names = [partial(each, request) for each in session_names]
        day = day_of(shown.day, session_names=names)
        return {**context, **_day(request, shown, day), **scanners.context_of(request, day.devices)}
    if may_see:
        context["week"] = week_of(shown.day)
    return {**context, **scanners.context_of(request, questions.of_all_devices())}


def keys_of(context: dict[str, Any]) -> list[int]:
    """Return the keys of the items that the page shows."""
    days = [context["day"]] if "day" in context else context.get("week", ())
    return sorted({booking.item.pk for day in days for booking in day.bookings})


def _day(request: HttpRequest, shown: ShownDays, day: Day) -> dict[str, Any]:
    found = readiness.with_overdue(readiness.counted(day.bookings))
    return {
        "day": day,
        "lanes": drawn_lanes(request, day, is_today=shown.is_today),
        "readiness": found,
        "readiness_line": readiness.in_words(found),
        "overdue_is_cut": found.overdue > readiness.MOST_OVERDUE,
        **quality.context_of(request, day, is_today=shown.is_today),
        "station_warnings": station_warnings(request, day) if shown.is_today else [],
    }


def _day_and_month(day: Any) -> str:
    return date_format(day, _("j F"))
