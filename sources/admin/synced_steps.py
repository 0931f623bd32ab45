"""This page lists items that a person deleted here, and takes fields of items from their source again."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from pylantir_site.returning import back
from sources.admin.issues import ChangeListWithLinks
from sources.admin.links import Links, session_in_words
from sources.admin.view_only import ViewOnlyAdmin
from sources.kinds import with_details
from sources.mapping.targets import TARGETS
from sources.models import PendingRecord, SyncedStep
from sources.sync import claims, edits
from worklist.admin.confirmation import act_on_each, attempt, report


@admin.action(description=gettext_lazy("Make again"), permissions=["remake"])
def make_again(model_admin: Any, request: HttpRequest, queryset: QuerySet[SyncedStep]) -> None:
    report(model_admin, request, act_on_each(request, queryset, None, _remake), _made_again)


def _made_again(who: str, count: int) -> str:
    return ngettext("%(who)s was made again.", "%(who)s were made again.", count) % {"who": who}


def _remake(synced: SyncedStep, form: object, actor: str) -> None:
    """Make it as the source said last, and have the record read again: it may say otherwise by now."""
    edits.remake(synced, actor=actor)
    PendingRecord.objects.get_or_create(source_id=synced.source_id, record=synced.record)
    claims.request_pull(synced.source, by=actor)


@admin.register(SyncedStep)
class SyncedStepAdmin(ViewOnlyAdmin):
    list_title = gettext_lazy("Deleted here")
    list_display = ("record", "where", "source", "at_source")
    list_display_links = None
    list_filter = (("source", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("=record",)
    search_help_text = gettext_lazy("A whole record ID.")
    actions = (make_again,)
    fields = ("source", ("record", "where"), "at_source")

    def get_queryset(self, request: HttpRequest) -> Any:
        deleted = super().get_queryset(request).filter(item=None).exclude(says={})
        return deleted.defer("says", "written").prefetch_related("source__state", *with_details(of="source"))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeListWithLinks]:
        return ChangeListWithLinks

    @admin.display(description=gettext_lazy("session"), ordering="instance")
    def where(self, synced: SyncedStep) -> str:
        return session_in_words(synced.key) or _("the record")

    @admin.display(description=gettext_lazy("at the source"))
    def at_source(self, synced: SyncedStep) -> str:
        links: Links = getattr(synced, "links", None) or Links()
        return links.anchor(synced.source, synced.record, synced.key) or "-"

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Keep the page out of the menu: the box of sources leads here when there is something to see."""
        return False

    def has_remake_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sources.change_syncedstep")

    def get_urls(self) -> list[URLPattern]:
        follow = self.admin_site.admin_view(self.follow_view)
        another = self.admin_site.admin_view(self.another_view)
        return [
            path("<int:pk>/follow/", follow, name="sources_syncedstep_follow"),
            path("<int:pk>/another/", another, name="sources_syncedstep_another"),
            *super().get_urls(),
        ]

    @method_decorator(require_POST)
    def follow_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take the named fields of an item from its source again."""
        if not may_follow(request):
            raise PermissionDenied
        synced = SyncedStep.objects.filter(pk=pk).first()
        if synced is None:
            raise Http404
        fields = request.POST.getlist("field")
        named = ", ".join(map(label_of, fields))
        done = (
            _("From the source again: %(fields)s.") % {"fields": named} if named else _("Nothing was chosen.")
        )
        follow = partial(edits.follow_again, synced, fields, actor=request.user.get_username())
        attempt(request, follow, done=done % {"fields": named})
        return back(request, reverse("admin:worklist_worklistitem_changelist"))

    @method_decorator(require_POST)
    def another_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make the item of another appointment, which the row of an examined one stands for now."""
        if not may_make_another(request):
            raise PermissionDenied
        synced = SyncedStep.objects.filter(pk=pk).first()
        if synced is None:
            raise Http404
        make = partial(edits.make_another, synced, actor=request.user.get_username())
        if attempt(request, make, done=_("Another item was made of what the source says now.")):
            claims.request_pull(synced.source, by=request.user.get_username())
        return back(request, reverse("admin:worklist_worklistitem_changelist"))


def may_make_another(request: HttpRequest) -> bool:
    return request.user.has_perms(("sources.change_syncedstep", "worklist.add_worklistitem"))


def may_follow(request: HttpRequest) -> bool:
    return request.user.has_perms(("sources.change_syncedstep", "worklist.change_worklistitem"))


def label_of(target: str) -> str:
    """Return the label of an item's field; a DICOM keyword is its own."""
    return TARGETS.get(target, target)
