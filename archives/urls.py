from __future__ import annotations

from archives.api.studies import ArchiveCheckList, ArchivedStudyList
from pylantir_site.rest.routes import route

urlpatterns = [
    *route("archived-studies", ArchivedStudyList.as_view(), "archived-studies"),
    *route("archive-checks", ArchiveCheckList.as_view(), "archive-checks"),
]
