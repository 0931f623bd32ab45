"""axe-core finds nothing on any page of the admin, be it light, dark or on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from pylantir_site.overview.admin_site import PylantirAdminSite
from sources.models import DataSource, SourceState, State, SyncRun
from sources.sync.guards import Guarded
from tests.accessibility import WIDE, Walk
from tests.admin_objects import address, admin_routes, one_of_each
from tests.browser import sign_in
from tests.calpendo.server import CalpendoServer
from tests.redcap.server import RedcapServer
from tests.site.test_admin_permissions import TABLE
from tests.sources.calpendo_sources import booked, calpendo_source
from tests.sources.conftest import new_source
from tests.sources.study import participant, study
from tests.worklist.appointments import an_item
from worklist.models import Device

APPS = ("accounts", "worklist", "archives", "sources", "notices", "privacy")
# Pages of several models that are one page: each is looked at for one of them.
LIKE_OTHERS = ("/delete/", "/history/")
UNLIKE = ("worklist/worklistitem/", "sources/datasource/")
SEEN_REFUSED = ("/add/", "/quick-add/")
LEADING_ON = ("/login/", "/<path:object_id>/", "/scanner/", "/sign-in/", "/return/")
FOR_SCRIPTS = ("/jsi18n/", "/progress/", "/samples/", "/fields/", "/instruments/")
SOURCES = "/admin/sources/datasource/"
ITEMS = "/admin/worklist/worklistitem/"

pytestmark = [pytest.mark.acceptance("AD151"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def window(browser: Browser, live_server: Any) -> Iterator[Page]:
    """Give a page that may complain, as a browser does of an answer 404."""
    context = browser.new_context(base_url=live_server.url)
    yield context.new_page()
    context.close()


@pytest.fixture
def walk(window: Page, transactional_db: None) -> Iterator[Walk]:
    """Give a walk of a stranger; at its end nothing may have been wrong."""
    window.context.clear_cookies()
    walk = Walk(window)
    yield walk
    window.goto("about:blank")
    assert not walk.told, "\n".join(walk.told)


@pytest.mark.parametrize("app", APPS)
def test_no_page_of_an_app_keeps_anybody_out(app: str, walk: Walk, alice: User) -> None:
    rows = one_of_each()
    sign_in(walk.page, alice)

    for route in admin_routes():
        if route.startswith(f"admin/{app}/") and _is_a_page(route):
            walk.open(address(route, rows))


def test_no_page_of_the_site_keeps_anybody_out(walk: Walk, alice: User) -> None:
    one_of_each()
    sign_in(walk.page, alice)

    for route in admin_routes():
        if not route.startswith(tuple(f"admin/{app}/" for app in APPS)) and _is_a_page(route):
            walk.open(address(route, {}))
    walk.send("/admin/search/", {"q": "Doe"})
    walk.send("/admin/search/", {"q": "nobody is called so"})


def test_no_page_for_strangers_and_for_what_went_wrong_keeps_anybody_out(
    walk: Walk, alice: User, charlie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk.open("/admin/login/")
    walk.send("/admin/login/", {"username": "alice", "password": "wrong"})
    walk.open("/nothing")
    sign_in(walk.page, charlie)
    walk.open("/admin/accounts/user/")
    walk.open("/admin/nothing/")
    walk.send("/admin/password_change/", {"csrfmiddlewaretoken": "of yesterday"})
    walk.send("/admin/search/", {f"field{number}": "" for number in range(1100)})
    walk.page.goto("/admin/password_change/")
    with monkeypatch.context() as patch:
        patch.setattr(PylantirAdminSite, "each_context", None)
        walk.open("/admin/")
    walk.page.goto("/admin/password_change/")
    walk.send("/admin/logout/")


def test_no_form_that_is_refused_keeps_anybody_out(walk: Walk, alice: User) -> None:
    item = one_of_each()["worklist/worklistitem"]
    sign_in(walk.page, alice)
    walk.page.goto("/admin/password_change/")

    walk.send("/admin/accounts/user/add/")
    walk.send(f"{ITEMS}add/")
    walk.send(f"{ITEMS}quick-add/")
    walk.send(f"{ITEMS}import/")
    walk.send(f"{ITEMS}export/", {"shifts_dates": "on"})
    for action in ("reschedule_items", "cancel_items"):
        walk.send(ITEMS, {"action": action, "_selected_action": item.pk})
    walk.send("/admin/worklist/calendarfeed/", {"shows": "IDS", "minutes": "30"})
    walk.send("/admin/worklist/calendarfeed/", {"shows": "x"})
    walk.send("/admin/worklist/device/add/")
    walk.send("/admin/worklist/confirmedperson/add/")
    walk.send("/admin/notices/subscription/add/")
    walk.send(f"{SOURCES}add/")
    walk.send("/admin/privacy/erasure/participant/")
    walk.send("/admin/privacy/erasure/participant/", {"patient_id": "P1"})
    walk.send("/admin/privacy/erasure/participant/", {"patient_id": "P404"})


def test_today_keeps_nobody_out_whatever_is_open(walk: Walk, alice: User) -> None:
    page = walk.page
    sign_in(page, alice)
    walk.open("/admin/")  # an empty installation, with its first steps
    one_of_each()
    Device.objects.create(ae_title="MR2", modality="MR")
    an_item()
    an_item(patient_id="P013", patient_name="Okafor^Ben", scheduled_station_aetitle="")

    walk.open("/admin/")
    walk.open("/admin/?week")
    walk.open(f"/admin/?day={timezone.localdate() + timedelta(days=3)}")
    for menu in ("More", "Alice"):
        page.set_viewport_size(WIDE)
        page.locator("details.menu > summary", has_text=menu).click()
        walk.look(f"/admin/ with the menu {menu}", within="details.menu[open]")
    for opener in ("#add-item", ".booking a[data-dialog]"):
        page.goto("/admin/")
        page.locator(opener).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        walk.look(f"/admin/ with the dialog of {opener}", within="dialog")
    page.goto("/admin/")
    page.get_by_role("combobox").press_sequentially("feather")
    expect(page.get_by_role("option").first).to_be_visible()
    walk.look("/admin/ with suggestions", within="#site-search")


@pytest.mark.parametrize("role", ["read", "write"])
def test_no_page_that_a_role_may_only_read_keeps_anybody_out(role: str, walk: Walk, alice: User) -> None:
    rows = one_of_each()
    an_item()
    User.objects.filter(pk=alice.pk).update(role=role)
    alice.refresh_from_db()
    sign_in(walk.page, alice)

    walk.open("/admin/", is_brief=True)
    walk.open(ITEMS, is_brief=True)
    for model in ("worklist/worklistitem", "worklist/performedstep", "worklist/device", "sources/datasource"):
        walk.open(f"/admin/{model}/{rows[model].pk}/change/", is_brief=True)


def test_a_source_keeps_nobody_out_in_any_of_its_states(walk: Walk, alice: User) -> None:
    project = study()
    participant(project, "P-1")
    with RedcapServer(project) as server:
        source = new_source(server, enabled=False)
        sign_in(walk.page, alice)
        own = f"{SOURCES}{source.pk}/"
        walk.page.goto(f"{own}change/")
        for step in ("check", "suggest", "preview", "compare"):
            walk.send(f"{own}{step}/")
        walk.open(f"{own}change/")
    DataSource.objects.update(enabled=True)
    state = SourceState.objects.filter(source=source)
    SyncRun.objects.create(source=source, actor="alice")
    for values in (
        {"state": State.OK, "last_success_at": timezone.now()},
        {"state": State.HELD, "held": {Guarded.ADDED: 40, Guarded.WITHDRAWN: 9}},
        {"state": State.TRANSIENT, "held": {}, "message": "It does not answer.", "failures": 3},
        {"state": State.AUTHORISATION, "message": "It was not let in.", "next_pull_at": None},
        {"state": State.OK, "message": "", "claim": "a claim", "claimed_at": timezone.now()},
    ):
        state.update(**values)
        walk.open(f"{own}change/", within=".source-state")


def test_a_calpendo_keeps_nobody_out_from_the_choice_of_its_kind_on(walk: Walk, alice: User) -> None:
    with CalpendoServer(bookings=[booked(1), booked(2, status="Denied")]) as server:
        source = calpendo_source(server, (), enabled=False, resources="")
        own = f"{SOURCES}{source.pk}/"
        sign_in(walk.page, alice)
        walk.open(f"{SOURCES}add/")
        walk.open(f"{SOURCES}add/?kind=calpendo")
        walk.send(f"{SOURCES}add/?kind=calpendo")
        walk.send(f"{own}choose_resources/")
        walk.send(f"{own}choose_resources/", {"choose": "", "resource": "3T Diagnostic"})
        walk.send(f"{own}begin_mapping/")
        walk.send(f"{own}check/")
        walk.send(f"{own}preview/")


def _is_a_page(route: str) -> bool:
    """Tell whether an administrator may GET it, it does not only lead on, and is not like another."""
    by_get, _ = TABLE[route]
    is_like_another = route.endswith(LIKE_OTHERS) and not any(model in route for model in UNLIKE)
    is_no_page = "csv/" in route or route.endswith((*LEADING_ON, *FOR_SCRIPTS, *SEEN_REFUSED))
    return by_get.endswith("+") and not is_like_another and not is_no_page
