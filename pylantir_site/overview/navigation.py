"""The header of every page leads to what people open most, and to all else in one menu."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pylantir_site.overview import open_points

Text = str | Promise


class Destination(NamedTuple):
    """A page with the name of its URL, and the permission that it asks for; "" lets in who is signed in."""

    text: Text
    url_name: str
    permission: str = ""


class Link(NamedTuple):
    """`waiting` is how many wait there for a person, said beside the text unless it is 0."""

    text: Text
    url: str
    is_current: bool
    waiting: int = 0


ATTENTION = "worklist_attention_changelist"
MAIN = (
    Destination(_("Today"), "index"),
    Destination(_("Worklist"), "worklist_worklistitem_changelist", "worklist.view_worklistitem"),
    Destination(_("Needs attention"), ATTENTION, "worklist.view_attention"),
    Destination(_("Performed"), "worklist_performedstep_changelist", "worklist.view_performedstep"),
    Destination(_("Scanners"), "worklist_device_changelist", "worklist.view_device"),
    Destination(_("Sources"), "sources_datasource_changelist", "sources.view_datasource"),
)
# What the menu offers, by what it is about.
MORE = (
    (
        _("At the scanner"),
        (
            Destination(_("Why is a participant missing?"), "worklist_missing", "worklist.view_worklistitem"),
            Destination(_("What would a scanner see?"), "worklist_device_preview", "worklist.view_device"),
            Destination(
                _("What scanners asked"),
                "worklist_deviceactivity_changelist",
                "worklist.view_deviceactivity",
            ),
        ),
    ),
    (
        _("The worklist"),
        (
            Destination(_("Plots"), "plots", "worklist.view_worklistitem"),
            Destination(_("Arrived in the archive"), "archive_arrivals", "worklist.view_worklistitem"),
            Destination(_("Import worklist files"), "worklist_import_files", "worklist.add_worklistitem"),
            Destination(
                _("People who share an ID"),
                "worklist_confirmedperson_changelist",
                "worklist.view_confirmedperson",
            ),
            Destination(
                _("Calendar feeds"), "worklist_calendarfeed_changelist", "worklist.view_calendarfeed"
            ),
        ),
    ),
    (
        _("Sources"),
        (
            Destination(
                _("To be mended at the source"), "sources_syncissue_changelist", "sources.view_syncissue"
            ),
            Destination(_("All pulls"), "sources_syncrun_changelist", "sources.view_syncrun"),
            Destination(_("Deleted here"), "sources_syncedstep_changelist", "sources.view_syncedstep"),
        ),
    ),
    (
        _("Archives"),
        (Destination(_("All archives"), "archives_archive_changelist", "archives.view_archive"),),
    ),
    (
        _("Administration"),
        (
            Destination(_("Accounts"), "accounts_user_changelist", "accounts.view_user"),
            Destination(_("Audit trail"), "accounts_auditevent_changelist", "accounts.view_auditevent"),
            Destination(_("Erased participants"), "privacy_erasure_changelist", "privacy.view_erasure"),
        ),
    ),
)


def main_links(request: HttpRequest) -> list[Link]:
    """Return the links of the header that the person may follow; one query counts what needs attention."""
    return [link._replace(waiting=_waiting(request, place)) for place, link in _links(request, MAIN)]


def more_links(request: HttpRequest) -> list[tuple[Text, list[Link]]]:
    """Return the groups of the menu, without those that would be empty."""
    groups = [(title, [link for _place, link in _links(request, places)]) for title, places in MORE]
    return [(title, links) for title, links in groups if links]


def _links(request: HttpRequest, places: tuple[Destination, ...]) -> Iterator[tuple[Destination, Link]]:
    for place in places:
        if not place.permission or request.user.has_perm(place.permission):
            url = reverse(f"admin:{place.url_name}")
            is_current = request.path == url or (place.url_name != "index" and request.path.startswith(url))
            yield place, Link(place.text, url, is_current)


def _waiting(request: HttpRequest, place: Destination) -> int:
    return open_points.waiting(request) if place.url_name == ATTENTION else 0
