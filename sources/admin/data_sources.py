"""A source has its page in the admin: its state, its form, its mapping, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from sources.admin import badges, buttons, identifying, looked, pages
from sources.admin.choose_filing import choose_filing
from sources.admin.deleting import DeletingAdmin
from sources.admin.filing import filing
from sources.admin.kinds.page import Button, KindPage, buttons_of_kinds, chosen, kind_of, page_of
from sources.admin.mapping import MappingRuleInline, target_options
from sources.admin.progress import ProgressAdmin, progress_of
from sources.admin.project_search import ProjectSearchAdmin
from sources.admin.row_samples import RowSamplesAdmin
from sources.admin.runs_chart import chart_of
from sources.admin.source_forms import MEANING, DataSourceForm, shown
from sources.admin.source_history import SourceHistoryAdmin
from sources.admin.stepper import steps_of
from sources.admin.suggestion import suggest_mapping
from sources.admin.written_rows import WriteRuleInline
from sources.kinds import KINDS, can_write, with_details
from sources.mapping import targets
from sources.models import DataSource, MappingRule, State
from sources.models.details import SourceDetails, columns_of
from sources.sync import guards, health
from sources.sync.guards import Guarded
from worklist.devices import stations
from worklist.validators import time_zones

MESSAGE_SHOWN = 120  # characters, in the list


PULL, CHANGE = "pull_datasource", "change_datasource"
BUTTONS = {
    "pull": Button(PULL, buttons.pull, gettext_lazy("Pull now")),
    "full_pull": Button(PULL, buttons.full_pull, gettext_lazy("Full pull")),
    "preview": Button(PULL, pages.preview, gettext_lazy("Preview"), only_looks=True),
    "compare": Button(PULL, pages.compare, gettext_lazy("Compare"), only_looks=True),
    "check": Button(PULL, buttons.check, only_looks=True),
    "suggest": Button(CHANGE, suggest_mapping),
    "choose_filing": Button(CHANGE, choose_filing),
    "filing": Button(PULL, filing, only_looks=True),
    "enable": Button(CHANGE, buttons.enable),
    "allow": Button(CHANGE, buttons.allow),
    "agree": Button(CHANGE, identifying.agree_to_identifying),
    "withdraw_all": Button(CHANGE, buttons.withdraw_all),
    "let_back": Button(CHANGE, buttons.let_back),
    **buttons_of_kinds(),
}


@admin.register(DataSource)
class DataSourceAdmin(DeletingAdmin, ProgressAdmin, RowSamplesAdmin, ProjectSearchAdmin, SourceHistoryAdmin):
    list_title = gettext_lazy("Sources")
    inlines = (MappingRuleInline,)
    list_display = ("name", "badge", "message", "last_success", "next_pull", "open_issues")
    search_fields = ("name",)
    ordering = ("name",)
    show_facets = admin.ShowFacets.NEVER
    actions = None  # each is deleted on its own page, which asks what becomes of its items
    hidden_at_first = frozenset({"most_added", "writes_back"})

    def get_queryset(self, request: HttpRequest) -> Any:
        open_issues = Count("issues", filter=Q(issues__closed_at=None))
        sources = super().get_queryset(request).select_related("state", *with_details())
        return sources.annotate(open_issue_count=open_issues)

    @admin.display(description=gettext_lazy("state"), ordering="state__state")
    def badge(self, source: DataSource) -> str:
        return badges.state_badge(source)

    @admin.display(description=gettext_lazy("message"))
    def message(self, source: DataSource) -> str:
        text = source.state.message
        return text if len(text) <= MESSAGE_SHOWN else f"{text[:MESSAGE_SHOWN]}…"

    @admin.display(description=gettext_lazy("last success"), ordering="state__last_success_at")
    def last_success(self, source: DataSource) -> str:
        return health.ago(source.state.last_success_at)

    @admin.display(description=gettext_lazy("next pull"), ordering="state__next_pull_at")
    def next_pull(self, source: DataSource) -> str:
        return health.next_pull(source)

    @admin.display(description=gettext_lazy("open issues"), ordering="open_issue_count")
    def open_issues(self, source: Any) -> int:
        return int(source.open_issue_count)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        page = page_of(kind_of(request, obj))
        if obj is None:
            return [_of_a_new_source(each) for each in _without(page.fieldsets, self.hidden_at_first)]
        if self._edits(request, obj):
            return page.fieldsets
        shown = _without(page.fieldsets, page.hidden_from_viewers)
        return [_only_shown(each, page.form.details_model) for each in shown]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Show what is written back of a source that exists, where its kind can write."""
        writes = obj is not None and can_write(obj.kind)
        return (*self.inlines, WriteRuleInline) if writes else self.inlines

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Keep the kind, which was chosen first, and the name of a source that exists: its items name it."""
        fields = (*super().get_readonly_fields(request, obj), "kind")
        return (*fields, "name") if obj else fields

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Propose the scanner where there is only one."""
        return {targets.STATION: stations.only_one(), **super().get_changeform_initial_data(request)}

    def _edits(self, request: HttpRequest, source: DataSource | None) -> bool:
        return self.has_change_permission(request, source) if source else self.has_add_permission(request)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        kind = kind_of(request, obj)
        page = page_of(kind)
        form: Any = super().get_form(request, obj, change=change, form=page.form, **kwargs)
        form.kind, form.actor = kind, request.user.get_username()  # a class of this request's own
        if obj is None or self._edits(request, obj):
            page.prepare_form(form, request, obj)
        if obj is not None and self._edits(request, obj):
            form.only_scanner = "" if obj.scheduled_station_aetitle else stations.only_one()
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if form.changed_data or not change:
            obj.save_with_details(form.actor)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:  # noqa: FBT001
        """Hand the source that the form makes to the mapping's rows, which are checked together with it."""
        source = super().save_form(request, form, change)
        source.saved_by = form
        return source

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001
        """Save the rows with the person's name in the history of each."""
        rows = formset.save(commit=False)
        for row in formset.deleted_objects:
            row._history_user = form.actor
            row.delete()
        for row in rows:
            row.save_as(form.actor)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        super().save_related(request, form, formsets, change)
        has_new_mapping = any(formset.has_changed() for formset in formsets if formset.model is MappingRule)
        if change and (form.changed_data or has_new_mapping):
            page, changed = page_of(form.instance.kind), set(form.changed_data)
            is_other = has_new_mapping or bool((MEANING | page.meaning | page.access) & changed)
            if page.access & changed:
                guards.allow_nothing(form.instance)
            elif is_other:
                # Who changes what is taken means what comes by it; whom it names is asked about all the same.
                guards.allow_next_time(form.instance, Guarded.ADDED, by=form.actor)
            buttons.resume(request, form.instance, full=is_other)

    @method_decorator(sensitive_post_parameters())
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        source = self.get_object(request, object_id) if object_id else None
        of_source = {**self._state(request, source), "title": str(source), "subtitle": None} if source else {}
        if source is None and not chosen(request):
            return self._choose_kind(request)
        page = page_of(kind_of(request, source))
        context = {**self._choices(), "title": _("Add a source"), "page": page, **of_source}
        response = super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})
        page.after_form(request, _refused(request, response))
        return response

    def _choose_kind(self, request: HttpRequest) -> HttpResponse:
        """Ask which kind a new source is to be, before anything else of it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Add a source"),
            "opts": self.opts,
            "kinds": [(kind, page_of(kind)) for kind in KINDS],
        }
        return TemplateResponse(request, "admin/sources/choose_kind.html", context)

    def _choices(self) -> dict[str, Any]:
        """Return what fields of the form may be filled with; a project's fields are searched for."""
        return {
            "mapping_targets": target_options(),
            "time_zones": sorted(time_zones()),
            "scanners": stations.options(),
        }

    def _state(self, request: HttpRequest, source: DataSource) -> dict[str, Any]:
        edits = self.has_change_permission(request, source)
        page = page_of(source.kind)
        may = {name for name, button in _buttons(page).items() if self._may(request, button)}
        return {
            **progress_of(source),
            "steps": steps_of(source, may.__contains__),
            "buttons": [
                (name, button.label)
                for name, button in BUTTONS.items()
                if button.label and name in may and source.enabled
            ],
            "files": {name for name in ("choose_filing", "filing") if name in may and source.rules.exists()},
            "chart": chart_of(source) if request.user.has_perm("sources.view_syncrun") else None,
            "edits_source": edits,
            "seen": looked.previewed(source),
            "held": buttons.what_is_held(source),
            "is_set_aside": source.enabled and source.state.state == State.SET_ASIDE,
            "identifying": identifying.of_source(source),
            "rules_in_words": guards.in_words(source),
            "others": (others := source.details.others()),
            "links_to_others": format_html_join(
                ", ", '<a href="{}">{}</a>', ((_page_of(other), other) for other in others)
            ),
            "is_not_yet_enabled": health.is_not_yet_enabled(source),
            "has_samples": "preview" in may,
            "left_out": list(source.erased_records.all()),
            **page.state_context(source),
        }

    def _may(self, request: HttpRequest, button: Button) -> bool:
        return bool(request.user.has_perm(f"sources.{button.permission}"))

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(self._view_of(button)),
                name=f"sources_datasource_{name}",
            )
            for name, button in BUTTONS.items()
        ]
        scanner = path(
            "named/<path:name>/scanner/",
            self.admin_site.admin_view(self.scanner_view),
            name="sources_datasource_scanner",
        )
        return [
            scanner,
            *own,
            *self.progress_urls(),
            *self.sample_urls(),
            *self.search_urls(),
            *super().get_urls(),
        ]

    def scanner_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Lead to where a source's scanner is set: the row of its mapping, or the constant."""
        source = DataSource.objects.filter(name=name).first()
        if source is None or not self.has_view_permission(request, source):
            messages.warning(request, _("You see no source %(name)s here.") % {"name": name})
            return HttpResponseRedirect(reverse("admin:index"))
        place = (
            "rules-group" if source.rules.filter(target=targets.STATION).exists() else f"id_{targets.STATION}"
        )
        return HttpResponseRedirect(f"{_page_of(source)}#{place}")

    def _view_of(self, button: Button) -> Callable[..., HttpResponse]:
        @require_POST
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            if not self._may(request, button):
                raise PermissionDenied
            source = DataSource.objects.select_related("state", *with_details()).filter(pk=pk).first()
            if source is None or button not in _buttons(page_of(source.kind)).values():
                raise Http404
            return button.act(self, request, buttons.patient(source) if button.only_looks else source)

        return view


def _buttons(page: KindPage) -> dict[str, Button]:
    """Return the common buttons and the kind's own."""
    others = set(buttons_of_kinds()) - set(page.buttons)
    return {name: button for name, button in BUTTONS.items() if name not in others | page.buttons_left_out}


def _page_of(source: DataSource) -> str:
    return reverse("admin:sources_datasource_change", args=[source.pk])


def _refused(request: HttpRequest, response: Any) -> DataSourceForm | None:
    """Return the form that was sent and comes back with what is wrong with it."""
    if request.method != "POST" or not isinstance(response, TemplateResponse) or not response.context_data:
        return None
    form: DataSourceForm = response.context_data["adminform"].form
    return form


def _without(fieldsets: Any, fields: frozenset[str]) -> list[Any]:
    """Leave out the fieldsets with one of the fields."""
    return [each for each in fieldsets if not fields & set(flatten(each[1]["fields"]))]


def _only_shown(fieldset: Any, details: type[SourceDetails]) -> Any:
    """Show what is the kind's own, which a source's model has no fields for."""
    own = set(columns_of(details))
    title, options = fieldset

    def each(field: Any) -> Any:
        if isinstance(field, tuple):
            return tuple(map(each, field))
        return shown(details, field) if field in own else field

    return title, {**options, "fields": tuple(map(each, options["fields"]))}


def _of_a_new_source(fieldset: Any) -> Any:
    """Leave out the switch: a new source is enabled from its preview."""
    title, options = fieldset
    return title, {**options, "fields": tuple(each for each in options["fields"] if each != "enabled")}
