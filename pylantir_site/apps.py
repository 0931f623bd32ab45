"""The project's own admin site is installed here, and so are the checks of a site's set-up."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as stock


class PylantirAdminConfig(stock.AdminConfig):
    default_site = "pylantir_site.overview.admin_site.PylantirAdminSite"


class PylantirSiteConfig(AppConfig):
    name = "pylantir_site"

    def ready(self) -> None:
        from pylantir_site.overview import checks  # noqa: F401  (registers them)
