"""Scanners reported these steps. A person links, unlinks and closes; the report itself nobody edits."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Model, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from pylantir_site.kept_search import KeptSearch
from pylantir_site.returning import back
from pylantir_site.view_only import ViewOnly
from worklist.admin import comparison, dataset, exports, sentences, undo
from worklist.admin.badges import LINE_BREAK, status_badge
from worklist.admin.confirmation import attempt, filled_in
from worklist.admin.filters import LinkedFilter, NamedValuesFilter, NeedsAttentionFilter
from worklist.admin.forms import TO_CLOSE_AS, CloseForm, RequiredReasonForm
from worklist.admin.history import ActorHistoryAdmin
from worklist.admin.linking_panel import panel
from worklist.attention import as_sent, identity
from worklist.dicom import name_parts
from worklist.examinations import performing
from worklist.models import Attention, PerformedStatus, PerformedStep, PerformedStepItem, WorklistItem
from worklist.models.changes import HistoryEntry

LINK_ACTIONS = {
    "+": gettext_lazy("Linked to %(item)s"),
    "~": gettext_lazy("Link changed to %(item)s"),
    "-": gettext_lazy("Unlinked from %(item)s"),
}


class ComparedLink(NamedTuple):
    """This is a link, and what the worklist says beside what the scanner reported."""

    link: PerformedStepItem
    rows: list[comparison.ComparedRow]


@admin.register(PerformedStep)
class PerformedStepAdmin(KeptSearch, ViewOnly, ActorHistoryAdmin):
    list_title = gettext_lazy("Performed steps")
    list_display = ("patient", "patient_id", "badge", "started", "ended", "station", "performs", "marks")
    list_filter = (
        ("status", admin.ChoicesFieldListFilter),
        ("performed_station_ae_title", NamedValuesFilter),
        LinkedFilter,
        NeedsAttentionFilter,
    )
    date_hierarchy = "start_date"
    ordering = ("-created_at", "-pk")
    search_fields = (*PerformedStep.searched_names, *PerformedStep.searched_ids)
    search_help_text = gettext_lazy(
        "Any part of a name, patient ID or performed step ID as the scanner reported it, without regard to "
        "accents and punctuation; or a whole accession number, Study or SOP Instance UID."
    )
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    actions = None
    not_in_history = ("dataset",)

    def get_queryset(self, request: HttpRequest) -> Any:
        open_points = Attention.objects.open().filter(step=OuterRef("pk"))
        steps = super().get_queryset(request).defer("dataset").prefetch_related("items")
        return steps.annotate(needs_attention=Exists(open_points))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return (queryset.search(search_term) if search_term else queryset), False

    @admin.display(description=gettext_lazy("patient"), ordering="patient_name")
    def patient(self, step: PerformedStep) -> str:
        return step.readable_patient_name or _("not named")

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def badge(self, step: PerformedStep) -> str:
        return status_badge(step.status)

    @admin.display(description=gettext_lazy("started"), ordering="start_date")
    def started(self, step: PerformedStep) -> str:
        return comparison.moment(step.start_date, step.start_time) or "-"

    @admin.display(description=gettext_lazy("ended"), ordering="end_date")
    def ended(self, step: PerformedStep) -> str:
        other_day = step.end_date if step.end_date != step.start_date else None
        return comparison.moment(other_day, step.end_time) or "-"

    @admin.display(description=gettext_lazy("station"), ordering="performed_station_ae_title")
    def station(self, step: PerformedStep) -> str:
        return step.performed_station_ae_title or "-"

    @admin.display(description=gettext_lazy("performs"))
    def performs(self, step: PerformedStep) -> str:
        url = "admin:worklist_worklistitem_change"
        named = ((reverse(url, args=[item.pk]), item) for item in step.items.all())
        return format_html_join(LINE_BREAK, '<a href="{}">{}</a>', named) or _("nothing scheduled")

    @admin.display(description=gettext_lazy("to look at"))
    def marks(self, step: Any) -> str:
        marks = []
        if step.needs_attention:
            marks.append(format_html('<span class="status kind-identity">{}</span>', _("Attention")))
        if step.deviations:
            marks.append(format_html('<span class="status kind-deviation">{}</span>', _("Deviations")))
        return format_html_join(" ", "{}", ((mark,) for mark in marks))

    def get_urls(self) -> list[URLPattern]:
        views = {"link": self.link_view, "unlink": self.unlink_view, "close": self.close_view}
        export_view = self.admin_site.admin_view(partial(exports.export_view, self))
        return [
            path("export/", export_view, name="worklist_performedstep_export"),
            *(
                path(
                    f"<int:pk>/{name}/",
                    self.admin_site.admin_view(view),
                    name=f"worklist_performedstep_{name}",
                )
                for name, view in views.items()
            ),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the page of a step. By POST it searches the worklist, and changes nothing."""
        step = self.get_object(request, object_id)
        if step is None:
            raise Http404
        if not self.has_view_permission(request, step):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": str(step),
            "opts": self.opts,
            "step": step,
            "reported": comparison.rows(None, step),
            "series": step.series.all(),
            "dataset": dataset.as_text(step.dataset),
            "points": step.attention.order_by("-resolved_at", "kind"),
            **step_context(request, step, compared_links(step), to_link=True),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/worklist/performedstep/detail.html", context)

    @method_decorator(require_POST)
    def link_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        step, item = self._named(request, pk)
        act = partial(performing.link, step, item, actor=request.user.get_username())
        words = {"who": sentences.name_of(item), "when": sentences.moment(item)}
        attempt(
            request,
            act,
            done=_("Linked to %(who)s, %(when)s.") % words,
            token=lambda _linked: undo.of_link(request, step, item),
        )
        return back(request, _page(pk))

    @method_decorator(require_POST)
    def unlink_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        step, item = self._named(request, pk)
        form = RequiredReasonForm(request.POST)
        if filled_in(request, form):
            actor, reason = request.user.get_username(), form.cleaned_data["reason"]
            act = partial(performing.unlink, step, item, actor=actor, reason=reason)
            words = {"who": sentences.name_of(item), "when": sentences.moment(item)}
            attempt(request, act, done=_("No longer linked to %(who)s, %(when)s.") % words)
        return back(request, _page(pk))

    @method_decorator(require_POST)
    def close_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        step = self._changeable(request, pk)
        form = CloseForm(request.POST)
        if filled_in(request, form):
            actor, reason = request.user.get_username(), form.cleaned_data["reason"]
            to = PerformedStatus(form.cleaned_data["to"])
            act = partial(performing.close, step, to=to, actor=actor, reason=reason)
            words = {"who": sentences.name_of(step), "status": to.label}
            attempt(request, act, done=_("%(who)s: closed as “%(status)s”.") % words)
        return back(request, _page(pk))

    def _named(self, request: HttpRequest, pk: int) -> tuple[PerformedStep, WorklistItem]:
        """Return the step, and the item that the form names."""
        step = self._changeable(request, pk)
        item_pk = request.POST.get("item", "")
        item = WorklistItem.objects.filter(pk=item_pk).first() if item_pk.isdecimal() else None
        if item is None:
            raise Http404
        return step, item

    def _changeable(self, request: HttpRequest, pk: int) -> PerformedStep:
        if not may_change(request):
            raise PermissionDenied
        step = PerformedStep.objects.filter(pk=pk).first()
        if step is None:
            raise Http404
        return step

    def _entries(self, obj: Model) -> list[HistoryEntry]:
        """Return the history of the step, and of what it was linked to."""
        both = [*super()._entries(obj), *_links_in_history(obj)]
        return sorted(both, key=lambda entry: entry.record.history_date, reverse=True)


def may_change(request: HttpRequest) -> bool:
    """Return whether the person may link, unlink and close."""
    return request.user.has_perm("worklist.change_performedstep")


def compared_links(step: PerformedStep) -> list[ComparedLink]:
    links = step.links.select_related("item").order_by("pk")
    rules = as_sent.rules_of(step.calling_ae_title)
    tolerance = identity.weight_tolerance(step.calling_ae_title)
    return [ComparedLink(link, comparison.rows(link.item, step, rules, tolerance)) for link in links]


def step_context(
    request: HttpRequest, step: PerformedStep, links: list[ComparedLink], *, to_link: bool
) -> dict[str, Any]:
    """Return what the parts of a page need that show a step's items and act on it."""
    offers_links = to_link and may_change(request)
    return {
        "links": links,
        "may_change_step": may_change(request),
        "offers_links": offers_links,
        "to_close_as": TO_CLOSE_AS,
        **(panel(request, step) if offers_links else {}),
    }


def _links_in_history(step: Model) -> Iterator[HistoryEntry]:
    """Yield the links' history, with the items as they are now, or were when they were deleted."""
    records = list(PerformedStepItem.history.filter(step_id=step.pk))
    of_items = WorklistItem.history.filter(id__in={record.item_id for record in records})
    items = {item.id: item for item in of_items.order_by("history_date", "history_id")}
    for record in records:
        item = items.get(record.item_id)
        named = (
            f"{name_parts.readable(item.patient_name)} · {item.patient_id} · {item.scheduled_start_date}"
            if item
            else _("an appointment")
        )
        yield HistoryEntry(record, LINK_ACTIONS[record.history_type] % {"item": named}, [])


def _page(pk: int) -> str:
    return reverse("admin:worklist_performedstep_change", args=[pk])
