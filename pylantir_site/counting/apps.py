from __future__ import annotations

from django.apps import AppConfig


class CountingConfig(AppConfig):
    name = "pylantir_site.counting"
    label = "counting"
