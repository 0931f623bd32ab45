"""Some tests look at every page of the admin: here are their addresses, and a row for each to show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver

from tests.sources import making

ADMIN = "admin/"
# Where a route's parameters are not the key of its model's row.
ADDRESSES = {
    "admin/^(?P<app_label>accounts|worklist|sources|archives|notices|privacy)/$": "/admin/worklist/",
    "admin/csv/<slug:app_label>/<slug:model_name>/": "/admin/csv/worklist/worklistitem/",
    "admin/day/<str:day>/sheet/": "/admin/day/2026-08-03/sheet/",
    "admin/plots/<slug:plot>/csv/": "/admin/plots/starts/csv/",
    "admin/r/<path:content_type_id>/<path:object_id>/": "/admin/r/1/1/",
    "admin/sources/datasource/named/<path:name>/scanner/": "/admin/sources/datasource/named/study/scanner/",
}
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def admin_routes() -> list[str]:
    """Return the routes below the admin's address, but for the one that takes all the rest."""
    found = (route for route in _routes(get_resolver().url_patterns) if route.startswith(ADMIN))
    return [route for route in found if not route.endswith("(?P<url>.*)$")]


def _routes(patterns: list[Any], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def address(route: str, rows: dict[str, Model]) -> str:
    """Return an address of the route: of its model's row, or the one that ADDRESSES gives."""
    if route in ADDRESSES:
        return ADDRESSES[route]
    model = "/".join(route.split("/")[1:3])
    if "<" in route and model not in rows:
        raise LookupError(f"{route}: make a row of {model} in tests/admin_objects.py, one_of_each.")
    return "/" + _PARAMETER.sub(lambda found: str(rows[model].pk), route)


def one_of_each() -> dict[str, Model]:
    """Store a row of each model that the admin shows, and return them by the path of their pages."""
    from accounts.models import AuditEvent, User
    from archives.models import Archive
    from pylantir_site.notices.models import Delivery, DeliveryState, Subscription
    from pylantir_site.privacy.models import Erasure
    from sources.models import OriginalDatabase, SyncedStep, SyncIssue, SyncRun
    from tests.worklist.activity import query
    from tests.worklist.conftest import make_item
    from tests.worklist.performed_rows import make_step
    from worklist.models import (
        Attention,
        AttentionKind,
        CalendarFeed,
        ConfirmedPerson,
        Device,
        FeedShows,
        PerformedStatus,
    )

    item = make_item()
    item.save()
    step = make_step(item, status=PerformedStatus.COMPLETED)
    # Nothing listens there, so that whoever asks is refused at once.
    source = making.unsaved(
        name="study", url="http://127.0.0.1:9/api/", project_id=1, session_instrument="mri"
    )
    source.redcap.set_token("A" * 32, by="alice")
    source.save_with_details("alice")
    subscription = Subscription.objects.create(username="alice", kinds=["UNSCHEDULED"])
    run = SyncRun.objects.create(source=source, actor="alice")
    SyncedStep.objects.create(source=source, record="1", item=item, run=run)
    rows = (
        item,
        step,
        source,
        run,
        Attention.objects.create(kind=AttentionKind.WEIGHT, item=item, step=step, text="It differs."),
        ConfirmedPerson.objects.create(patient_id="P1", patient_name="DOE^JOHN1", confirmed_by="alice"),
        Archive.objects.create(name="PACS", host="127.0.0.1", port=9, called_ae_title="PACS"),
        Device.objects.create(ae_title="MR1", host="127.0.0.1", port=9),
        query(),
        SyncIssue.objects.create(source=source, record="1", text="There is no date."),
        SyncedStep.objects.create(source=source, record="2", says={"patient_id": "P2"}, run=run),
        OriginalDatabase.objects.create(name="worklist.db", imported_by="alice"),
        AuditEvent.objects.create(
            username="alice", address="10.0.0.1", method="GET", path="/users", status=200
        ),
        CalendarFeed.objects.create(username="alice", digest="0" * 64, shows=FeedShows.IDS),
        subscription,
        Delivery.objects.create(
            subscription=subscription, reason="AT_ONCE", state=DeliveryState.FAILED, error="It hung up."
        ),
        Erasure.objects.create(by="alice", pseudonym="ERASED-1", counts={"issues": 1}),
        User.objects.create_user("dora", password="correct horse battery staple"),
    )
    return {f"{row._meta.app_label}/{row._meta.model_name}": row for row in rows}
