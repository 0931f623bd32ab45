"""Any list of the admin can be downloaded as it is filtered: all its pages, what its columns say in words."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from html import unescape
from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.audit import pages
from accounts.audit.events import MOST_ROWS
from pylantir_site.outside import spreadsheets

BYTE_ORDER_MARK = "\ufeff"  # by which spreadsheets know UTF-8
AT_ONCE = 500  # rows in memory
NOTHING = "-"  # what lists show of an empty value


def download(site: AdminSite, request: HttpRequest, app_label: str, model_name: str) -> HttpResponseBase:
    """Answer the list as the address filters it; who may see the list may have it, and that is audited."""
    model_admin = _admin_of(site, app_label, model_name)
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    try:
        changelist = model_admin.get_changelist_instance(request)
    except IncorrectLookupParameters:
        return redirect(reverse(f"admin:{app_label}_{model_name}_changelist"))
    _record(request, changelist)
    return response(_table(changelist), name=str(model_admin.opts.verbose_name_plural))


def response(rows: Iterable[Iterable[Any]], *, name: str) -> StreamingHttpResponse:
    """Answer rows as a file that is named after what it lists and the day; it is written while it is sent."""
    answer = StreamingHttpResponse(lines(rows), content_type="text/csv; charset=utf-8")
    file_name = f"{slugify(name) or 'list'}-{timezone.localdate():%Y-%m-%d}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return answer


def lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    writer = csv.writer(_Written())
    yield BYTE_ORDER_MARK
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def cell(value: Any) -> str:
    """Return a value as plain text; an apostrophe stands before what a spreadsheet would run."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(value)
    return spreadsheets.guarded(_text(value))


def _text(value: Any) -> str:
    if value is None or value == NOTHING:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return f"{timezone.localtime(value) if timezone.is_aware(value) else value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, SafeString):
        return _words(value)
    if isinstance(value, list | tuple | set):
        return ", ".join(map(_text, value))
    return str(value)


def _words(html: str) -> str:
    """Return what HTML says, a line for each of its lines."""
    lines = unescape(strip_tags(html.replace("<br>", "\n"))).splitlines()
    return "\n".join(filter(None, (" ".join(line.split()) for line in lines)))


class _Written:
    """The writer writes a line into it, and has it back."""

    def write(self, line: str) -> str:
        return line


def _admin_of(site: AdminSite, app_label: str, model_name: str) -> ModelAdmin[Any]:
    try:
        model = apps.get_model(app_label, model_name)
    except LookupError:
        raise Http404 from None
    if not site.is_registered(model):
        raise Http404
    return site.get_model_admin(model)


def _table(changelist: Any) -> Iterator[list[Any]]:
    model_admin = changelist.model_admin
    columns = [name for name in changelist.list_display if _is_told(model_admin, name)]
    yield [_heading(changelist, name) for name in columns]
    for row in changelist.queryset.iterator(chunk_size=AT_ONCE):
        yield [_value(row, name, model_admin) for name in columns]


def _is_told(model_admin: Any, name: str) -> bool:
    """Return whether a column is in the file: links to elsewhere are not, which an admin lists."""
    return name != "action_checkbox" and name not in getattr(model_admin, "not_in_csv", ())


def _heading(changelist: Any, name: str) -> str:
    label = str(label_for_field(name, changelist.model, model_admin=changelist.model_admin))
    return label[:1].upper() + label[1:]


def _value(row: Any, name: str, model_admin: Any) -> Any:
    try:
        field, _attribute, value = lookup_field(name, row, model_admin)
    except ObjectDoesNotExist:
        return None
    if field is None:
        return value
    if field.choices:
        return getattr(row, f"get_{field.name}_display")()
    return getattr(row, field.name) if field.is_relation else value


def _record(request: HttpRequest, changelist: Any) -> None:
    """Tell the audit trail which list it is, how long, and the keys of what stands in it."""
    keys = changelist.queryset.order_by().values_list("pk", flat=True)[:MOST_ROWS]
    number = changelist.queryset.order_by().count() if len(keys) == MOST_ROWS else len(keys)
    pages.show(
        request,
        [key for key in keys if isinstance(key, int)],
        detail=f"{changelist.model._meta.label_lower}, {number} rows",
    )
