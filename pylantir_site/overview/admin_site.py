"""The admin site has an index that sums up what matters today."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from django.contrib.admin import AdminSite, ModelAdmin, SimpleListFilter
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, path
from django.utils.safestring import mark_safe

from accounts import own_password
from accounts.audit import pages
from accounts.forms import SignInForm
from pylantir_site import __version__, lists_as_csv
from pylantir_site.keyed_log import with_keyed_log
from pylantir_site.overview import (
    exposure,
    first_steps,
    live,
    navigation,
    plots,
    search_pages,
    shown_days,
    today,
    who_looked,
)
from pylantir_site.overview.extensions import (
    IndexSection,
    ItemMarks,
    ItemPanel,
    PageUrls,
    ParticipantPanel,
    SessionNamesFor,
    SourceRemedy,
    SourceSaying,
    TimelinePart,
)

DRESSED_BY = (
    *("tokens", "frame", "admin", "access", "today", "items", "devices", "sources"),
    *("moves", "search", "plots", "notices", "feeds", "print"),
)
STYLE_SHEETS = tuple(f"pylantir/{name}.css" for name in DRESSED_BY)


class PylantirAdminSite(AdminSite):
    site_header = "Pylantir"
    site_title = "Pylantir"
    login_form = SignInForm
    site_url = None  # there is no other site
    enable_nav_sidebar = False  # a few models: the width is worth more to the lists
    # What other apps show of an item, of whom a person misses, and on the index: they append their own.
    item_panels: ClassVar[list[ItemPanel]] = [who_looked.panel]
    timeline_parts: ClassVar[list[TimelinePart]] = []
    item_marks: ClassVar[list[ItemMarks]] = []
    item_filters: ClassVar[list[type[SimpleListFilter]]] = []
    participant_panels: ClassVar[list[ParticipantPanel]] = []
    source_remedies: ClassVar[list[SourceRemedy]] = []
    source_sayings: ClassVar[list[SourceSaying]] = []
    index_sections: ClassVar[list[IndexSection]] = []
    session_names: ClassVar[list[SessionNamesFor]] = []
    page_urls: ClassVar[list[PageUrls]] = []

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register as Django does, with a log that holds keys and nobody's name, whatever the class."""
        super().register(model_or_iterable, with_keyed_log(admin_class or ModelAdmin), **options)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Every page also knows which version it is of, how it is dressed, and where it leads."""
        context = {**super().each_context(request), "pylantir_version": __version__}
        context["style_sheets"] = STYLE_SHEETS
        if context["has_permission"]:
            context["is_exposed"] = exposure.is_exposed(request)
            context["main_links"] = navigation.main_links(request)
            context["more_links"] = navigation.more_links(request)
        return context

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Return what the person may see, which is asked for twice on a page and found out once."""
        known = request.__dict__.setdefault("_app_lists", {})
        if app_label not in known:
            known[app_label] = super().get_app_list(request, app_label)
        return known[app_label]

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from worklist.admin.sheet import sheet_view  # its room registers with the site, which comes first

        return [
            path(
                "day/<str:day>/sheet/",
                self.admin_view(partial(sheet_view, self)),
                name="worklist_day_sheet",
            ),
            path("first-steps/hide/", self.admin_view(first_steps.hide), name="hide_first_steps"),
            path("search/", self.admin_view(partial(search_pages.search_page, self)), name="search"),
            path("search/suggestions/", self.admin_view(search_pages.suggestions), name="search_suggestions"),
            path("plots/", self.admin_view(partial(plots.plots_page, self)), name="plots"),
            path("plots/<slug:plot>/csv/", self.admin_view(plots.plot_as_csv), name="plot_csv"),
            path(
                "csv/<slug:app_label>/<slug:model_name>/",
                self.admin_view(partial(lists_as_csv.download, self)),
                name="csv",
            ),
            *(pattern for urls in self.page_urls for pattern in urls(self)),
            *super().get_urls(),
        ]

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return own_password.page(self, request, extra_context)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show a day or a week; where the page refreshes itself, that part alone."""
        shown = shown_days.asked_for(request)
        context = today.context_of(
            request, shown, sections=self.index_sections, session_names=self.session_names
        )
        pages.show(request, today.keys_of(context))
        html, etag = live.render(request, "admin/today/live.html", context)
        if live.is_asked_for(request):
            return live.answer(request, html, etag)
        page = {
            **first_steps.section(request),  # nobody waits for them to change
            "title": context["heading"],
            "live_part": mark_safe(html),  # noqa: S308  (a template drew it)
            "live_etag": etag,
            "as_of": live.as_of(),
        }
        return super().index(request, {**page, **(extra_context or {})})
