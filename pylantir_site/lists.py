"""Lists and pages of the admin are titled by what they hold, not by what a person should do there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as Base
    from django.http import HttpRequest
else:
    Base = object


class FriendlyTitles(Base):
    """For a ModelAdmin, its list is titled by the name of many, and the page of one by that one."""

    list_title: Any = ""  # where it is another than the name of many

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        title = self.list_title or capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def page_title(self, obj: Any) -> str:
        return str(obj)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002 - as Django calls it
        change: bool = False,  # noqa: FBT001, FBT002
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        if obj is not None:
            context |= {"title": self.page_title(obj), "subtitle": None}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> Any:
        what = context.get("object") or context["object_name"]
        return super().render_delete_form(
            request, {**context, "title": _("Delete %(what)s?") % {"what": what}}
        )
