"""An administrator looks here at which databases of the original came in, and imports another."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy

from pylantir_site.environment.originals import USERS_TABLE, WORKLIST_TABLE
from sources.admin import original_upload
from sources.admin.view_only import ViewOnlyAdmin
from sources.models import OriginalDatabase

_OF_WORKLIST, _OF_USERS = Q(rows__table=WORKLIST_TABLE), Q(rows__table=USERS_TABLE)
_WAITING = Q(rows__step__isnull=False, rows__step__session=None)


@admin.register(OriginalDatabase)
class OriginalDatabaseAdmin(ViewOnlyAdmin):
    """Whoever has the role admin alone sees it: no other role holds a permission of these models."""

    list_title = gettext_lazy("Databases of the original")
    list_display = ("name", "imported_at", "imported_by", "worklist_rows", "waiting", "accounts")
    list_display_links = None
    change_list_template = "admin/sources/originaldatabase/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(partial(original_upload.import_view, self))
        return [path("import/", view, name="sources_import_original"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        return (
            super()
            .get_queryset(request)
            .annotate(
                worklist_rows=Count("rows", filter=_OF_WORKLIST),
                accounts=Count("rows", filter=_OF_USERS),
                waiting=Count("rows", filter=_WAITING),
            )
        )

    @admin.display(description=gettext_lazy("worklist rows"))
    def worklist_rows(self, database: Any) -> int:
        return int(database.worklist_rows)

    @admin.display(description=gettext_lazy("wait for a pull"))
    def waiting(self, database: Any) -> int:
        return int(database.waiting)

    @admin.display(description=gettext_lazy("accounts"))
    def accounts(self, database: Any) -> int:
        return int(database.accounts)
