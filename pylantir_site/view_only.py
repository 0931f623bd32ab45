"""Pages of the admin that people look at and nobody edits are built on this."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


class ViewOnly:
    """For a ModelAdmin, it lets those who may view do so, and do nothing else."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
