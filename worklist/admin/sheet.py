"""A day is printed from a page of its own: a table for each scanner, with room for a pen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TypeVar

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit import pages
from worklist.day import readiness
from worklist.day.lanes import Booking, Lane, day_of
from worklist.dicom import name_parts

Choice = TypeVar("Choice", bound=models.TextChoices)
REMEMBERED = "sheet_names"  # in the session


class SheetNames(models.TextChoices):
    """So much of who comes stands on the sheet."""

    WHOLE = "whole", gettext_lazy("Whole names")
    INITIALS = "initials", gettext_lazy("Initials")
    IDS = "ids", gettext_lazy("IDs only")


class Paper(models.TextChoices):
    AUTO = "", gettext_lazy("The printer’s")
    A4 = "a4", gettext_lazy("A4")
    LETTER = "letter", gettext_lazy("Letter")


@dataclass(frozen=True)
class SheetRow:
    """A booking as far as the sheet tells of it; `born` only beside a whole name."""

    booking: Booking
    name: str
    born: date | None
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class SheetTable:
    title: str
    rows: tuple[SheetRow, ...]


def sheet_view(site: AdminSite, request: HttpRequest, day: str) -> HttpResponse:
    if not request.user.has_perm("worklist.view_worklistitem"):
        raise PermissionDenied
    shown = _day(day)
    names = _names(request)
    sources = [partial(each, request) for each in getattr(site, "session_names", ())]
    found = day_of(shown, session_names=sources)
    pages.show(request, sorted({booking.item.pk for booking in found.bookings}))
    tables = [_table(lane, names) for lane in found.lanes if lane.bookings]
    if found.quality:
        tables.append(
            SheetTable(_("QA scans"), tuple(_row(each, SheetNames.WHOLE) for each in found.quality))
        )
    context = {
        **site.each_context(request),
        "day": shown,
        "tables": tables,
        "count": sum(len(table.rows) for table in tables),
        "readiness": readiness.in_words(readiness.of(shown)),
        "has_names": names != SheetNames.IDS,
        "has_births": names == SheetNames.WHOLE,
        "names": names,
        "paper": _chosen(request.GET.get("paper"), Paper.AUTO),
        "all_names": SheetNames.choices,
        "papers": Paper.choices,
        "host": request.get_host(),
        "printed_at": timezone.localtime(),
    }
    return TemplateResponse(request, "admin/worklist/sheet.html", context)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Http404 from error


def _names(request: HttpRequest) -> SheetNames:
    """Return what the person asks for, which the session remembers, or what they asked for last."""
    last = _chosen(request.session.get(REMEMBERED), SheetNames.WHOLE)
    chosen = _chosen(request.GET.get("names"), last)
    if chosen != last:
        request.session[REMEMBERED] = chosen.value
    return chosen


def _chosen(value: str | None, otherwise: Choice) -> Choice:
    """Return the choice of that value, which may be anything."""
    return next((choice for choice in type(otherwise) if choice.value == value), otherwise)


def _table(lane: Lane, names: SheetNames) -> SheetTable:
    title = lane.label if lane.label == lane.station else f"{lane.label} · {lane.station}"
    rows = tuple(_row(booking, names) for booking in lane.bookings)
    return SheetTable(title if lane.station else _("Without a scanner"), rows)


def _row(booking: Booking, names: SheetNames) -> SheetRow:
    item = booking.item
    name = {
        SheetNames.WHOLE: item.readable_patient_name,
        SheetNames.INITIALS: name_parts.initials(item.patient_name),
        SheetNames.IDS: "",
    }[names]
    born = item.patient_birth_date if names == SheetNames.WHOLE else None
    return SheetRow(booking, name, born, tuple(_remarks(booking)))


def _remarks(booking: Booking) -> Iterator[str]:
    yield booking.item.get_performed_procedure_step_status_display()
    if booking.also:
        yield _("also for %(scanners)s") % {"scanners": ", ".join(booking.also)}
    yield from dict.fromkeys(point.get_kind_display() for point in booking.points)
