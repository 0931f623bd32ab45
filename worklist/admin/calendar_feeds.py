"""People make calendar feeds here, and give them up; administrators see and revoke everybody's."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from pylantir_site.returning import back
from worklist.feeds import addresses, events
from worklist.models import CalendarFeed, Device

PAGE = "admin:worklist_calendarfeed_changelist"
FEEDS_ON_A_PAGE = 50


class CalendarFeedForm(forms.ModelForm):
    class Meta:
        model = CalendarFeed
        fields = ("station", "shows", "shows_protocol", "minutes")
        labels: ClassVar[Any] = {
            "shows": gettext_lazy("Who comes"),
            "shows_protocol": gettext_lazy("Tell the protocol, too"),
            "minutes": gettext_lazy("Minutes that an appointment takes"),
        }
        widgets: ClassVar[Any] = {"shows": forms.RadioSelect}

    station = forms.ChoiceField(label=gettext_lazy("Scanner"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        devices = Device.objects.exclude(ae_title=Device.ANY).values_list("ae_title", "name")
        choices = [(title, f"{title} ({name})" if name else title) for title, name in devices]
        self.fields["station"].choices = [("", _("All scanners")), *choices]  # type: ignore[attr-defined]


@admin.register(CalendarFeed)
class CalendarFeedAdmin(admin.ModelAdmin):
    """One page has it all: what was made, a form for another, and what programs need to be told."""

    actions = None
    # Of the list as CSV.
    list_display = (
        *("username", "station", "shows", "shows_protocol", "minutes"),
        *("created_at", "last_fetched_at"),
    )

    def get_urls(self) -> list[URLPattern]:
        views = self.admin_site.admin_view
        return [
            path("", views(self.changelist_view), name="worklist_calendarfeed_changelist"),
            path("<int:pk>/renew/", views(self.renew_view), name="worklist_calendarfeed_renew"),
            path("<int:pk>/revoke/", views(self.revoke_view), name="worklist_calendarfeed_revoke"),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CalendarFeed]:
        feeds = CalendarFeed.objects.filter(revoked_at=None)
        return feeds if _oversees(request) else feeds.filter(username=request.user.get_username())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._page(request, CalendarFeedForm())
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = CalendarFeedForm(request.POST)
        if not form.is_valid():
            return self._page(request, form)
        feed = form.save(commit=False)
        feed.username, feed.language = request.user.get_username(), get_language() or "en"
        secret = addresses.open_feed(feed)
        self.log_addition(request, feed, "Made.")
        return self._page(request, CalendarFeedForm(), address=_address(request, secret))

    @method_decorator(require_POST)
    def renew_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Only whose feed it is gets its new address."""
        feed = self._changeable(request, pk)
        if feed.username != request.user.get_username():
            raise PermissionDenied
        again, secret = addresses.renew(feed)
        self.log_change(request, again, "Renewed.")
        return self._page(request, CalendarFeedForm(), address=_address(request, secret))

    @method_decorator(require_POST)
    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        feed = self._changeable(request, pk)
        addresses.revoke(feed)
        self.log_change(request, feed, "Revoked.")
        told = {"calendar": events.name_of(feed), "who": feed.username}
        messages.success(request, _("The calendar “%(calendar)s” of %(who)s was revoked.") % told)
        return back(request, reverse(PAGE))

    def _changeable(self, request: HttpRequest, pk: int) -> CalendarFeed:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request), pk=pk)

    def _page(self, request: HttpRequest, form: CalendarFeedForm, *, address: str = "") -> TemplateResponse:
        feeds = Paginator(self.get_queryset(request), FEEDS_ON_A_PAGE)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Calendar feeds"),
            "opts": self.opts,
            "form": form,
            "may_add": self.has_add_permission(request),
            "may_change": self.has_change_permission(request),
            "oversees": _oversees(request),
            "me": request.user.get_username(),
            "feeds": feeds.get_page(request.GET.get("p")),
            "address": address,
            "days_back": events.DAYS_BACK,
            "days_ahead": events.DAYS_AHEAD,
        }
        return TemplateResponse(request, "admin/worklist/calendarfeed/feeds.html", context)


def _oversees(request: HttpRequest) -> bool:
    return request.user.has_perm("worklist.oversee_calendarfeed")


def _address(request: HttpRequest, secret: str) -> str:
    return request.build_absolute_uri(reverse("calendar-feed", args=[secret]))
