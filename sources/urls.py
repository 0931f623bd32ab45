from __future__ import annotations

from pylantir_site.rest.routes import route
from sources import views
from sources.api.sources import Issues, Runs, SourceList, SourceOne, Sync

app_name = "sources"
urlpatterns = [
    *route("sources/<str:name>/trigger/<str:secret>", views.trigger, "trigger"),
    *route("sources", SourceList.as_view(), "sources"),
    *route("sources/<str:name>", SourceOne.as_view(), "source"),
    *route("sources/<str:name>/sync", Sync.as_view(), "sync"),
    *route("sources/<str:name>/runs", Runs.as_view(), "runs"),
    *route("sources/<str:name>/issues", Issues.as_view(), "issues"),
]
