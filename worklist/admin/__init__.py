"""The worklist is shown in the Django admin."""

from __future__ import annotations

from worklist.admin.attention import AttentionAdmin
from worklist.admin.calendar_feeds import CalendarFeedAdmin
from worklist.admin.device_activity import DeviceActivityAdmin
from worklist.admin.devices import DeviceAdmin
from worklist.admin.items import WorklistItemAdmin
from worklist.admin.performed_steps import PerformedStepAdmin
from worklist.admin.quality import QaRuleAdmin
from worklist.admin.whose_id import ConfirmedPersonAdmin

__all__ = [
    "AttentionAdmin",
    "CalendarFeedAdmin",
    "ConfirmedPersonAdmin",
    "DeviceActivityAdmin",
    "DeviceAdmin",
    "PerformedStepAdmin",
    "QaRuleAdmin",
    "WorklistItemAdmin",
]
