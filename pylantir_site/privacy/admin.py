"""Administrators see who was erased when and why, by pseudonyms, and export or erase a participant."""

from __future__ import annotations

from functools import partial

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy

from pylantir_site.lists import FriendlyTitles
from pylantir_site.overview.admin_site import PylantirAdminSite
from pylantir_site.privacy import pages
from pylantir_site.privacy.models import Erasure
from pylantir_site.view_only import ViewOnly
from worklist.models import WorklistItem


@admin.register(Erasure)
class ErasureAdmin(ViewOnly, FriendlyTitles, admin.ModelAdmin):
    list_title = gettext_lazy("Erased participants")
    list_display = ("at", "by", "why", "reason", "pseudonym", "is_purged")
    list_filter = ("why", "is_purged")
    date_hierarchy = "at"
    list_per_page = 100
    show_full_result_count = False
    actions = None
    fields = ("at", "by", "why", "reason", "pseudonym", "changed", "is_purged")
    change_list_template = "admin/privacy/erasure/erasures.html"

    @admin.display(description=gettext_lazy("what was changed"))
    def changed(self, erasure: Erasure) -> str:
        return format_html_join("", "<div>{}: {}</div>", pages.in_words(erasure.counts))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(partial(pages.participant_view, self))
        return [path("participant/", view, name="privacy_participant"), *super().get_urls()]


def panel(request: HttpRequest, item: WorklistItem) -> str:
    """Lead an administrator from an item to what is known of its participant."""
    if not request.user.has_perm("privacy.add_erasure") or item.erased_at is not None:
        return ""
    return render_to_string("admin/privacy/erasure/item_panel.html", {"item": item}, request)


PylantirAdminSite.item_panels.append(panel)
