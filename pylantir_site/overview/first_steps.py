"""An empty installation is shown what to do first: steps that tick themselves, by what is stored.

Once all are done, or an administrator has hidden them, one row ends them for good.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from pylantir_site.returning import back
from sources.models import DataSource, FirstStepsEnd, MappingRule, RunOutcome, SourceState, SyncRun
from worklist.models import Device, DeviceActivity, WorklistItem

# Who sets an installation up.
PERMISSIONS = ("sources.add_datasource", "worklist.add_device")


class StepLink(NamedTuple):
    text: str
    url: str


class FirstStep(NamedTuple):
    """`links` lead to where it is done; it has none while another step comes first."""

    title: str
    sentence: str
    is_done: bool
    done_at: datetime | None = None
    links: Sequence[StepLink] = ()


def section(request: HttpRequest) -> dict[str, Any]:
    """Give the index the first steps, where any is left for the person to see."""
    return {"first_steps": first_steps(request)}


def first_steps(request: HttpRequest) -> list[FirstStep]:
    """Return the steps with what is done of them; none once all are, or where they are not this person's."""
    if not request.user.has_perms(PERMISSIONS) or FirstStepsEnd.objects.exists():
        return []
    steps = [*_of_sources(), *_of_scanners()]
    if all(step.is_done for step in steps):
        FirstStepsEnd.objects.get_or_create(pk=1)
        return []
    return steps


@require_POST
def hide(request: HttpRequest) -> HttpResponse:
    """Hide the steps from everybody and for good."""
    if not request.user.has_perms(PERMISSIONS):
        raise PermissionDenied
    by = request.user.get_username()
    FirstStepsEnd.objects.get_or_create(pk=1, defaults={"hidden_by": by})
    return back(request, reverse("admin:index"))


def _of_sources() -> list[FirstStep]:
    """Return the steps to the first appointments; without a source, those made by hand are enough."""
    sources = sorted(_sources(), key=_how_far)
    source: Any = sources[-1] if sources else None
    item_at = (
        None
        if source
        else WorklistItem.objects.of_participants().order_by("pk").values_list("created_at").first()
    )
    begun = FirstStep(
        _("Appointments"),
        _("Add a source, such as a REDCap project, or add an appointment by hand: both ways are right."),
        is_done=bool(source or item_at),
        done_at=source.created_at if source else item_at and item_at[0],
        links=(
            StepLink(_("Add a source"), reverse("admin:sources_datasource_add")),
            StepLink(_("Add an appointment"), reverse("admin:worklist_worklistitem_add")),
        ),
    )
    return [begun] if item_at else [begun, *_of_source(source)]


def _of_source(source: Any) -> list[FirstStep]:
    links = (StepLink(str(source), _page_of(source)),) if source else ()
    state = source.state if source else None
    told = [
        (
            _("Test the connection"),
            _("It asks the source for all that a pull needs, and says what is lacking."),
            _looked_at(state, "check"),
        ),
        (
            _("Map fields to the worklist"),
            _("A mapping is suggested from the project's dictionary; you look at each row."),
            source.mapped_at if source else None,
        ),
        (
            _("Preview"),
            _("See real records as the scanner would get them, and enable the source."),
            _looked_at(state, "preview"),
        ),
        (
            _("First pull"),
            _("Participants come into the worklist, and keep up with the source from then on."),
            source.pulled_at if source else None,
        ),
    ]
    is_pulled = bool(state and state.last_success_at)
    return [
        FirstStep(title, sentence, is_done=is_pulled or at is not None, done_at=at, links=links)
        for title, sentence, at in told
    ]


def _of_scanners() -> list[FirstStep]:
    devices = list(Device.objects.order_by("created_at").values_list("ae_title", "created_at"))
    titles = [title for title, _created in devices]
    page = reverse("admin:worklist_device_changelist")
    links = (StepLink(_("Scanners"), page),) if devices else ()
    echo, query = _first(DeviceActivity.Kind.ECHO, titles), _first(DeviceActivity.Kind.QUERY, titles)
    return [
        FirstStep(
            _("Add a scanner"),
            _("Its AE title lets it in; a preset knows what its vendor needs."),
            is_done=bool(devices),
            done_at=devices[0][1] if devices else None,
            links=(StepLink(_("Add a scanner"), reverse("admin:worklist_device_add")),),
        ),
        FirstStep(
            _("C-ECHO"),
            _("Press Verify at the scanner's console: it reaches this server, and is let in."),
            is_done=bool(echo or query),
            done_at=echo,
            links=links,
        ),
        FirstStep(
            _("First query"),
            _("Ask for the worklist at the scanner's console."),
            is_done=bool(query),
            done_at=query,
            links=links,
        ),
    ]


def _sources() -> QuerySet[DataSource]:
    """Return the sources with when they were first mapped and first pulled well, in one query."""
    own_rows = MappingRule.history.filter(source_id=OuterRef("pk")).order_by("history_date")
    own_runs = SyncRun.objects.filter(source=OuterRef("pk"), outcome=RunOutcome.OK).order_by("started_at")
    return DataSource.objects.select_related("state").annotate(
        mapped_at=Subquery(own_rows.values("history_date")[:1]),
        pulled_at=Subquery(own_runs.values("ended_at")[:1]),
    )


def _how_far(source: Any) -> tuple[bool, bool, bool, bool]:
    state: SourceState = source.state
    looked = state.looked_at
    return (bool(state.last_success_at), "preview" in looked, bool(source.mapped_at), "check" in looked)


def _looked_at(state: SourceState | None, what: str) -> datetime | None:
    kept = state.looked_at.get(what) if state else None
    return parse_datetime(kept["at"]) if kept else None


def _first(kind: str, titles: Sequence[str]) -> datetime | None:
    """Return when a listed device did it first, by the index; with the row `*` any device is listed."""
    done = DeviceActivity.objects.filter(kind=kind)
    if Device.ANY not in titles:
        done = done.filter(ae_title__in=titles)
    return done.order_by("at").values_list("at", flat=True).first()


def _page_of(source: DataSource) -> str:
    return reverse("admin:sources_datasource_change", args=[source.pk])
