"""A coordinator looks at points of attention here, and does something about them."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from pylantir_site import elapsed
from pylantir_site.kept_search import KeptSearch
from pylantir_site.lists import FriendlyTitles
from pylantir_site.quick_lists import KeysFirst
from pylantir_site.returning import back, came_from
from pylantir_site.view_only import ViewOnly
from worklist.admin import comparison, sentences, settling, undo
from worklist.admin.badges import LINE_BREAK, kind_badge
from worklist.admin.confirmation import Wording, ask_then_do, attempt, filled_in
from worklist.admin.filters import PointStateFilter
from worklist.admin.forms import NoteForm
from worklist.admin.performed_steps import compared_links, step_context
from worklist.attention import archived, points, whose_id
from worklist.examinations import weighing
from worklist.items.double_booking import UNKNOWN_TIME
from worklist.models import Attention, AttentionKind, WorklistItem

LINES_IN_THE_LIST = 4
# What the page of a point offers beside its note.
ITEM_ACTIONS = (("reschedule_items", gettext_lazy("Reschedule…")), ("cancel_items", gettext_lazy("Cancel…")))

# Whose weight holds, and what is said when it does.
WEIGHTS_OF = {
    "scanner": gettext_lazy("%(who)s has the scanner's weight now."),
    "worklist": gettext_lazy("Resolved for %(who)s: our weight was kept."),
}


@admin.action(description=gettext_lazy("Resolve…"), permissions=["resolve"])
def resolve_points(model_admin: Any, request: HttpRequest, queryset: QuerySet[Attention]) -> Any:
    wording = Wording("resolve_points", _("Resolve these points?"), _("Resolve"), _resolved)
    return ask_then_do(model_admin, request, queryset, NoteForm, _resolve, wording, token=undo.of_points)


def _resolved(who: str, count: int) -> str:
    return _("Resolved for %(who)s.") % {"who": who}


def _resolve(point: Attention, form: Any, actor: str, *, seen: str | None = None) -> Attention:
    """Resolve the point, and return it as it is stored then. `seen` is its text, where the page told it."""
    if seen is not None and seen.split() != point.text.split():
        raise ValidationError(_("It says something else by now. Look at it again."))
    note = form.cleaned_data["note"]
    if not points.resolve(point, actor=actor, note=note, as_read=seen is not None):
        raise ValidationError(_("It is resolved already."))
    point.refresh_from_db()
    return point


@admin.register(Attention)
class AttentionAdmin(KeptSearch, ViewOnly, FriendlyTitles, admin.ModelAdmin):
    list_title = gettext_lazy("Needs attention")
    list_display = ("badge", "who", "code", "when", "lines", "since")
    list_filter = (PointStateFilter, ("kind", admin.ChoicesFieldListFilter))
    search_fields = ("item__patient_name", "item__patient_id", "step__patient_name", "step__patient_id")
    search_help_text = gettext_lazy("Any part of a name or an ID, of the worklist or of the scanner.")
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    paginator = KeysFirst
    actions = (resolve_points,)

    class Media:
        js = ("pylantir/dialogs.js",)

    def get_queryset(self, request: HttpRequest) -> Any:
        # Not the stock one, which would order by what is not annotated yet.
        rows = Attention.objects.select_related("item", "step").defer("step__dataset")
        return rows.worst_first().with_linker().annotate(opened=F("opened_at"))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("severity", "-opened_at", "-pk")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        if request.GET.get(PointStateFilter.parameter_name):
            return (*self.list_display, "outcome")
        return (*self.list_display, "to_do") if self.has_resolve_permission(request) else self.list_display

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return (queryset.search(search_term) if search_term else queryset), False

    @admin.display(description=gettext_lazy("kind"), ordering="severity")
    def badge(self, point: Attention) -> str:
        return kind_badge(point.kind)

    @admin.display(description=gettext_lazy("who"))
    def who(self, point: Attention) -> str:
        about = point.item or point.step
        if about is None:
            return _("nobody scheduled")
        return about.readable_patient_name or _("not named")

    @admin.display(description=gettext_lazy("patient ID"))
    def code(self, point: Attention) -> str:
        about = point.item or point.step
        return (about.patient_id if about else "") or "-"

    @admin.display(description=gettext_lazy("when"))
    def when(self, point: Attention) -> str:
        if point.item:
            at = point.item.scheduled_start_time
            return comparison.moment(point.item.scheduled_start_date, None if at == UNKNOWN_TIME else at)
        return (comparison.moment(point.step.start_date, point.step.start_time) if point.step else "") or "-"

    @admin.display(description=gettext_lazy("to do"))
    def to_do(self, point: Attention) -> str:
        return settling.link(point)

    @admin.display(description=gettext_lazy("what"))
    def lines(self, point: Attention) -> str:
        lines = point.text.splitlines()
        shown = [Truncator(line).chars(200) for line in lines[:LINES_IN_THE_LIST]]
        if len(lines) > LINES_IN_THE_LIST:
            more = len(lines) - LINES_IN_THE_LIST
            shown.append(ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more})
        if linker := getattr(point, "linker", None):
            shown.append(_("Linked by %(who)s.") % {"who": linker})
        return format_html_join(LINE_BREAK, "{}", ((line,) for line in shown))

    @admin.display(description=gettext_lazy("since"), ordering="opened")
    def since(self, point: Attention) -> str:
        moment = timezone.localtime(point.opened_at)
        return format_html(
            '<span title="{}">{}</span>', f"{moment:%Y-%m-%d %H:%M}", elapsed.ago(point.opened_at)
        )

    @admin.display(description=gettext_lazy("outcome"), ordering="resolved_at")
    def outcome(self, point: Attention) -> str:
        if point.resolved_at is None:
            return _("open")
        day = timezone.localtime(point.resolved_at)
        return format_html("{}, {}<br>{}", point.resolved_by, f"{day:%Y-%m-%d %H:%M}", point.note)

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("worklist.change_attention")

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Any] = {
            "resolve": self.resolve_view,
            "weigh": self.weigh_view,
            "settle": partial(settling.settle_view, self),
        }
        return [
            *(
                path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"worklist_attention_{name}")
                for name, view in views.items()
            ),
            *super().get_urls(),
        ]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the point's own page, which tells who resolved it, when and why."""
        return HttpResponseRedirect(reverse("admin:worklist_attention_change", args=[object_id]))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the page of a point. By POST it searches the worklist, and changes nothing."""
        point = self.get_object(request, object_id)
        if point is None:
            raise Http404
        if not self.has_view_permission(request, point):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": str(point),
            "opts": self.opts,
            "point": point,
            "came_from": came_from(request),
            "stock_notes": settling.stock_notes(point),
            "may_resolve": self.has_resolve_permission(request),
            "note_form": NoteForm(),
            "others": _others(point),
            **_about(request, point),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/worklist/attention/detail.html", context)

    @method_decorator(require_POST)
    def resolve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_resolve_permission(request):
            raise PermissionDenied
        point = _with_its_subject(pk)
        form = NoteForm({"note": settling.note_of(request.POST)})
        if filled_in(request, form):
            act = partial(_resolve, point, form, request.user.get_username(), seen=request.POST.get("seen"))
            if attempt(
                request,
                act,
                done=_resolved(sentences.name_of(point), 1),
                token=lambda resolved: undo.of_points(request, [resolved]),
            ):
                return back(request, reverse("admin:worklist_attention_changelist"))
        return HttpResponseRedirect(reverse("admin:worklist_attention_change", args=[pk]))

    @method_decorator(require_POST)
    def weigh_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take the scanner's weight over, or keep the item's, as the button says."""
        takes = request.POST.get("weight") == "scanner"
        if not self.has_resolve_permission(request) or (takes and not _may_change_items(request)):
            raise PermissionDenied
        if request.POST.get("weight") not in WEIGHTS_OF:
            raise Http404
        point = _with_its_subject(pk)
        settle = weighing.take_scanners if takes else weighing.keep_ours
        act = partial(settle, point, actor=request.user.get_username(), seen=request.POST.get("seen"))
        if attempt(request, act, done=WEIGHTS_OF[request.POST["weight"]] % {"who": sentences.name_of(point)}):
            return back(request, reverse("admin:worklist_attention_changelist"))
        return HttpResponseRedirect(reverse("admin:worklist_attention_change", args=[pk]))


def _with_its_subject(pk: int) -> Attention:
    point = Attention.objects.select_related("item", "step").filter(pk=pk).first()
    if point is None:
        raise Http404
    return point


def _may_change_items(request: HttpRequest) -> bool:
    return request.user.has_perm("worklist.change_worklistitem")


def _others(point: Attention) -> QuerySet[Attention]:
    """Return what else is open about the same examination."""
    if point.step is not None:
        return point.step.attention.open().exclude(pk=point.pk).worst_first()
    same = Q(item=point.item) if point.item else Q(study_instance_uid=point.study_instance_uid)
    return Attention.objects.open().filter(same).exclude(pk=point.pk).worst_first()


def _about(request: HttpRequest, point: Attention) -> dict[str, Any]:
    """Return the step and its items, or the item alone."""
    context: dict[str, Any] = {
        "item": point.item,
        "step": point.step,
        "item_actions": ITEM_ACTIONS if _may_change_items(request) and not archived.is_of(point) else (),
        "is_about_weight": point.kind in weighing.OF_WEIGHT,
        "may_correct": point.kind in weighing.OF_IDENTITY,
    }
    if point.is_open and point.kind in weighing.OF_WEIGHT:
        not_allowed = "" if _may_change_items(request) else _("You may not change appointments.")
        context["why_not_taken"] = not_allowed or weighing.why_not_taken(point)
    if point.step is None:
        return {**context, "of_the_id": _of_the_id(point)}
    links = compared_links(point.step)
    of_the_item = [each for each in links if each.link.item_id == point.item_id]
    shown = of_the_item if point.item else links
    to_link = point.is_open and point.kind == AttentionKind.UNSCHEDULED
    context["reported"] = comparison.rows(None, point.step)
    return {**context, **step_context(request, point.step, shown, to_link=to_link)}


def _of_the_id(point: Attention) -> list[WorklistItem]:
    """Return the items whose patient ID is, or looks like, the one that the point is about."""
    if point.item is None or point.kind not in points.OF_ID:
        return []
    return (whose_id.others if point.kind == AttentionKind.SHARED_ID else whose_id.similar)(point.item)
