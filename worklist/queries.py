"""Reads over many rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from worklist.models import Device, WorklistItem


class WorklistQuerySet(models.QuerySet["WorklistItem"]):
    pass


class DeviceQuerySet(models.QuerySet["Device"]):
    pass
