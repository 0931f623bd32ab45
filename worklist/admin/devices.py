"""The scanners that may connect."""

from __future__ import annotations

from django.contrib import admin

from worklist.admin.history import ActorHistoryAdmin
from worklist.models import Device


@admin.register(Device)
class DeviceAdmin(ActorHistoryAdmin):
    list_display = ("ae_title", "name", "enabled", "updated_at")
    list_filter = ("enabled",)
    search_fields = ("ae_title", "name")
    readonly_fields = ("created_at", "updated_at")
    fields = ("ae_title", "name", "enabled", "created_at", "updated_at")
