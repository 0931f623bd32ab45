"""What devices did is a list to look into, which nobody edits."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pylantir_site.kept_search import KeptSearch
from pylantir_site.lists import FriendlyTitles
from pylantir_site.view_only import ViewOnly
from worklist.admin import dataset
from worklist.admin.filters import NamedValuesFilter
from worklist.answering import requests
from worklist.models import DeviceActivity

NOT_KEPT = gettext_lazy("Not kept.")
UNREADABLE = gettext_lazy("It cannot be decoded.")
# The final statuses that devices are answered with (PS3.7 Annex C), and those of answers on the way.
STATUSES = {
    0x0000: gettext_lazy("success"),
    0x0001: gettext_lazy("success, with a remark"),
    0xFE00: gettext_lazy("cancelled by the scanner"),
    0xFF00: gettext_lazy("pending"),
    0xFF01: gettext_lazy("pending, with keys that are not supported"),
}


def status_in_words(status: int) -> str:
    """Return the words for a status with its number, by which manuals list it."""
    words = STATUSES.get(status, gettext_lazy("failure"))
    return _("%(status)s (%(number)s)") % {"status": words, "number": f"{status:04X}"}


def summary(activity: DeviceActivity) -> str:
    """Return the keys of a query that select something."""
    if activity.kind != DeviceActivity.Kind.QUERY:
        return "-"
    if not activity.identifier:
        return str(NOT_KEPT)
    found = requests.keys_with_values(requests.recorded(activity))
    if found is None:
        return str(UNREADABLE)
    return ", ".join(f"{keyword} {value}" for keyword, value in found) or _("everything")


@admin.register(DeviceActivity)
class DeviceActivityAdmin(KeptSearch, ViewOnly, FriendlyTitles, admin.ModelAdmin):
    list_title = gettext_lazy("What scanners asked")
    list_display = ("at", "ae_title", "kind", "address", "asked", "outcome", "matches", "duration")
    list_filter = (("kind", admin.ChoicesFieldListFilter), ("ae_title", NamedValuesFilter), "at")
    date_hierarchy = "at"
    search_fields = ("ae_title", "address", "comment", "=sop_instance_uid")
    search_help_text = gettext_lazy("AE title, address, how it ended, or a whole SOP Instance UID.")
    ordering = ("-at", "-pk")
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    actions = None
    fields = (
        *("at", "kind", "ae_title", "called_ae_title", "address", "certificate_subject"),
        *("outcome", "duration", "matches", "left_out", "sop_instance_uid", "asked", "identifier_as_text"),
        "again",
    )

    @admin.display(description=gettext_lazy("asked"))
    def asked(self, activity: DeviceActivity) -> str:
        return summary(activity)

    @admin.display(description=gettext_lazy("outcome"))
    def outcome(self, activity: DeviceActivity) -> str:
        status = "" if activity.status is None else status_in_words(activity.status)
        return ": ".join(filter(None, (status, activity.comment))) or "-"

    @admin.display(description=gettext_lazy("milliseconds"), ordering="milliseconds")
    def duration(self, activity: DeviceActivity) -> str:
        return "-" if activity.milliseconds is None else f"{activity.milliseconds:.1f}"

    @admin.display(description=gettext_lazy("query"))
    def identifier_as_text(self, activity: DeviceActivity) -> str:
        if not activity.identifier:
            return str(NOT_KEPT) if activity.kind == DeviceActivity.Kind.QUERY else "-"
        asked = requests.recorded(activity)
        decoded = requests.decoded(asked)
        text: object = UNREADABLE if decoded is None else dataset.as_text(decoded)
        doubts = format_html_join("", "<p>{}</p>", ((doubt,) for doubt in requests.doubts(asked)))
        return format_html("{}{}", dataset.shown(text), doubts)

    @admin.display(description=gettext_lazy("now"))
    def again(self, activity: DeviceActivity) -> str:
        if not activity.identifier:
            return "-"
        url = reverse("admin:worklist_device_preview")
        return format_html(
            '<a href="{}?query={}">{}</a>', url, activity.pk, _("What would it be answered now?")
        )
