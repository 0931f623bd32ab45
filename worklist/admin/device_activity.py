"""What devices did is a list to look into, which nobody edits."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from pylantir_site.view_only import ViewOnly
from worklist.admin import dataset
from worklist.answering import requests
from worklist.models import DeviceActivity

NOT_KEPT = "Not kept."
UNREADABLE = "It cannot be decoded."


def summary(activity: DeviceActivity) -> str:
    """Return the keys of a query that select something."""
    if activity.kind != DeviceActivity.Kind.QUERY:
        return "-"
    if not activity.identifier:
        return NOT_KEPT
    found = requests.keys_with_values(requests.recorded(activity))
    if found is None:
        return UNREADABLE
    return ", ".join(f"{keyword} {value}" for keyword, value in found) or "everything"


@admin.register(DeviceActivity)
class DeviceActivityAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ("at", "ae_title", "kind", "address", "asked", "outcome", "matches", "duration")
    list_filter = (("kind", admin.ChoicesFieldListFilter), "ae_title", "at")
    date_hierarchy = "at"
    search_fields = ("ae_title", "address", "comment", "=sop_instance_uid")
    search_help_text = "AE title, address, how it ended, or a whole SOP Instance UID."
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

    @admin.display(description="asked")
    def asked(self, activity: DeviceActivity) -> str:
        return summary(activity)

    @admin.display(description="outcome")
    def outcome(self, activity: DeviceActivity) -> str:
        status = "" if activity.status is None else f"{activity.status:04X}"
        return " ".join(filter(None, (status, activity.comment))) or "-"

    @admin.display(description="ms", ordering="milliseconds")
    def duration(self, activity: DeviceActivity) -> str:
        return "-" if activity.milliseconds is None else f"{activity.milliseconds:.1f}"

    @admin.display(description="query")
    def identifier_as_text(self, activity: DeviceActivity) -> str:
        if not activity.identifier:
            return NOT_KEPT if activity.kind == DeviceActivity.Kind.QUERY else "-"
        asked = requests.recorded(activity)
        decoded = requests.decoded(asked)
        text = UNREADABLE if decoded is None else dataset.as_text(decoded)
        doubts = format_html_join("", "<p>{}</p>", ((doubt,) for doubt in requests.doubts(asked)))
        return format_html('<pre class="dataset">{}</pre>{}', text, doubts)

    @admin.display(description="now")
    def again(self, activity: DeviceActivity) -> str:
        if not activity.identifier:
            return "-"
        url = reverse("admin:worklist_device_preview")
        return format_html('<a href="{}?query={}">What would it be answered now?</a>', url, activity.pk)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"title": "What devices did", **(extra_context or {})})
