"""What the worklist keeps.

items      what a scanner is offered
performed  what it reported back
attention  what a coordinator must look at
devices    who may ask
recorded   history by the actor's name
"""

from __future__ import annotations

from worklist.models.attention import Attention, Kind
from worklist.models.devices import Device
from worklist.models.items import COMPARABLE_GROUPS, PERSON_NAMES, STEP_EXISTS, Sex, Status, WorklistItem
from worklist.models.performed import (
    LONGEST_TEXT,
    Evidence,
    PerformedSeries,
    PerformedStatus,
    PerformedStep,
    PerformedStepItem,
)

__all__ = [
    "COMPARABLE_GROUPS",
    "LONGEST_TEXT",
    "PERSON_NAMES",
    "STEP_EXISTS",
    "Attention",
    "Device",
    "Evidence",
    "Kind",
    "PerformedSeries",
    "PerformedStatus",
    "PerformedStep",
    "PerformedStepItem",
    "Sex",
    "Status",
    "WorklistItem",
]
