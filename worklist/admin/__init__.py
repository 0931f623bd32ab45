"""The worklist in the Django admin."""

from __future__ import annotations

from worklist.admin.devices import DeviceAdmin
from worklist.admin.items import WorklistItemAdmin

__all__ = ["DeviceAdmin", "WorklistItemAdmin"]
