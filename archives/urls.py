from __future__ import annotations

from archives.api.archives import ArchiveList
from archives.api.studies import ArchiveCheckList, ArchivedStudyList
from pylantir_site.rest.routes import route

app_name = "archives"
urlpatterns = [
    *route("archives", ArchiveList.as_view(), "archives"),
    *route("archived-studies", ArchivedStudyList.as_view(), "archived-studies"),
    *route("archive-checks", ArchiveCheckList.as_view(), "archive-checks"),
]
