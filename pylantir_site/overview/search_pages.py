"""The one search box of every page asks here: while a person types, and when they press Enter."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.audit import pages
from pylantir_site import kept_search
from pylantir_site.overview.search import search

LONGEST = 200  # characters
_OWN = ("csrfmiddlewaretoken", "q", "list")  # all else that is sent are the filters of a list


class SearchForm(forms.Form):
    """It comes by POST: what is typed is a name or an ID. `list` names the model whose list is searched."""

    q = forms.CharField(label=gettext_lazy("Search"), max_length=LONGEST)
    list = forms.CharField(required=False, max_length=100)


def search_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Keep by POST what is typed, and lead to the page or the list that shows what it finds."""
    if request.method == "POST":
        return _searched(site, request)
    text = kept_search.text_of(request, request.GET.get("q", "")) or ""
    result = search(text[:LONGEST], request.user) if "q" in request.GET else None
    if result:
        pages.show(request, result.item_keys)
    context = {**site.each_context(request), "title": _("Search results"), "result": result}
    return TemplateResponse(request, "admin/search.html", context)


def _searched(site: AdminSite, request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.POST)
    form.is_valid()
    text, model = form.cleaned_data.get("q", ""), form.cleaned_data.get("list", "")
    page = _list_of(site, request, model) if model else reverse("admin:search")
    query = [(name, str(value)) for name, value in request.POST.items() if model and name not in _OWN]
    if text:
        query.append(("q", kept_search.keep(request, text)))
    return HttpResponseRedirect(f"{page}?{urlencode(query)}" if query else page)


def _list_of(site: AdminSite, request: HttpRequest, label: str) -> str:
    """Return the page of the model's list, if there is one that the person may see."""
    try:
        model: Any = apps.get_model(label)
    except (LookupError, ValueError):
        raise Http404 from None
    if not site.is_registered(model) or not site.get_model_admin(model).has_view_permission(request):
        raise Http404
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@require_POST
def suggestions(request: HttpRequest) -> HttpResponse:
    """Answer what was typed so far with a piece of a page, for the box to show below itself."""
    form = SearchForm(request.POST)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    result = search(text, request.user)
    pages.show(request, result.item_keys)
    return render(request, "admin/includes/suggestions.html", {"result": result})
