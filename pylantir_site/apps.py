"""The project's own admin site is installed here, checks of a site's set-up, and who knows patient IDs."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin import apps as stock


class PylantirAdminConfig(stock.SimpleAdminConfig):
    """The apps' admins are loaded with the rest, or, where they can wait, with the routes that lead to them.

    `start` has them wait, so that the DICOM server, which knows no admin, serves scanners first.
    """

    default_site = "pylantir_site.overview.admin_site.PylantirAdminSite"
    can_wait = False

    def ready(self) -> None:
        super().ready()
        if not self.can_wait:
            admin.autodiscover()


class PylantirSiteConfig(AppConfig):
    name = "pylantir_site"

    def ready(self) -> None:
        from accounts.audit.messages import PATIENTS_OF
        from pylantir_site.overview import checks, exposure  # noqa: F401  (registers them)
        from pylantir_site.overview.audited_patients import patients_of

        if patients_of not in PATIENTS_OF:
            PATIENTS_OF.append(patients_of)
