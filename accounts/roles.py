"""This is the one table of who may do what; the admin and the API both ask it."""

from __future__ import annotations

from django.db import models


class Role(models.TextChoices):
    ADMIN = "admin", "Admin: everything"
    WRITE = "write", "Write: the worklist"
    READ = "read", "Read: look only"


READ = frozenset(
    {
        "worklist.view_worklistitem",
        "worklist.view_historicalworklistitem",
        "worklist.view_performedstep",
        "worklist.view_historicalperformedstep",
        "worklist.view_performedseries",
        "worklist.view_performedstepitem",
        "worklist.view_historicalperformedstepitem",
        "worklist.view_attention",
        "worklist.view_confirmedperson",
        "worklist.view_device",
        "worklist.view_deviceactivity",
        "sources.view_datasource",  # never its token, nor where that is kept
        "sources.view_mappingrule",
        "sources.view_syncrun",
        "sources.view_syncissue",
        "sources.view_syncedstep",
    }
)
WRITE = READ | {
    "worklist.add_worklistitem",
    "worklist.change_worklistitem",
    "worklist.delete_worklistitem",
    "worklist.change_performedstep",  # link, unlink, close
    "worklist.change_attention",  # resolve
    "worklist.add_confirmedperson",
    "worklist.delete_confirmedperson",
    "sources.change_syncedstep",  # follow the source again, make again
    "sources.pull_datasource",  # pull now, preview
}
PERMISSIONS: dict[str, frozenset[str]] = {Role.READ: READ, Role.WRITE: WRITE}


def allows(role: str, permission: str) -> bool:
    """Tell whether the role holds the permission, `app_label.codename`."""
    return role == Role.ADMIN or permission in PERMISSIONS.get(role, frozenset())


def allows_any(role: str, app_label: str) -> bool:
    """Tell whether the role holds any permission in the app."""
    held = PERMISSIONS.get(role, frozenset())
    return role == Role.ADMIN or any(name.startswith(f"{app_label}.") for name in held)
