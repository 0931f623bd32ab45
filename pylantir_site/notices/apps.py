from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    name = "pylantir_site.notices"
    label = "notices"
    verbose_name = _("Notices")

    def ready(self) -> None:
        from pylantir_site.notices import accounts, checks  # noqa: F401  (registers them)

        accounts.follow()
