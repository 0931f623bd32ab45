"""Above its heading, a page says from which list it is reached; the header says which list is shown."""

from __future__ import annotations

from typing import Any, NamedTuple

from django import template
from django.contrib import admin
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _

register = template.Library()


class Step(NamedTuple):
    text: str | Promise
    url: str


@register.inclusion_tag("admin/includes/trail.html", takes_context=True)
def trail(context: template.Context) -> dict[str, Any]:
    """Lead to Today, to the list that the page belongs to, and to whom or what it is about."""
    opts: Any = context.get("opts")
    request: Any = context.get("request")
    model_admin = admin.site._registry.get(opts.model) if opts else None
    if request is None or model_admin is None or not model_admin.has_view_permission(request):
        return {"steps": []}
    title = getattr(model_admin, "list_title", "") or capfirst(opts.verbose_name_plural)
    steps = [Step(_("Today"), reverse("admin:index")), Step(title, _address(opts, "changelist"))]
    about = context.get("original") or context.get("object") or context.get("source")
    if isinstance(about, opts.model):
        steps.append(Step(str(about), _address(opts, "change", about.pk)))
    steps = [step for step in steps if step.url]
    is_the_list = len(steps) == 2 and steps[-1].url == request.path
    return {"steps": [] if is_the_list else [step for step in steps if step.url != request.path]}


def _address(opts: Any, name: str, *args: Any) -> str:
    try:
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_{name}", args=args)
    except NoReverseMatch:  # a model without such a page
        return ""
