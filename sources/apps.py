from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class SourcesConfig(AppConfig):
    name = "sources"
    verbose_name = "Sources"

    def ready(self) -> None:
        from sources import schedule  # it imports models

        post_migrate.connect(schedule.ensure_after_migrate, sender=self)
