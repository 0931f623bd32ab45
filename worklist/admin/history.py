"""The admin's history page shows who changed what, and when."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from pylantir_site.lists import FriendlyTitles
from worklist.admin.readable_names import in_history
from worklist.models.changes import HistoryEntry, history_entries


class ActorHistoryAdmin(FriendlyTitles, admin.ModelAdmin):
    """Its history names the person who saves or deletes, and has a page of its own."""

    not_in_history: tuple[str, ...] = ()  # fields whose changes nobody could read

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if change and not form.changed_data:
            return
        obj._history_user = request.user.get_username()
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        obj._history_user = request.user.get_username()
        super().delete_model(request, obj)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("History: %(what)s") % {"what": obj},
            "entries": self._entries(obj),
            "object": obj,
            "opts": self.opts,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/worklist/history.html", context)

    def _entries(self, obj: Model) -> list[HistoryEntry]:
        """Return the history, the newest first."""
        records = obj.history.defer(*self.not_in_history)  # type: ignore[attr-defined]
        return [
            entry._replace(changes=[in_history(change, self.model) for change in entry.changes])
            for entry in history_entries(list(records), hidden=self.not_in_history)
        ]
