"""A source has its page in the admin: its state, its form, its mapping, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from sources.admin import badges, buttons, kept_token, pages
from sources.admin.deleting import DeletingAdmin
from sources.admin.mapping import MappingRuleInline, target_options
from sources.admin.project_search import ProjectSearchAdmin, event_names
from sources.admin.source_forms import ACCESS, MEANING, DataSourceForm
from sources.admin.source_history import SourceHistoryAdmin
from sources.admin.suggestion import suggest_mapping
from sources.mapping import targets
from sources.models import DataSource
from sources.models.same_project import others_on_its_project
from sources.secrets import CannotDecrypt
from sources.sync import claims, guards, health
from sources.sync.guards import Guarded
from worklist.devices import stations
from worklist.validators import time_zones

MESSAGE_SHOWN = 120  # characters, in the list


class Button(NamedTuple):
    label: str
    permission: str
    act: Callable[[Any, HttpRequest, DataSource], HttpResponse]
    is_on_top: bool = True  # else the page shows it where it belongs
    only_looks: bool = False


BUTTONS = {
    "check": Button("Test connection", "pull_datasource", buttons.check, only_looks=True),
    "pull": Button("Pull now", "pull_datasource", buttons.pull),
    "full_pull": Button("Full pull", "pull_datasource", buttons.full_pull),
    "preview": Button("Preview", "pull_datasource", pages.preview, only_looks=True),
    "compare": Button("Compare", "pull_datasource", pages.compare, only_looks=True),
    "suggest": Button("Suggest a mapping", "change_datasource", suggest_mapping),
    "new_secret": Button("New secret", "change_datasource", buttons.make_secret, is_on_top=False),
    "enable": Button("Enable", "change_datasource", buttons.enable, is_on_top=False),
    "allow": Button("Let it be done", "change_datasource", buttons.allow, is_on_top=False),
    "withdraw_all": Button("Cancel them", "change_datasource", buttons.withdraw_all, is_on_top=False),
}


@admin.register(DataSource)
class DataSourceAdmin(DeletingAdmin, ProjectSearchAdmin, SourceHistoryAdmin):
    form = DataSourceForm
    inlines = (MappingRuleInline,)
    list_display = ("name", "badge", "message", "last_success", "next_pull", "open_issues", "enabled")
    search_fields = ("name",)
    ordering = ("name",)
    show_facets = admin.ShowFacets.NEVER
    actions = None  # each is deleted on its own page, which asks what becomes of its items
    fieldsets = (
        (
            "Connection",
            {"fields": (("name", "kind"), "enabled", "url", "project_id", "server_timezone")},
        ),
        (
            "Token",
            {
                "fields": (
                    *("reads_too", "token", "token_is_kept", "forget_token"),
                    *("token_variable", "token_file"),
                ),
                "description": "One of three: stored here, in the worker's environment, or in a file.",
            },
        ),
        ("When", {"fields": ("sync_interval", ("window_start", "window_end"))}),
        ("Which appointments", {"fields": (("horizon_back_days", "horizon_ahead_days"),)}),
        (
            "Sessions",
            {
                "fields": (
                    ("session_kind", "session_instrument"),
                    ("session_events", "session_conditions"),
                    "without_time",
                ),
                "description": "Each session is one appointment, and becomes one item of the worklist.",
            },
        ),
        (
            "Constants",
            {"fields": ("site_id", targets.STATION, ("protocol_name", "hisris_coding_designator"))},
        ),
        (
            "Guards",
            {
                "fields": (
                    ("most_records_gone", "most_records_gone_percent"),
                    ("most_withdrawn", "most_withdrawn_percent"),
                    ("most_renamed", "most_renamed_percent"),
                    ("most_added", "most_added_percent"),
                ),
                "description": "What a pull may do unasked; beyond that a person looks first.",
                "classes": ("collapse",),
            },
        ),
        (
            "Advanced",
            {
                "fields": (
                    "ca_bundle",
                    ("overlap_minutes", "read_timeout"),
                    ("requests_per_minute", "batch_size"),
                ),
                "classes": ("collapse",),
            },
        ),
        ("Data Entry Trigger", {"fields": ("trigger_enabled",)}),
    )
    hidden_from_viewers = frozenset({"Token", "Data Entry Trigger"})
    hidden_at_first = frozenset({"Guards"})

    def get_queryset(self, request: HttpRequest) -> Any:
        open_issues = Count("issues", filter=Q(issues__closed_at=None))
        sources = super().get_queryset(request).select_related("state")
        return sources.annotate(open_issue_count=open_issues)

    @admin.display(description="state", ordering="state__state")
    def badge(self, source: DataSource) -> str:
        return badges.state_badge(source)

    @admin.display(description="message")
    def message(self, source: DataSource) -> str:
        text = source.state.message
        return text if len(text) <= MESSAGE_SHOWN else f"{text[:MESSAGE_SHOWN]}…"

    @admin.display(description="last success", ordering="state__last_success_at")
    def last_success(self, source: DataSource) -> str:
        return health.ago(source.state.last_success_at)

    @admin.display(description="next pull", ordering="state__next_pull_at")
    def next_pull(self, source: DataSource) -> str:
        return health.next_pull(source)

    @admin.display(description="open issues", ordering="open_issue_count")
    def open_issues(self, source: Any) -> int:
        return int(source.open_issue_count)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return [_of_a_new_source(each) for each in fieldsets if each[0] not in self.hidden_at_first]
        if self._edits(request, obj):
            return fieldsets
        return [each for each in fieldsets if each[0] not in self.hidden_from_viewers]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Keep the name of a source that exists, for its items name it."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "name") if obj else fields

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Propose the scanner where there is only one."""
        return {targets.STATION: stations.only_one(), **super().get_changeform_initial_data(request)}

    def _edits(self, request: HttpRequest, source: DataSource | None) -> bool:
        return self.has_change_permission(request, source) if source else self.has_add_permission(request)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.actor = request.user.get_username()  # a class of this request's own
        form.kept_token = kept_token.kept(request) if request.method == "POST" else ""
        if obj is not None and self._edits(request, obj):
            form.trigger_url = trigger_url(request, obj)
            form.only_scanner = "" if obj.scheduled_station_aetitle else stations.only_one()
            form.event_names = event_names(obj)
        return form

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
        has_new_mapping = any(formset.has_changed() for formset in formsets)
        if change and (form.changed_data or has_new_mapping):
            changed = set(form.changed_data)
            is_other = has_new_mapping or bool((MEANING | ACCESS) & changed)
            if ACCESS & changed:
                guards.allow_nothing(form.instance)
            elif is_other:
                # Who changes what is taken means what comes by it; whom it names is asked about all the same.
                guards.allow_next_time(form.instance, Guarded.ADDED, by=form.actor)
            buttons.resume(request, form.instance, full=is_other)

    @method_decorator(sensitive_post_parameters("token"))
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        source = self.get_object(request, object_id) if object_id else None
        context = {**self._choices(), **(self._state(request, source) if source else {})}
        response = super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})
        _keep_typed_token(request, response)
        return response

    def _choices(self) -> dict[str, Any]:
        """Return what fields of the form may be filled with; a project's fields are searched for."""
        return {
            "mapping_targets": target_options(),
            "time_zones": sorted(time_zones()),
            "scanners": stations.options(),
        }

    def _state(self, request: HttpRequest, source: DataSource) -> dict[str, Any]:
        edits = self.has_change_permission(request, source)
        allowed = {name: each for name, each in BUTTONS.items() if self._may(request, each)}
        return {
            "source": source,
            "state": source.state,
            "state_badge": badges.state_badge(source),
            "last_success": health.ago(source.state.last_success_at),
            "next_pull": health.next_pull(source),
            "is_pulling": claims.is_pulling(source.state),
            "buttons": [(name, each.label) for name, each in allowed.items() if each.is_on_top],
            "edits_source": edits,
            "offered": buttons.count_offered(source),
            "held": (held := buttons.what_is_held(source)),
            "message": buttons.message_beside(source, held),
            "rules_in_words": guards.in_words(source),
            "is_not_yet_enabled": health.is_not_yet_enabled(source),
            "others": others_on_its_project(source),
            "open_issue_count": source.issues.filter(closed_at=None).count(),
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
        return [scanner, *own, *self.search_urls(), *super().get_urls()]

    def scanner_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Lead to where a source's scanner is set: the row of its mapping, or the constant."""
        source = DataSource.objects.filter(name=name).first()
        if source is None or not self.has_view_permission(request, source):
            messages.warning(request, f"You see no source {name} here.")
            return HttpResponseRedirect(reverse("admin:index"))
        place = (
            "rules-group" if source.rules.filter(target=targets.STATION).exists() else f"id_{targets.STATION}"
        )
        page = reverse("admin:sources_datasource_change", args=[source.pk])
        return HttpResponseRedirect(f"{page}#{place}")

    def _view_of(self, button: Button) -> Callable[..., HttpResponse]:
        @require_POST
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            if not self._may(request, button):
                raise PermissionDenied
            source = DataSource.objects.select_related("state").filter(pk=pk).first()
            if source is None:
                raise Http404
            return button.act(self, request, buttons.patient(source) if button.only_looks else source)

        return view


def _keep_typed_token(request: HttpRequest, response: Any) -> None:
    """Keep the token of a form that was refused until its next try, and no longer."""
    if request.method != "POST" or not isinstance(response, TemplateResponse) or not response.context_data:
        kept_token.forget(request)
        return
    form = response.context_data["adminform"].form
    if token := form.cleaned_data.get("token"):
        kept_token.keep(request, token)
        form.say_that_the_token_is_kept()


def _of_a_new_source(fieldset: Any) -> Any:
    """Leave out the switch: a new source is enabled from its preview."""
    title, options = fieldset
    return title, {**options, "fields": tuple(each for each in options["fields"] if each != "enabled")}


def trigger_url(request: HttpRequest, source: DataSource) -> str:
    """Return the URL for REDCap's project setup; it lets in whoever knows it."""
    if not source.trigger_cipher:
        return ""
    try:
        secret = source.trigger_secret()
    except CannotDecrypt:
        return "It cannot be decrypted: make a new secret."
    return request.build_absolute_uri(reverse("sources:trigger", args=[source.name, secret]))
