from __future__ import annotations

from django.urls import re_path

from pylantir_site.rest.routes import route
from sources import views
from sources.api.sources import Issues, Runs, SourceList, SourceOne, Sync

app_name = "sources"
urlpatterns = [
    re_path(
        r"^sources/(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]*)/trigger/(?P<secret>[^/]+)/?$",
        views.trigger,
        name="trigger",
    ),
    *route("sources", SourceList.as_view(), "sources"),
    *route("sources/<str:name>", SourceOne.as_view(), "source"),
    *route("sources/<str:name>/sync", Sync.as_view(), "sync"),
    *route("sources/<str:name>/runs", Runs.as_view(), "runs"),
    *route("sources/<str:name>/issues", Issues.as_view(), "issues"),
]
