"""This is the one table of who may do what; the admin and the API both ask it."""

from __future__ import annotations

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """A role is kept and written by the API as it is in the original; people read what they are."""

    ADMIN = "admin", _("Administrator")
    WRITE = "write", _("Coordinator")
    READ = "read", _("Viewer")


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
        # Their own; to oversee everybody's is an administrator's.
        "worklist.view_calendarfeed",
        "worklist.add_calendarfeed",
        "worklist.change_calendarfeed",  # renew, revoke
        "sources.view_datasource",  # never its token, nor where that is kept
        "sources.view_mappingrule",
        "sources.view_syncrun",
        "sources.view_syncissue",
        "sources.view_syncedstep",
        "archives.view_archive",  # never its password or token, nor where that is kept
        "archives.view_archivecheck",
        "archives.view_archivedstudy",
        # Their own, and nobody else's: the pages of notices ask whose they are.
        "notices.view_subscription",
        "notices.add_subscription",
        "notices.change_subscription",
        "notices.delete_subscription",
        "notices.view_delivery",
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

# What a role may, as people read it where they choose one; each permission stands for its like.
DUTIES: tuple[tuple[Promise, str], ...] = (
    (_("See the worklist, examinations, scanners and sources"), "worklist.view_worklistitem"),
    (_("Add, change, move and cancel items"), "worklist.change_worklistitem"),
    (_("Link examinations and resolve what needs attention"), "worklist.change_attention"),
    (_("Preview sources and pull from them"), "sources.pull_datasource"),
    (_("Set up sources, scanners and archives"), "sources.change_datasource"),
    (_("Manage accounts and read who asked what of the API"), "accounts.change_user"),
)


def allows(role: str, permission: str) -> bool:
    """Tell whether the role holds the permission, `app_label.codename`."""
    return role == Role.ADMIN or permission in PERMISSIONS.get(role, frozenset())


def allows_any(role: str, app_label: str) -> bool:
    """Tell whether the role holds any permission in the app."""
    held = PERMISSIONS.get(role, frozenset())
    return role == Role.ADMIN or any(name.startswith(f"{app_label}.") for name in held)
