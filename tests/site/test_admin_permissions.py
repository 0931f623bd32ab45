"""A table writes out who may open each page of the admin, and who may send it something.

`+` is let in, whatever is then said of the request; `in` is sent to the sign-in page; 403, 405 are refused.
A route that is not in the table fails, and says what to add; so does an action of a list.
"""

from __future__ import annotations

from copy import copy
from http.cookies import SimpleCookie

import pytest
from django.contrib import admin
from django.db import transaction
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.test import Client, RequestFactory

from accounts.models import User
from pylantir_site.overview import error_pages
from tests.admin_objects import address, admin_routes, one_of_each

# What a GET, and a POST without any field, lead to for each of nobody, viewer, coordinator and administrator.
ANYONE, SIGNED_IN, WRITERS, ADMINS = "+ + + +", "in + + +", "in 403 + +", "in 403 403 +"
NOBODY, NO_VERB = "in 403 403 403", "in 405 405 405"
Row = tuple[str, str]  # by GET, by POST


def stock(
    model: str, *, view: str, add: str = NOBODY, change: str = NOBODY, delete: str = NOBODY
) -> dict[str, Row]:
    """Return the rows of the pages that Django gives to each model: who may do what by them."""
    return {
        f"admin/{model}/": (view, view),
        f"admin/{model}/add/": (add, add),
        f"admin/{model}/<path:object_id>/": (SIGNED_IN, SIGNED_IN),  # leads to the next
        f"admin/{model}/<path:object_id>/change/": (view, change),
        f"admin/{model}/<path:object_id>/delete/": (delete, delete),
        f"admin/{model}/<path:object_id>/history/": (view, view),
    }


TABLE: dict[str, Row] = {
    "admin/": (SIGNED_IN, SIGNED_IN),
    "admin/^(?P<app_label>accounts|worklist|sources|archives|notices|privacy)/$": (SIGNED_IN, SIGNED_IN),
    "admin/autocomplete/": (NOBODY, NO_VERB),  # no page has a field that asks it
    "admin/csv/<slug:app_label>/<slug:model_name>/": (SIGNED_IN, SIGNED_IN),  # as may see the list
    "admin/day/<str:day>/sheet/": (SIGNED_IN, SIGNED_IN),
    "admin/first-steps/hide/": (NO_VERB, ADMINS),
    "admin/jsi18n/": (SIGNED_IN, NO_VERB),
    "admin/login/": (ANYONE, ANYONE),
    "admin/logout/": ("+ 405 405 405", ANYONE),
    "admin/password_change/": (SIGNED_IN, SIGNED_IN),
    "admin/password_change/done/": (SIGNED_IN, NO_VERB),
    "admin/arrivals/": (SIGNED_IN, SIGNED_IN),
    "admin/arrivals/csv/": (SIGNED_IN, SIGNED_IN),
    "admin/plots/": (SIGNED_IN, SIGNED_IN),
    "admin/plots/<slug:plot>/csv/": (SIGNED_IN, SIGNED_IN),
    "admin/r/<path:content_type_id>/<path:object_id>/": (SIGNED_IN, SIGNED_IN),
    "admin/search/": (SIGNED_IN, SIGNED_IN),  # finds what the person may see
    "admin/search/suggestions/": (NO_VERB, SIGNED_IN),
    "admin/sign-in/": (ANYONE, "405 405 405 405"),
    "admin/sign-in/return/": (ANYONE, "405 405 405 405"),
    **stock("accounts/user", view=ADMINS, add=ADMINS, change=ADMINS, delete=ADMINS),
    "admin/accounts/user/<id>/password/": (ADMINS, ADMINS),
    "admin/accounts/user/<int:key>/unlock/": (NO_VERB, ADMINS),
    **stock("accounts/auditevent", view=ADMINS),
    **stock("worklist/worklistitem", view=SIGNED_IN, add=WRITERS, change=WRITERS, delete=WRITERS),
    "admin/worklist/worklistitem/export/": (SIGNED_IN, SIGNED_IN),  # as may see the list
    "admin/worklist/worklistitem/import/": (WRITERS, WRITERS),
    "admin/worklist/worklistitem/quick-add/": (WRITERS, WRITERS),
    "admin/worklist/worklistitem/quick-add/look/": (NO_VERB, WRITERS),
    "admin/worklist/worklistitem/<int:pk>/booking/": (WRITERS, WRITERS),
    "admin/worklist/worklistitem/<int:pk>/performed/": (WRITERS, NO_VERB),
    "admin/worklist/worklistitem/<int:pk>/weight/": (WRITERS, WRITERS),
    "admin/worklist/worklistitem/undo/": (NO_VERB, SIGNED_IN),  # nothing, without what a writer was given
    "admin/worklist/worklistitem/known/": (NO_VERB, SIGNED_IN),
    "admin/worklist/worklistitem/missing/": (SIGNED_IN, SIGNED_IN),
    "admin/worklist/worklistitem/<int:pk>/missing/": (SIGNED_IN, SIGNED_IN),
    **stock("worklist/confirmedperson", view=SIGNED_IN, add=WRITERS, delete=WRITERS),
    **stock("worklist/performedstep", view=SIGNED_IN, change=SIGNED_IN),  # its page searches by POST
    "admin/worklist/performedstep/export/": (SIGNED_IN, SIGNED_IN),
    "admin/worklist/performedstep/<int:pk>/link/": (NO_VERB, WRITERS),
    "admin/worklist/performedstep/<int:pk>/unlink/": (NO_VERB, WRITERS),
    "admin/worklist/performedstep/<int:pk>/close/": (NO_VERB, WRITERS),
    **stock("worklist/attention", view=SIGNED_IN, change=SIGNED_IN),  # its page searches by POST
    "admin/worklist/attention/<int:pk>/resolve/": (NO_VERB, WRITERS),
    "admin/worklist/attention/<int:pk>/settle/": (WRITERS, WRITERS),
    "admin/worklist/attention/<int:pk>/weigh/": (NO_VERB, WRITERS),
    **stock("worklist/device", view=SIGNED_IN, add=ADMINS, change=ADMINS, delete=ADMINS),
    "admin/worklist/device/preview/": (SIGNED_IN, SIGNED_IN),
    "admin/worklist/device/<int:pk>/echo/": (NO_VERB, ADMINS),
    **stock("worklist/qarule", view=SIGNED_IN, add=WRITERS, change=WRITERS, delete=WRITERS),
    "admin/worklist/qarule/<int:pk>/scan/": (NO_VERB, WRITERS),
    **stock("worklist/deviceactivity", view=SIGNED_IN),
    "admin/worklist/calendarfeed/": (SIGNED_IN, SIGNED_IN),
    "admin/worklist/calendarfeed/<int:pk>/renew/": (NO_VERB, SIGNED_IN),  # their own
    "admin/worklist/calendarfeed/<int:pk>/revoke/": (NO_VERB, SIGNED_IN),  # their own
    **stock("notices/subscription", view=SIGNED_IN, add=SIGNED_IN, change=SIGNED_IN, delete=SIGNED_IN),
    "admin/notices/subscription/usual/": (NO_VERB, SIGNED_IN),
    "admin/notices/subscription/<int:pk>/test/": (NO_VERB, SIGNED_IN),  # their own
    **stock("notices/delivery", view=SIGNED_IN),
    **stock("privacy/erasure", view=ADMINS),
    "admin/privacy/erasure/participant/": (ADMINS, ADMINS),
    **stock("sources/datasource", view=SIGNED_IN, add=ADMINS, change=ADMINS, delete=ADMINS),
    "admin/sources/datasource/named/<path:name>/scanner/": (SIGNED_IN, SIGNED_IN),
    "admin/sources/datasource/<int:pk>/check/": (NO_VERB, WRITERS),
    "admin/sources/datasource/<int:pk>/pull/": (NO_VERB, WRITERS),
    "admin/sources/datasource/<int:pk>/full_pull/": (NO_VERB, WRITERS),
    "admin/sources/datasource/<int:pk>/preview/": (NO_VERB, WRITERS),
    "admin/sources/datasource/<int:pk>/compare/": (NO_VERB, WRITERS),
    "admin/sources/datasource/<int:pk>/progress/": (SIGNED_IN, NO_VERB),
    "admin/sources/datasource/<int:pk>/samples/": (WRITERS, NO_VERB),
    "admin/sources/datasource/<int:pk>/suggest/": (NO_VERB, ADMINS),
    "admin/sources/datasource/<int:pk>/choose_filing/": (NO_VERB, ADMINS),
    "admin/sources/datasource/<int:pk>/filing/": (NO_VERB, WRITERS),
    "admin/sources/datasource/<int:pk>/new_secret/": (NO_VERB, ADMINS),
    "admin/sources/datasource/<int:pk>/written/": (NO_VERB, WRITERS),
    "admin/sources/datasource/<int:pk>/write_again/": (NO_VERB, ADMINS),
    "admin/sources/datasource/<int:pk>/columns/": (NO_VERB, ADMINS),
    "admin/sources/datasource/<int:pk>/choose_resources/": (NO_VERB, ADMINS),
    "admin/sources/datasource/<int:pk>/begin_mapping/": (NO_VERB, ADMINS),
    "admin/sources/datasource/<int:pk>/enable/": (NO_VERB, ADMINS),
    "admin/sources/datasource/<int:pk>/agree/": (NO_VERB, ADMINS),
    "admin/sources/datasource/<int:pk>/allow/": (NO_VERB, ADMINS),
    "admin/sources/datasource/<int:pk>/withdraw_all/": (NO_VERB, ADMINS),
    "admin/sources/datasource/<int:pk>/let_back/": (NO_VERB, ADMINS),
    "admin/sources/datasource/<int:pk>/fields/": (ADMINS, NO_VERB),
    "admin/sources/datasource/<int:pk>/instruments/": (ADMINS, NO_VERB),
    **stock("sources/syncrun", view=SIGNED_IN),
    **stock("sources/syncissue", view=SIGNED_IN),
    **stock("sources/syncedstep", view=SIGNED_IN),
    "admin/sources/syncedstep/<int:pk>/follow/": (NO_VERB, WRITERS),
    "admin/sources/syncedstep/<int:pk>/another/": (NO_VERB, WRITERS),
    **stock("sources/outcomewrite", view=SIGNED_IN),
    "admin/sources/outcomewrite/<int:pk>/try/": (NO_VERB, WRITERS),
    "admin/sources/outcomewrite/<int:pk>/overwrite/": (NO_VERB, WRITERS),
    "admin/sources/outcomewrite/<int:pk>/leave/": (NO_VERB, WRITERS),
    **stock("archives/archive", view=SIGNED_IN, add=ADMINS, change=ADMINS, delete=ADMINS),
    "admin/archives/archive/<int:pk>/test/": (NO_VERB, ADMINS),
    **stock("sources/originaldatabase", view=ADMINS),
    "admin/sources/originaldatabase/import/": (ADMINS, ADMINS),
}
# Who may choose each action of a list: viewer, coordinator, administrator.
BY_WRITERS = "- + +"
ACTIONS = {
    "worklist/worklistitem": {
        "cancel_items": BY_WRITERS,
        "reschedule_items": BY_WRITERS,
        "duplicate_items": BY_WRITERS,
        "schedule_again": BY_WRITERS,
        "mark_performed": BY_WRITERS,
        "did_not_come": BY_WRITERS,
    },
    "worklist/attention": {"resolve_points": BY_WRITERS},
    "worklist/confirmedperson": {"delete_selected": BY_WRITERS},
    "worklist/device": {"delete_selected": "- - +"},
    "worklist/qarule": {"delete_selected": BY_WRITERS},
    "sources/syncedstep": {"make_again": BY_WRITERS},
    "sources/outcomewrite": {"try_again": BY_WRITERS},
}


def test_every_route_of_the_admin_is_in_the_table() -> None:
    routes = set(admin_routes())

    told = [
        f"{route} is new: say in TABLE of tests/site/test_admin_permissions.py who may GET and POST it, "
        "and in ADDRESSES of tests/admin_objects.py its address, unless the parameter is its model's key."
        for route in sorted(routes - TABLE.keys())
    ]
    assert not told, "\n".join(told)
    assert TABLE.keys() <= routes, f"There is no such route any more: {sorted(TABLE.keys() - routes)}"


@pytest.mark.acceptance("AD150")
@pytest.mark.timeout(180)
def test_a_role_may_on_every_page_what_the_table_says(
    alice: User, bob: User, charlie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sources.backends.redcap.backend.FIRST_PAUSE", 0.001)
    # Who may is decided before anything is drawn, which takes most of the time.
    monkeypatch.setattr(TemplateResponse, "rendered_content", "")
    monkeypatch.setattr(error_pages, "render", lambda *_, status: HttpResponse(status=status))
    rows = one_of_each()
    everybody = Everybody(charlie, bob, alice)

    answered = {
        route: (everybody.ask("get", url), everybody.ask("post", url))
        for route, url in ((route, address(route, rows)) for route in TABLE)
    }

    assert answered == TABLE


@pytest.mark.acceptance("AD150")
def test_who_may_see_a_list_may_have_it_as_a_file(alice: User, bob: User, charlie: User) -> None:
    everybody = Everybody(charlie, bob, alice)
    models = [f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry]

    answered = {model: everybody.ask("get", f"/admin/csv/{model}/") for model in models}

    assert answered == {model: TABLE[f"admin/{model}/"][0] for model in models}


class Everybody:
    """Nobody, and people with a session each, ask by one client, which makes the middleware but once."""

    def __init__(self, *users: User) -> None:
        self.client = Client()
        self.sessions = [SimpleCookie()]
        for user in users:
            self.client.force_login(user)
            self.sessions.append(copy(self.client.cookies))
            self.client.cookies = SimpleCookie()

    def ask(self, verb: str, url: str) -> str:
        return " ".join(self._answer(session, verb, url) for session in self.sessions)

    def _answer(self, session: SimpleCookie, verb: str, url: str) -> str:
        """Ask with the session, and undo whatever came of it."""
        self.client.cookies = copy(session)
        with transaction.atomic():
            response = getattr(self.client, verb)(url)
            transaction.set_rollback(True)
        if response.headers.get("Location", "").startswith("/admin/login/"):
            return "in"
        return str(response.status_code) if response.status_code in (403, 405) else "+"


@pytest.mark.acceptance("AD150")
def test_a_role_may_choose_the_actions_that_the_table_says(
    alice: User, bob: User, charlie: User, rf: RequestFactory
) -> None:
    offered: dict[str, dict[str, str]] = {}
    for model, its_admin in admin.site._registry.items():
        for place, user in enumerate((charlie, bob, alice)):
            request = rf.get("/admin/")
            request.user = user
            for action in its_admin.get_actions(request):
                roles = offered.setdefault(f"{model._meta.app_label}/{model._meta.model_name}", {})
                signs = roles.get(action, "- - -").split()
                signs[place] = "+"
                roles[action] = " ".join(signs)

    assert offered == ACTIONS
