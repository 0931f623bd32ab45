"""The project's own admin site is installed here, checks of a site's set-up, and who knows patient IDs."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin import apps as stock
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class PylantirAdminConfig(stock.SimpleAdminConfig):
    """The apps' admins are loaded with the routes that lead to them, and by the checks that look at them.

    The DICOM server, which is to serve scanners first, knows no admin, nor do the worker and most commands.
    """

    default_site = "pylantir_site.overview.admin_site.PylantirAdminSite"

    def ready(self) -> None:
        """Register Django's own checks, of admins that are there by then."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_admins, checks.Tags.admin)


def _check_admins(**given: Any) -> list[checks.CheckMessage]:
    admin.autodiscover()
    return list(check_admin_app(**given))


class PylantirSiteConfig(AppConfig):
    name = "pylantir_site"

    def ready(self) -> None:
        from accounts.audit.messages import PATIENTS_OF
        from pylantir_site.overview import checks, exposure  # noqa: F401  (registers them)
        from pylantir_site.overview.audited_patients import patients_of

        if patients_of not in PATIENTS_OF:
            PATIENTS_OF.append(patients_of)
