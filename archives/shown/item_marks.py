"""Items whose images are in an archive are marked in their list, and found by what was found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from archives.models import ArchiveCheck, Finding
from archives.shown.item_panel import SEES
from pylantir_site.overview.admin_site import PylantirAdminSite

WORST_FIRST = (Finding.DIFFERS, Finding.NOT_FOUND, Finding.FAILED, Finding.NOT_ASKED, Finding.FOUND)


class ArchiveFilter(admin.SimpleListFilter):
    title = gettext_lazy("in the archive")
    parameter_name = "archive"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(each.value, each.label) for each in Finding]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() not in Finding.values:
            return queryset
        return queryset.filter(pk__in=ArchiveCheck.objects.filter(finding=self.value()).values("item"))


def worst_of(item_pks: Collection[int]) -> dict[int, Finding]:
    """Return of each item that an enabled archive was asked for the worst that was found, in one query."""
    checks = ArchiveCheck.objects.filter(item__in=item_pks, archive__enabled=True).order_by()
    found: dict[int, Finding] = {}
    for pk, finding in checks.values_list("item_id", "finding"):
        known, new = found.get(pk), Finding(finding)
        if known is None or WORST_FIRST.index(new) < WORST_FIRST.index(known):
            found[pk] = new
    return found


def marks(request: HttpRequest, items: Sequence[int]) -> Mapping[int, str]:
    """Return a mark for each item that arrived as it should: what did not is marked as needing attention."""
    if not request.user.has_perm(SEES):
        return {}
    mark = format_html('<span class="status finding-found">{}</span>', _("Archived"))
    return {pk: mark for pk, finding in worst_of(items).items() if finding == Finding.FOUND}


PylantirAdminSite.item_filters.append(ArchiveFilter)
PylantirAdminSite.item_marks.append(marks)
