"""QA rules have their pages here, and a button for a scan now, on Today and a scanner's page, too."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from pylantir_site.returning import back
from worklist.admin import oddities, sentences, undo
from worklist.admin.date_fields import DayField, DayWidget
from worklist.admin.history import ActorHistoryAdmin
from worklist.items import cleaning, moves
from worklist.models import Device, QaRule
from worklist.quality import on_demand, planning


def _label(name: str) -> Any:
    """Return a field's name as a form's own field has it, in the language of whoever reads it."""
    field: Any = QaRule._meta.get_field(name)
    return capfirst(field.verbose_name)


class QaRuleForm(forms.ModelForm):
    weekdays = forms.TypedMultipleChoiceField(
        label=_label("weekdays"),
        choices=list(WEEKDAYS.items()),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=QaRule._meta.get_field("weekdays").help_text,
    )
    patient_birth_date = DayField(label=_label("patient_birth_date"), required=False, widget=DayWidget)

    class Meta:
        model = QaRule
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose
        widgets: ClassVar[Any] = {"id_scope": forms.RadioSelect}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "device" in self.fields:
            scanners: Any = Device.objects.exclude(ae_title=Device.ANY)
            self.fields["device"].queryset = scanners  # type: ignore[attr-defined]

    def clean_modality(self) -> str:
        return cleaning.modality(self.cleaned_data["modality"])

    def clean_weekdays(self) -> list[int]:
        return list(self.cleaned_data["weekdays"])


@admin.register(QaRule)
class QaRuleAdmin(ActorHistoryAdmin):
    list_title = gettext_lazy("QA rules")
    form = QaRuleForm
    change_form_template = "admin/worklist/qarule/change_form.html"
    list_display = ("device", "name", "enabled", "when", "patient_weight_kg", "protocol_name")
    list_display_links = ("device", "name")
    list_filter = ("enabled", "device")
    list_select_related = ("device",)
    search_fields = ("name", "device__ae_title", "device__name")
    show_facets = admin.ShowFacets.NEVER
    readonly_fields = ("created_at", "updated_at")
    fieldsets = (
        (None, {"fields": (("device", "enabled"), "name")}),
        (gettext_lazy("When"), {"fields": ("weekdays", ("at", "overdue_hours"))}),
        (
            gettext_lazy("The phantom"),
            {
                "fields": (
                    "id_scope",
                    ("id_pattern", "name_pattern"),
                    ("patient_weight_kg", "patient_birth_date"),
                ),
                "description": gettext_lazy(
                    "What is not known stays empty. Its sex is sent as other (O), and no participant may "
                    "have its ID."
                ),
            },
        ),
        (
            gettext_lazy("Procedure"),
            {"fields": (("modality", "protocol_name"), "procedure_description")},
        ),
        (gettext_lazy("Record"), {"fields": (("created_at", "updated_at"),), "classes": ("collapse",)}),
    )

    @admin.display(description=gettext_lazy("when"))
    def when(self, rule: QaRule) -> str:
        return in_words(rule)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/scan/", view(self.scan_view), name="worklist_qarule_scan"),
            *super().get_urls(),
        ]

    @method_decorator(require_POST)
    def scan_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make an item by the rule for now, with a way back."""
        if not (self.has_view_permission(request) and may_scan(request)):
            raise PermissionDenied
        try:
            item = on_demand.scan_now(pk, actor=request.user.get_username())
        except QaRule.DoesNotExist as error:
            raise Http404 from error
        except ValidationError as error:
            messages.error(request, _("No QA scan: %(why)s") % {"why": " ".join(planning.sentences(error))})
        else:
            words = {"who": sentences.name_of(item), "scanner": sentences.scanner(item)}
            undo.say(
                request,
                _("%(who)s is offered to %(scanner)s now.") % words,
                undo.of_items(request, [moves.made(item)]),
            )
            placed = ("scheduled_start_date", "scheduled_station_aetitle")
            for oddity in oddities.of({name: getattr(item, name) for name in placed}):
                messages.warning(request, oddity)
        return back(request, reverse("admin:index"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        """Save the rule, and have its scans follow at once: the worker looks once an hour."""
        super().save_model(request, obj, form, change)
        if problem := planning.plan(obj.pk, actor=request.user.get_username()):
            messages.warning(request, problem)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        _take_back(obj, request)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for rule in queryset:
            _take_back(rule, request)
        super().delete_queryset(request, queryset)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        rule = kwargs.get("obj")
        context.update(may_scan=rule is not None and rule.enabled and may_scan(request))
        return super().render_change_form(request, context, *args, **kwargs)


def may_scan(request: HttpRequest) -> bool:
    return request.user.has_perm("worklist.add_worklistitem")


def in_words(rule: QaRule) -> str:
    """Say when the rule asks for a scan: Mon, Thu 07:00."""
    if not rule.weekdays:
        return _("on demand")
    days = ", ".join(str(WEEKDAYS_ABBR[day]) for day in rule.weekdays)
    return f"{days} {rule.at:%H:%M}"


def _take_back(rule: QaRule, request: HttpRequest) -> None:
    """Take back what is to come before the rule goes."""
    QaRule.objects.filter(pk=rule.pk).update(enabled=False)
    planning.plan(rule.pk, actor=request.user.get_username())
