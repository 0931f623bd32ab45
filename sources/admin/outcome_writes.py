"""This page lists which outcomes are written back, and lets a person decide about those that need one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from pylantir_site.kept_search import KeptSearch
from sources import tasks
from sources.admin.links import Links, session_in_words
from sources.admin.view_only import ViewOnlyAdmin
from sources.kinds import with_details
from sources.models import Hindrance, OutcomeWrite, WriteIssue, WriteProgress
from sources.write_back import people, state

CHANGE = "sources.change_outcomewrite"
STATES = {
    WriteProgress.WAITING: "waiting",
    WriteProgress.DONE: "ok",
    WriteProgress.HELD: "held",
    WriteProgress.LEFT: "waiting",
}


class OpenIssueFilter(admin.SimpleListFilter):
    """An outcome with an open issue waits for a person, also while it is tried again."""

    title = gettext_lazy("what is wrong")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", WriteProgress.HELD.label)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutcomeWrite]) -> QuerySet[OutcomeWrite]:
        if self.value() != "yes":
            return queryset
        return queryset.filter(Exists(WriteIssue.objects.filter(write=OuterRef("pk"), closed_at=None)))


@admin.action(description=gettext_lazy("Try again"), permissions=["decide"])
def try_again(model_admin: Any, request: HttpRequest, queryset: QuerySet[OutcomeWrite]) -> None:
    count = 0
    for write in queryset:
        OutcomeWrite.ask(write.step_id)
        count += 1
    for source_pk in queryset.order_by().values_list("step__source", flat=True).distinct():
        state.try_now(source_pk)
    tasks.look_now()
    told = ngettext(
        "%(count)s outcome is tried in a moment.", "%(count)s outcomes are tried in a moment.", count
    )
    messages.success(request, told % {"count": count})


@admin.register(OutcomeWrite)
class OutcomeWriteAdmin(KeptSearch, ViewOnlyAdmin):
    list_title = gettext_lazy("Written back")
    list_display = ("record", "where", "participant", "badge", "hindered", "asked", "agreed", "source")
    list_filter = (
        OpenIssueFilter,
        ("state", admin.ChoicesFieldListFilter),
        ("step__source", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("=step__record",)
    search_help_text = gettext_lazy("A whole record ID.")
    actions = (try_again,)
    change_form_template = "admin/sources/outcome_write.html"
    fields = (
        "source",
        ("record", "where"),
        "participant",
        ("badge", "attempts"),
        ("asked", "agreed", "next_try"),
        "at_source",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        related = ("step__item", "step__source", *with_details(of="step__source"))
        rows = super().get_queryset(request).select_related(*related).defer("step__says", "step__written")
        return rows.prefetch_related("issues")

    @admin.display(description=gettext_lazy("record"), ordering="step__record")
    def record(self, write: OutcomeWrite) -> str:
        return str(write.step.record)

    @admin.display(description=gettext_lazy("session"), ordering="step__instance")
    def where(self, write: OutcomeWrite) -> str:
        return session_in_words(write.step.key) or _("the record")

    @admin.display(description=gettext_lazy("source"), ordering="step__source__name")
    def source(self, write: OutcomeWrite) -> str:
        return str(write.step.source)

    @admin.display(description=gettext_lazy("participant"))
    def participant(self, write: OutcomeWrite) -> str:
        item = write.step.item
        if item is None:
            return "-"
        page = reverse("admin:worklist_worklistitem_change", args=[item.pk])
        return format_html('<a href="{}">{}</a>', page, item)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def badge(self, write: OutcomeWrite) -> str:
        kind = STATES[WriteProgress(write.state)]
        return format_html('<span class="status status-{}">{}</span>', kind, write.get_state_display())

    @admin.display(description=gettext_lazy("what is wrong"))
    def hindered(self, write: OutcomeWrite) -> str:
        """Name fields and kinds; values stand on the outcome's own page."""
        return " ".join(str(issue) for issue in _open_issues(write)) or "-"

    @admin.display(description=gettext_lazy("asked at"), ordering="asked_at")
    def asked(self, write: OutcomeWrite) -> str:
        return f"{timezone.localtime(write.asked_at):%Y-%m-%d %H:%M}"

    @admin.display(description=gettext_lazy("agreed at"), ordering="agreed_at")
    def agreed(self, write: OutcomeWrite) -> str:
        return f"{timezone.localtime(write.agreed_at):%Y-%m-%d %H:%M}" if write.agreed_at else "-"

    @admin.display(description=gettext_lazy("next try"), ordering="due_at")
    def next_try(self, write: OutcomeWrite) -> str:
        is_tried = write.state in (WriteProgress.WAITING, WriteProgress.HELD)
        return f"{timezone.localtime(write.due_at):%Y-%m-%d %H:%M}" if is_tried else "-"

    @admin.display(description=gettext_lazy("at the source"))
    def at_source(self, write: OutcomeWrite) -> str:
        return Links().anchor(write.step.source, write.step.record, write.step.key) or "-"

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(CHANGE))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        write = self.get_object(request, object_id)
        shown = {
            "issues": _open_issues(write) if write else [],
            "differs": Hindrance.DIFFERS,
            "decides": self.has_decide_permission(request),
        }
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        own = {"try": self.try_view, "overwrite": self.overwrite_view, "leave": self.leave_view}
        return [
            *(
                path(
                    f"<int:pk>/{name}/",
                    self.admin_site.admin_view(view),
                    name=f"sources_outcomewrite_{name}",
                )
                for name, view in own.items()
            ),
            *super().get_urls(),
        ]

    @method_decorator(require_POST)
    def try_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        write = self._decided(request, pk)
        try_again(self, request, OutcomeWrite.objects.filter(pk=write.pk))
        return _to(write)

    @method_decorator(require_POST)
    def overwrite_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Write our value over the one that the person has seen, and over no other."""
        write, given = self._decided(request, pk), request.POST.get("issue", "")
        issue = WriteIssue.objects.filter(write=write, pk=int(given)).first() if given.isdecimal() else None
        if issue is None or not people.write_ours(issue):
            messages.error(request, _("It is so no longer: look again. Nothing was done."))
            return _to(write)
        self.log_change(request, write, f"Lets {issue.field} be overwritten.")
        state.try_now(write.step.source_id)
        tasks.look_now()
        messages.success(request, _("%(field)s is written in a moment.") % {"field": issue.field})
        return _to(write)

    @method_decorator(require_POST)
    def leave_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        write = self._decided(request, pk)
        people.leave(write)
        self.log_change(request, write, "Leaves it as it is at the source.")
        messages.success(request, _("It stays as it is there, until another outcome comes."))
        return _to(write)

    def _decided(self, request: HttpRequest, pk: int) -> OutcomeWrite:
        if not self.has_decide_permission(request):
            raise PermissionDenied
        write = OutcomeWrite.objects.select_related("step").filter(pk=pk).first()
        if write is None:
            raise Http404
        return write


def _open_issues(write: OutcomeWrite) -> list[WriteIssue]:
    return [issue for issue in write.issues.all() if issue.closed_at is None]


def _to(write: OutcomeWrite) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:sources_outcomewrite_change", args=[write.pk]))
