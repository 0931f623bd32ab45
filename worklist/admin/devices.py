"""Devices have their page in the admin: their rules, last contact, a C-ECHO, and what each would see."""

from __future__ import annotations

from copy import copy
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST

from pylantir_site import elapsed
from worklist.admin.filters import NamedValuesFilter
from worklist.admin.history import ActorHistoryAdmin
from worklist.admin.previews import preview_view
from worklist.admin.quality import may_scan
from worklist.answering.omitting import would_leave_out
from worklist.answering.unfound import missed_by
from worklist.devices import presets
from worklist.items import cleaning
from worklist.models import Device, DeviceActivity, StationFilter, Status

CONTACT = ("at", "address", "kind")  # what is told of a device's last contact


class DeviceForm(forms.ModelForm):
    offered_statuses = forms.MultipleChoiceField(
        label=capfirst(Device._meta.get_field("offered_statuses").verbose_name),
        choices=Status.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=Device._meta.get_field("offered_statuses").help_text,
    )
    preset = forms.ChoiceField(
        required=False,
        widget=forms.HiddenInput,
        choices=[("", ""), *((each.key, each.label) for each in presets.PRESETS)],
    )

    class Meta:
        model = Device
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose
        widgets = {name: AdminTextareaWidget(attrs={"rows": 2}) for name in ("notes", "addresses")}

    def clean_modality(self) -> str:
        return cleaning.modality(self.cleaned_data["modality"])

    def clean_offered_statuses(self) -> list[str]:
        return list(self.cleaned_data["offered_statuses"])


@admin.register(Device)
class DeviceAdmin(ActorHistoryAdmin):
    list_title = _lazy("Scanners")
    form = DeviceForm
    change_form_template = "admin/worklist/device/change_form.html"
    list_display = ("ae_title", "name", "vendor", "model", "enabled", "last_contact", "would_see")
    list_filter = ("enabled", ("vendor", NamedValuesFilter), ("modality", NamedValuesFilter))
    not_in_csv = ("would_see",)
    search_fields = ("ae_title", "name", "vendor", "model")
    readonly_fields = ("created_at", "updated_at")
    show_facets = admin.ShowFacets.NEVER
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("ae_title", "enabled"),
                    ("name", "modality"),
                    ("vendor", "model"),
                    "notes",
                    "preset",
                )
            },
        ),
        (
            _lazy("Who may connect"),
            {"fields": ("addresses", "called_ae_title", "certificate_subject", ("host", "port"))},
        ),
        (
            _lazy("What it is offered"),
            {
                "fields": (
                    "station_filter",
                    "station_ae_titles",
                    "offered_statuses",
                    ("days_back", "days_ahead"),
                    "time_zone",
                    ("maximum_answers", "over_maximum"),
                )
            },
        ),
        (
            _lazy("How it is answered"),
            {
                "fields": (
                    "specific_character_set",
                    "misfit",
                    ("longest_patient_name", "longest_patient_id"),
                    "station_name",
                    ("coding_scheme_designator", "protocol_codes_sent"),
                    "protocol_codes",
                    "plain_pending",
                )
            },
        ),
        (_lazy("What it reports"), {"fields": ("sends_mpps", ("mpps_strictness", "weight_tolerance_kg"))}),
        (_lazy("Record"), {"fields": (("created_at", "updated_at"),), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read of each device its last contact, too, from an index and in the same query."""
        own = DeviceActivity.objects.filter(ae_title=OuterRef("ae_title")).order_by("-at", "-pk")
        last = {f"last_{name}": Subquery(own.values(name)[:1]) for name in CONTACT}
        return super().get_queryset(request).annotate(**last)

    @admin.display(description=_lazy("last contact"))
    def last_contact(self, device: Any) -> str:
        if device.last_at is None:
            return "-"
        last = DeviceActivity(**{name: getattr(device, f"last_{name}") for name in CONTACT})
        return format_html('<a href="{}">{}</a>', activity_page(device.ae_title), contact_in_words(last))

    @admin.display(description=_lazy("worklist"))
    def would_see(self, device: Device) -> str:
        if device.ae_title == Device.ANY:
            return "-"
        return format_html('<a href="{}">{}</a>', preview_page(device.ae_title), _("What would it see?"))

    def get_urls(self) -> list[URLPattern]:
        views = self.admin_site.admin_view
        return [
            path("preview/", views(self.preview_view), name="worklist_device_preview"),
            path("<int:pk>/echo/", views(self.echo_view), name="worklist_device_echo"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("worklist.view_worklistitem"):
            raise PermissionDenied
        return preview_view(self, request)

    @method_decorator(require_POST)
    def echo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a C-ECHO to the host and port that the device's row names, and nowhere else."""
        device = Device.objects.filter(pk=pk).first()
        if device is None:
            raise Http404
        if not self.has_change_permission(request, device):
            raise PermissionDenied
        if not device.host or device.port is None:
            messages.error(request, _("Enter host and port first: where does the scanner listen?"))
        else:
            from worklist.scp.echo_scu import echo  # pynetdicom is for those who press the button

            own = device.called_ae_title or settings.MWL_AETITLE
            outcome = echo(device.host, device.port, ae_title=device.ae_title, own_ae_title=own)
            level = messages.SUCCESS if outcome.succeeded else messages.ERROR
            messages.add_message(request, level, outcome.sentence)
        return HttpResponseRedirect(reverse("admin:worklist_device_change", args=[pk]))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        before = Device.objects.filter(pk=obj.pk).first() if change else None
        super().save_model(request, obj, form, change)
        for sentence in would_leave_out(obj, before=before) if form.has_changed() else ():
            messages.warning(request, sentence)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        device = kwargs.get("obj")
        form = context["adminform"].form
        chosen = presets.BY_KEY.get(request.GET.get("preset", ""))
        if chosen is not None and not form.is_bound:
            form.initial.update(chosen.values)
        proposed = request.GET.get("station_filter", "")
        if proposed in StationFilter.values and not form.is_bound:
            form.initial["station_filter"] = proposed
        shown = chosen or presets.BY_KEY.get(form.initial.get("preset") or "")
        context.update(
            presets=presets.PRESETS if self.has_change_permission(request, device) else (),
            chosen_preset=chosen,
            shown_preset=shown,
            preset_rules=_rules(form, shown) if shown else (),
            would_leave_out=would_leave_out(_with(chosen, device), before=device) if chosen else (),
        )
        if device is not None:
            context.update(
                qa_rules=device.qa_rules.filter(enabled=True) if device.enabled and may_scan(request) else ()
            )
            last = DeviceActivity.objects.newest(device.ae_title)
            context.update(
                last_contact=contact_in_words(last) if last else "",
                activity_page=activity_page(device.ae_title),
                missed_items=missed_by(device) if device.ae_title != Device.ANY else 0,
                proposed_filter=StationFilter.OWN_OR_ANY.label,
                is_proposed=proposed == StationFilter.OWN_OR_ANY,
                offering_all_page=offering_all_page(device),
                may_change=self.has_change_permission(request, device),
                preview_page="" if device.ae_title == Device.ANY else preview_page(device.ae_title),
            )
        return super().render_change_form(request, context, *args, **kwargs)


def _with(preset: presets.Preset, device: Device | None) -> Device:
    """Return the device as it would be with the preset's rules; nothing is saved."""
    changed = copy(device) if device is not None else Device()
    for name, value in preset.values.items():
        setattr(changed, name, value)
    return changed


def contact_in_words(activity: DeviceActivity) -> str:
    ago, kind = elapsed.ago(activity.at), activity.get_kind_display()
    if activity.address:
        return _("%(ago)s from %(address)s: %(kind)s") % {
            "ago": ago,
            "address": activity.address,
            "kind": kind,
        }
    return f"{ago}: {kind}"


def activity_page(ae_title: str) -> str:
    return _with_query("admin:worklist_deviceactivity_changelist", "ae_title", ae_title)


def offering_all_page(device: Device) -> str:
    """Return the device's page with the rule filled in that offers it items without a station, too."""
    page = reverse("admin:worklist_device_change", args=[device.pk])
    return f"{page}?{urlencode({'station_filter': StationFilter.OWN_OR_ANY.value})}"


def preview_page(ae_title: str) -> str:
    return _with_query("admin:worklist_device_preview", "device", ae_title)


def _with_query(name: str, parameter: str, value: str) -> str:
    return f"{reverse(name)}?{urlencode({parameter: value})}"


def _rules(form: Any, preset: presets.Preset) -> list[tuple[str, str, presets.PresetRule]]:
    """Return of each rule its field's name as people read it, its value, and the rule itself."""
    found = []
    for rule in preset.rules:
        label = str(form.fields[rule.field].label or rule.field) if rule.field in form.fields else ""
        found.append((label, getattr(rule.value, "label", rule.value), rule))
    return found
