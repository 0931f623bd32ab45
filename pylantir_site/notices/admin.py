"""Each person has their own notices here; administrators see everybody's. Deliveries say what became."""

from __future__ import annotations

from datetime import time
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import User
from pylantir_site.lists import FriendlyTitles
from pylantir_site.notices.forms import SubscriptionForm, in_words, mail_is_set_up, new_in_words
from pylantir_site.notices.models import (
    Delivery,
    DeliveryState,
    NoticeKind,
    NoticeWay,
    Subscription,
    Timing,
    every_kind,
)
from pylantir_site.notices.sending import send_test
from pylantir_site.overview.admin_site import PylantirAdminSite
from pylantir_site.returning import back
from pylantir_site.view_only import ViewOnly

# What a coordinator usually wants, for a start.
USUAL_AT_ONCE = (NoticeKind.IDENTITY, NoticeKind.UNSCHEDULED, NoticeKind.SOURCE_HELD)
USUAL_HOUR = time(7)
LIST = "admin:notices_subscription_changelist"


@admin.register(Subscription)
class SubscriptionAdmin(FriendlyTitles, admin.ModelAdmin):
    form = SubscriptionForm
    list_display = ("when", "what", "which_studies", "how", "enabled", "last_delivery")
    list_display_links = ("when",)
    list_per_page = 100
    show_full_result_count = False
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        return Subscription.objects.visible_to(request.user).with_last_end()

    def get_list_display(self, request: HttpRequest) -> Any:
        return ("when", "username", *self.list_display[1:]) if _is_admin(request) else self.list_display

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        how = (_("When and how"), {"fields": ("timing", "digest_at", "way", "enabled")})
        webhook = (
            _("Webhook"),
            {"fields": ("webhook_url", "secret"), "description": _("Used where it goes by webhook alone.")},
        )
        own = ((None, {"fields": ("kinds", "studies")}), how)
        return (*own, webhook) if _is_admin(request) else own

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"actor": request.user})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"kinds": list(USUAL_AT_ONCE), "digest_at": USUAL_HOUR}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _is_own(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_own(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Let the deliveries go with their subscription, which nobody may delete by themselves."""
        shown, counts, _needed, protected = super().get_deleted_objects(objs, request)
        return shown, counts, set(), protected

    def save_model(self, request: HttpRequest, obj: Subscription, form: Any, change: bool) -> None:  # noqa: FBT001
        if not change:
            obj.username = request.user.get_username()
            obj.language = (get_language() or "en").partition("-")[0]
        obj.offered = every_kind()
        obj.started_at = timezone.now()  # what is so already is no news
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("usual/", self.admin_site.admin_view(self.usual), name="notices_subscription_usual"),
            path("<int:pk>/test/", self.admin_site.admin_view(self.test), name="notices_subscription_test"),
        ]
        return [*own, *super().get_urls()]

    @method_decorator(require_POST)
    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a test, and say what became of it."""
        subscription = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_change_permission(request, subscription):
            raise PermissionDenied
        delivery = send_test(subscription)
        if delivery.state == DeliveryState.SENT:
            self.message_user(request, _sent_in_words(subscription), messages.SUCCESS)
        else:
            why = _("The test was not delivered. %(why)s") % {"why": delivery.error}
            self.message_user(request, why, messages.ERROR)
        return back(request, reverse("admin:notices_subscription_change", args=[pk]))

    @method_decorator(require_POST)
    def usual(self, request: HttpRequest) -> HttpResponse:
        """Give a person who has none yet what a coordinator usually wants."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if not _email_of(request):
            self.message_user(request, _no_address(), messages.ERROR)
        elif not Subscription.objects.filter(username=request.user.get_username()).exists():
            _make_usual(request)
            self.message_user(request, _("You will hear of the usual. Send a test to see."), messages.SUCCESS)
        return back(request, reverse(LIST))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        mine = Subscription.objects.filter(username=request.user.get_username())
        context = {
            "title": _("Notices of everybody") if _is_admin(request) else _("My notices"),
            "has_own_notices": mine.exists(),
            "lacks_mail_server": not mail_is_set_up(),
            "own_address": _email_of(request),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context["lacks_mail_server"] = not mail_is_set_up()
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("When"), ordering="timing")
    def when(self, subscription: Subscription) -> str:
        return subscription.when_in_words()

    @admin.display(description=gettext_lazy("What"))
    def what(self, subscription: Subscription) -> str:
        if subscription.wants_everything:
            return _("Everything")
        told = in_words(subscription.wanted_kinds)
        new = in_words(subscription.kinds_not_offered)
        return format_html('{} <br><span class="quiet">{}</span>', told, new_in_words(new)) if new else told

    @admin.display(description=gettext_lazy("Studies"))
    def which_studies(self, subscription: Subscription) -> str:
        return ", ".join(subscription.studies) or _("All")

    @admin.display(description=gettext_lazy("How"), ordering="way")
    def how(self, subscription: Subscription) -> str:
        return str(subscription.get_way_display())

    @admin.display(description=gettext_lazy("Last delivery"))
    def last_delivery(self, subscription: Any) -> str:
        if subscription.last_end is None:
            return _("None yet")
        page = f"{reverse('admin:notices_delivery_changelist')}?subscription={subscription.pk}"
        badge = _badge(DeliveryState(subscription.last_end))
        why = subscription.last_error
        return format_html('{} {} <a href="{}">{}</a>', badge, why, page, _("All deliveries"))


@admin.register(Delivery)
class DeliveryAdmin(ViewOnly, FriendlyTitles, admin.ModelAdmin):
    list_title = gettext_lazy("Deliveries")
    list_display = ("made_at", "whose", "why", "facts", "outcome", "tries", "next_try", "error")
    list_filter = ("state", "reason")
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 100
    show_full_result_count = False
    list_select_related = ("subscription",)
    fields = ("made_at", "whose", "why", "facts", "outcome", "tries", "next_try", "ended_at", "error")

    def get_queryset(self, request: HttpRequest) -> Any:
        own = Subscription.objects.visible_to(request.user)
        found = super().get_queryset(request).filter(subscription__in=own)
        return found.annotate(fact_count=Count("noticed_facts"))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "subscription" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    @admin.display(description=gettext_lazy("Notice"))
    def whose(self, delivery: Delivery) -> str:
        return str(delivery.subscription)

    @admin.display(description=gettext_lazy("Why"), ordering="reason")
    def why(self, delivery: Delivery) -> str:
        return str(delivery.get_reason_display())

    @admin.display(description=gettext_lazy("Facts"))
    def facts(self, delivery: Any) -> str:
        return str(delivery.fact_count or "-")

    @admin.display(description=gettext_lazy("State"), ordering="state")
    def outcome(self, delivery: Delivery) -> str:
        return _badge(DeliveryState(delivery.state))

    @admin.display(description=gettext_lazy("Next try"), ordering="next_try_at", empty_value="-")
    def next_try(self, delivery: Delivery) -> Any:
        return delivery.next_try_at if delivery.state == DeliveryState.WAITING else None


def index_section(request: HttpRequest) -> dict[str, Any]:
    """Tell the index how many of the person's notices do not get through."""
    if not request.user.has_perm("notices.view_delivery"):
        return {}
    count = Subscription.objects.visible_to(request.user).failing().count()
    text = ngettext(
        "%(count)d notice could not be delivered.", "%(count)d notices could not be delivered.", count
    )
    return {"notice_trouble": text % {"count": count} if count else ""}


def _is_admin(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def _is_own(request: HttpRequest, subscription: Subscription | None) -> bool:
    return subscription is None or _is_admin(request) or subscription.username == request.user.get_username()


def _email_of(request: HttpRequest) -> str:
    return str(getattr(request.user, "email", ""))


def _no_address() -> str:
    return _("Your account has no mail address: an administrator can add it under Accounts.")


def _make_usual(request: HttpRequest) -> None:
    every = {
        "username": request.user.get_username(),
        "language": (get_language() or "en").partition("-")[0],
    }
    Subscription.objects.create(**every, kinds=list(USUAL_AT_ONCE))
    Subscription.objects.create(**every, kinds=NoticeKind.values, timing=Timing.DIGEST, digest_at=USUAL_HOUR)


def _sent_in_words(subscription: Subscription) -> str:
    if subscription.way == NoticeWay.WEBHOOK:
        return _("The webhook's server took the test.")
    address = User.objects.values_list("email", flat=True).get(username=subscription.username)
    return _("The mail server took the test for %(address)s: look whether it arrives.") % {"address": address}


def _badge(state: DeliveryState) -> str:
    return format_html('<span class="status delivery-{}">{}</span>', state.value, state.label)


PylantirAdminSite.index_sections.append(index_section)
