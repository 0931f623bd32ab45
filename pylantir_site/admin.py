"""The admin site and its index."""

from __future__ import annotations

from django.contrib.admin import AdminSite


class PylantirAdminSite(AdminSite):
    site_header = "Pylantir"
    site_title = "Pylantir"
    index_title = "Worklist"
