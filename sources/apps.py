from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class SourcesConfig(AppConfig):
    name = "sources"
    verbose_name = "Sources"

    def ready(self) -> None:
        from sources import queue, schedule  # they import models
        from sources.sync import edited_marks, outbox

        edited_marks.connect()
        outbox.connect()
        queue.count_starts()
        post_migrate.connect(schedule.ensure_after_migrate, sender=self)
