"""Reads over many rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from sources.models import SyncIssue  # noqa: F401 - named in a string


class SyncIssueQuerySet(models.QuerySet["SyncIssue"]):
    def open(self) -> SyncIssueQuerySet:
        return self.filter(closed_at=None)
