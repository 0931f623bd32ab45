"""After Save or Delete a person is told what was done to whom, and comes back to the page they came from."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from pylantir_site.returning import arrived_from, back, came_from
from worklist.dicom import name_parts
from worklist.models import WorklistItem
from worklist.timeline import readable

MOST_NAMED = 4  # fields in a sentence


def say_added(request: HttpRequest, item: WorklistItem) -> None:
    when = readable.moment(item.scheduled_start_date, item.scheduled_start_time)
    text = _("{who} was added for {when}.")
    messages.success(request, format_html(text, who=_linked(item), when=when))


def say_saved(request: HttpRequest, item: WorklistItem, changed: Collection[str]) -> None:
    if not changed:
        text = _("{who} stays as it was: nothing was changed.")
        messages.info(request, format_html(text, who=_linked(item)))
        return
    text = _("{who} was saved: {fields}.")
    messages.success(request, format_html(text, who=_linked(item), fields=_in_words(item, changed)))


def _in_words(item: WorklistItem, changed: Collection[str]) -> str:
    """Name what was changed, with its new value; of many fields the first ones."""
    fields = sorted(changed, key=[field.name for field in item._meta.concrete_fields].index)
    named = [
        readable.label(field)
        if field == readable.EXTRA
        else _("%(field)s %(value)s")
        % {"field": readable.label(field), "value": readable.value(field, getattr(item, field))}
        for field in fields[:MOST_NAMED]
    ]
    more = len(fields) - MOST_NAMED
    return ", ".join(named) + (_(" and %(count)s more") % {"count": more} if more > 0 else "")


def _linked(item: WorklistItem) -> str:
    page = reverse("admin:worklist_worklistitem_change", args=[item.pk])
    return format_html('<a href="{}">{}</a>', page, name_parts.spoken(item.patient_name))


class ReturningAdmin(admin.ModelAdmin):
    """Its forms carry where a person came from as `next`; what was done is said by whoever does it."""

    def origin(self, request: HttpRequest, object_id: str | None) -> str:
        """Return the page that a person comes back to; "" for the list."""
        add = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_add")
        own = self._page(object_id).removesuffix("change/") if object_id else add
        return came_from(request) or arrived_from(request, but=(own, add, reverse("admin:login")))

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> Any:
        if IS_POPUP_VAR in request.POST:
            return super().response_add(request, obj, post_url_continue)
        return self._after_saving(request, obj, self.response_post_save_add)

    def response_change(self, request: HttpRequest, obj: Any) -> Any:
        if IS_POPUP_VAR in request.POST:
            return super().response_change(request, obj)
        return self._after_saving(request, obj, self.response_post_save_change)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        messages.success(request, _("%(who)s was deleted.") % {"who": obj_display})
        return back(request, reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def _after_saving(self, request: HttpRequest, obj: Any, to_the_list: Any) -> HttpResponse:
        if "_continue" in request.POST:
            return self._onwards(request, self._page(obj.pk))
        if "_addanother" in request.POST:
            return self._onwards(request, reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_add"))
        stock: HttpResponseRedirect = to_the_list(request, obj)  # keeps the list's filters
        return back(request, stock.url)

    def _onwards(self, request: HttpRequest, url: str) -> HttpResponseRedirect:
        origin = came_from(request)
        return HttpResponseRedirect(f"{url}?{urlencode({'next': origin})}" if origin else url)

    def _page(self, pk: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[pk])
