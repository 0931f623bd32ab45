from __future__ import annotations

from archives.api.archives import ArchiveList
from pylantir_site.rest.routes import route

app_name = "archives"
urlpatterns = [
    *route("archives", ArchiveList.as_view(), "archives"),
]
