"""People look at what pulls wrote, and change nothing."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from pylantir_site.lists import FriendlyTitles
from pylantir_site.view_only import ViewOnly


class ViewOnlyAdmin(ViewOnly, FriendlyTitles, admin.ModelAdmin):
    """Its pages have no history: nobody edits what is shown."""

    actions: Any = None
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    change_form_template = "admin/sources/looking.html"
