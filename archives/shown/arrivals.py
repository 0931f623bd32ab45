"""A page says by study and month how much has arrived in an archive, with its file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from archives.models import Archive
from archives.shown.counting import ArchiveArrival, ArrivalCounts, arrivals
from pylantir_site import lists_as_csv
from pylantir_site.overview.admin_site import PylantirAdminSite
from pylantir_site.overview.plots import study_in_words

MONTHS = 12
SEES = "worklist.view_worklistitem"


class ArrivalsForm(forms.Form):
    archive = forms.ModelChoiceField(Archive.objects.order_by("name"), label=gettext_lazy("Archive"))


def arrivals_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    archive, counted = _asked(request)
    context = {
        **site.each_context(request),
        "title": _("Arrived in the archive"),
        "form": ArrivalsForm({"archive": archive.pk if archive else None}),
        "archive": archive,
        "columns": list(ArchiveArrival),
        "rows": list(_rows(counted)),
    }
    return TemplateResponse(request, "admin/archives/arrivals.html", context)


def arrivals_as_csv(request: HttpRequest) -> HttpResponseBase:
    _archive, counted = _asked(request)
    head: Sequence[Any] = [_("Month"), _("Study"), *(each.label for each in ArchiveArrival), _("Together")]
    return lists_as_csv.response([head, *_rows(counted)], name="arrivals")


def _urls(site: AdminSite) -> list[URLPattern]:
    return [
        path("arrivals/", site.admin_view(partial(arrivals_page, site)), name="archive_arrivals"),
        path("arrivals/csv/", site.admin_view(arrivals_as_csv), name="archive_arrivals_csv"),
    ]


def _asked(request: HttpRequest) -> tuple[Archive | None, ArrivalCounts]:
    """Return the archive that the address names, else the first, and what was counted of it."""
    if not request.user.has_perm(SEES):
        raise PermissionDenied
    named = request.GET.get("archive", "")
    every = Archive.objects.order_by("name")
    archive = (
        every.filter(pk=named).first() if named.isascii() and named.isdigit() else None
    ) or every.first()
    return archive, arrivals(archive.pk, first=_first_month()) if archive else {}


def _first_month() -> date:
    first = timezone.localdate().replace(day=1)
    for _number in range(MONTHS - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    return first


def _rows(counted: ArrivalCounts) -> Iterable[Sequence[Any]]:
    for (month, study), counts in counted.items():
        numbers = [counts[each] for each in ArchiveArrival]
        yield [date_format(month, "Y-m"), study_in_words(study), *numbers, counts.total()]


PylantirAdminSite.page_urls.append(_urls)
