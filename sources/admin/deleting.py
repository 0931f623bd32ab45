"""When a source is deleted, a person says what becomes of its items."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sources.admin import buttons
from sources.admin.suggestion import remove_rows
from sources.models import DataSource, OutcomeWrite
from sources.sync import claims, withdrawing


class DeletingAdmin(admin.ModelAdmin):
    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return counts alone: a source takes its mapping and its records of pulls along, never an item."""
        [source] = objs
        counts = {
            _("rows of the mapping"): source.rules.count(),
            _("pulls"): source.runs.count(),
            _("issues"): source.issues.count(),
            _("links from items to their records"): source.steps.count(),
            _("rows that are written back"): source.write_rules.count(),
            _("outcomes to write back"): OutcomeWrite.objects.filter(step__source=source).count(),
        }
        lacking = set() if self.has_delete_permission(request, source) else {str(self.opts.verbose_name)}
        return [str(source)], counts, lacking, []

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask what becomes of the items, and take no answer for granted."""
        source = self.get_object(request, object_id)
        is_sent = request.method == "POST" and self.has_delete_permission(request, source)
        why_not = _why_not_deleted(request, source) if source and is_sent else ""
        if why_not:
            messages.error(request, why_not)
            return HttpResponseRedirect(request.path)
        context = {"offered": buttons.count_offered(source) if source else 0}
        return super().delete_view(request, object_id, {**context, **(extra_context or {})})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        actor = request.user.get_username()
        if request.POST["items"] == "cancel":
            count = withdrawing.withdraw_all(obj, actor=actor, reason="The source was deleted")
            done = ngettext("%(count)s item cancelled.", "%(count)s items cancelled.", count)
            messages.info(request, done % {"count": count})
        remove_rows(obj, actor=actor)
        details = obj.details
        details._history_user = actor  # its last entry names who it was, as the source's own does
        details.delete()
        super().delete_model(request, obj)


def _why_not_deleted(request: HttpRequest, source: DataSource) -> str:
    if request.POST.get("items") not in ("keep", "cancel"):
        return _("Choose what becomes of its items. Nothing was deleted.")
    return str(buttons.RUNNING) if claims.is_pulling(source.state) else ""
