"""The admin lists points of attention, and the page of each kind offers its own means to whom it should.

Not here: how they come to be (test_attention.py), what people then do (test_admin_attention.py).
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from tests.admin_pages import queries_of, said
from tests.api_client import client_of
from tests.worklist.item_pages import act as act_on_items
from tests.worklist.item_pages import change_url
from tests.worklist.reported import an_item, open_point, unscheduled
from worklist.attention import points
from worklist.examinations import performing
from worklist.models import Attention, AttentionKind, PerformedStatus

pytestmark = pytest.mark.django_db

LIST = reverse("admin:worklist_attention_changelist")
INDEX = reverse("admin:index")
ROLES = pytest.mark.parametrize(
    ("name", "may_change"),
    [("alice", True), ("bob", True), ("charlie", False)],
    ids=["admin", "write", "read"],
)
KINDS = pytest.mark.parametrize("kind", list(AttentionKind))


@pytest.fixture
def coordinator(client: Client, bob: Any) -> Client:
    client.force_login(bob)
    return client


def page(point: Attention, action: str = "change") -> str:
    return reverse(f"admin:worklist_attention_{action}", args=[point.pk])


def shown(client: Client, url: str) -> str:
    return str(client.get(url).content.decode())


def listed(client: Client, query: str = "") -> list[Attention]:
    return list(client.get(f"{LIST}?{query}").context["cl"].result_list)


def resolve_several(client: Client, chosen_points: list[Attention], **form: Any) -> Any:
    chosen = {"action": "resolve_points", "_selected_action": [point.pk for point in chosen_points]}
    return client.post(LIST, {**chosen, **form}, follow=True)


MEANS = {
    AttentionKind.IDENTITY: ("It is not this item: unlink",),
    AttentionKind.IMAGES_IDENTITY: (),
    AttentionKind.STRAY_STUDY: (),
    AttentionKind.IMAGES_WEIGHT: ("Take that of the images", "Keep ours"),
    AttentionKind.TWO_STUDIES: (),
    AttentionKind.FEWER_SERIES: (),
    AttentionKind.NOT_ARCHIVED: (),
    AttentionKind.SHARED_ID: ('value="reschedule_items"', 'value="cancel_items"'),
    AttentionKind.UNSCHEDULED: ("Which item was it?", ">Link</button>", "Search the worklist"),
    AttentionKind.WRONG_ENTRY: ("It is not this item: unlink",),
    AttentionKind.CANCELLED: ("It is not this item: unlink",),
    AttentionKind.WEIGHT: ("Take the scanner", "Keep ours", "It is not this item: unlink"),
    AttentionKind.STALE: ("Close as completed", "Close as discontinued"),
    AttentionKind.SIMILAR_ID: ('value="reschedule_items"', 'value="cancel_items"'),
    AttentionKind.PROTOCOL: ("It is not this item: unlink",),
    AttentionKind.DEVIATION: (),
    AttentionKind.NOT_PERFORMED: ('value="reschedule_items"', 'value="cancel_items"'),
    AttentionKind.QA_OVERDUE: ('value="reschedule_items"', 'value="cancel_items"'),
}
ALL_MEANS = {text for texts in MEANS.values() for text in texts} | {"Resolve with this note"}


@KINDS
@ROLES
def test_each_kind_offers_its_own_means_to_who_may_use_them(
    client: Client, request: pytest.FixtureRequest, name: str, may_change: bool, kind: AttentionKind
) -> None:
    point = open_point(kind)
    client.force_login(request.getfixturevalue(name))

    text = shown(client, page(point))

    offered = {means for means in ALL_MEANS if means in text}
    unlinks = {"It is not this item: unlink"} if point.step and point.step.links.exists() else set()
    assert kind in MEANS, (
        f"Say in MEANS of tests/worklist/test_admin_points.py what can be done about {kind}."
    )
    wanted = {*MEANS[kind], "Resolve with this note", *unlinks}
    assert offered == (wanted if may_change else set())
    is_of_identity = kind in (AttentionKind.IDENTITY, AttentionKind.IMAGES_IDENTITY)
    assert (">Correct the item</a>" in text) == (is_of_identity and name == "alice")


@KINDS
def test_a_resolved_point_shows_who_when_and_why_and_nothing_to_press(
    coordinator: Client, kind: AttentionKind
) -> None:
    point = open_point(kind)
    points.resolve(point, actor="alice", note="Looked at the <b>images</b>")
    point.refresh_from_db()

    text = shown(coordinator, page(point))

    assert point.resolved_at is not None
    for part in (
        "Resolved by <strong>alice</strong>",
        date_format(timezone.localtime(point.resolved_at), "DATETIME_FORMAT"),
        "Looked at the &lt;b&gt;images",
    ):
        assert part in text
    assert not {means for means in ALL_MEANS if means in text}


@ROLES
def test_who_may_resolve(client: Client, request: pytest.FixtureRequest, name: str, may_change: bool) -> None:
    one, other = open_point(AttentionKind.IDENTITY), open_point(AttentionKind.DEVIATION)
    client.force_login(request.getfixturevalue(name))

    answer = client.post(page(one, "resolve"), {"note": "Asked the radiographer"})
    resolve_several(client, [other], confirmed="1", note="Asked the radiographer")

    assert answer.status_code == (302 if may_change else 403)
    for point in (one, other):
        point.refresh_from_db()
        expected = (name, "Asked the radiographer") if may_change else ("", "")
        assert (point.resolved_by, point.note) == expected
        assert point.is_open != may_change
    assert ("resolve_points" in shown(client, f"{LIST}?state=all")) == may_change


def test_a_point_is_resolved_by_post_with_a_token_by_someone_signed_in(client: Client, bob: Any) -> None:
    point = open_point(AttentionKind.IDENTITY)
    url, form = page(point, "resolve"), {"note": "N"}
    assert client.post(url, form)["Location"].startswith("/admin/login/")
    client.force_login(bob)
    assert client.get(url).status_code == 405
    forging = Client(enforce_csrf_checks=True)
    forging.force_login(bob)
    assert forging.post(url, form).status_code == 403
    point.refresh_from_db()
    assert point.is_open


@pytest.mark.parametrize("note", ["", "   ", None])
def test_without_a_note_nothing_is_resolved(coordinator: Client, note: str | None) -> None:
    point = open_point(AttentionKind.IDENTITY)
    form = {} if note is None else {"note": note}

    done = coordinator.post(page(point, "resolve"), form, follow=True)
    asked = resolve_several(coordinator, [point], confirmed="1", **form)

    assert said(done) == ["Note: This field is required. Nothing was done."]
    assert "This field is required." in asked.content.decode()
    point.refresh_from_db()
    assert point.is_open


def test_what_another_has_resolved_is_not_resolved_again(coordinator: Client) -> None:
    point, other = open_point(AttentionKind.IDENTITY), open_point(AttentionKind.DEVIATION)
    points.resolve(point, actor="alice", note="Mine")

    both = coordinator.post(
        f"{LIST}?state=all",
        {
            "action": "resolve_points",
            "_selected_action": [point.pk, other.pk],
            "confirmed": "1",
            "note": "Me too",
        },
        follow=True,
    )

    assert said(both) == ["Resolved for John Doe.", "John Doe was skipped: It is resolved already."]
    point.refresh_from_db()
    assert (point.resolved_by, point.note) == ("alice", "Mine")


def test_the_list_shows_what_is_open_the_worst_first_and_the_newest_of_a_kind_first(
    coordinator: Client,
) -> None:
    older = open_point(AttentionKind.IDENTITY)
    Attention.objects.filter(pk=older.pk).update(opened_at=timezone.now() - timedelta(days=2))
    by_kind = {kind: open_point(kind) for kind in reversed(AttentionKind)}
    resolved = open_point(AttentionKind.IDENTITY)
    points.resolve(resolved, actor="bob", note="Seen")

    expected = [by_kind[AttentionKind.IDENTITY], older, *(by_kind[kind] for kind in list(AttentionKind)[1:])]
    assert listed(coordinator) == expected
    assert listed(coordinator, "state=resolved") == [resolved]
    assert set(listed(coordinator, "state=all")) == {*expected, resolved}
    assert listed(coordinator, "kind__exact=STALE") == [by_kind[AttentionKind.STALE]]
    assert listed(coordinator, "o=-6")[-1] == older
    assert "bob" in shown(coordinator, f"{LIST}?state=resolved")
    assert coordinator.get(f"{LIST}?state=nonsense").status_code == 200


def test_the_list_finds_people_by_what_either_side_says(coordinator: Client) -> None:
    point = open_point(AttentionKind.IDENTITY, patient_name="Roe^Richard", patient_id="W1")
    open_point(AttentionKind.DEVIATION)

    for sought in ("Roe", "W1", "P99"):
        assert listed(coordinator, f"q={sought}") == [point], sought


def test_a_long_text_is_cut_short_in_the_list(coordinator: Client) -> None:
    point = open_point(AttentionKind.DEVIATION)
    Attention.objects.filter(pk=point.pk).update(text="\n".join(f"Line {n}" for n in range(1, 31)))

    assert "Line 4<br>and 26 more" in shown(coordinator, LIST)
    assert "Line 30" in shown(coordinator, page(point))


def test_linking_to_someone_else_tells_at_once_that_the_identity_differs(coordinator: Client) -> None:
    other = an_item(patient_name="Roe^Jane", patient_id="P2")
    point = open_point(AttentionKind.UNSCHEDULED)
    assert point.step is not None
    searched = coordinator.post(page(point), {"q": "Roe^Jane"})
    assert [choice.item for choice in searched.context["found"]] == [other]

    link = reverse("admin:worklist_performedstep_link", args=[point.step.pk])
    done = coordinator.post(link, {"item": other.pk, "next": page(point)}, follow=True)

    assert [point.kind for point in done.context["others"]] == [AttentionKind.IDENTITY]
    assert "Also open about it" in done.content.decode()


@pytest.mark.acceptance("D213")
def test_who_made_a_link_is_named_wherever_it_is_shown(coordinator: Client, bob: Any) -> None:
    item = an_item(patient_name="Roe^Jane", patient_id="P2")
    step = unscheduled(an_item())
    point = step.attention.get(kind=AttentionKind.UNSCHEDULED)
    coordinator.post(reverse("admin:worklist_performedstep_link", args=[step.pk]), {"item": item.pk})

    point.refresh_from_db()
    assert (point.resolved_by, point.note) == (points.BY_ITSELF, "No longer so. Linked by bob.")
    other = step.attention.get(kind=AttentionKind.IDENTITY)
    assert "Linked by bob." in shown(coordinator, LIST)
    for url in (page(other), reverse("admin:worklist_performedstep_change", args=[step.pk])):
        assert "Linked by bob," in shown(coordinator, url)
    for url in ("admin:worklist_performedstep_history", "admin:worklist_worklistitem_history"):
        text = shown(coordinator, reverse(url, args=[item.pk if "item" in url else step.pk]))
        assert "Linked by bob" in text
    client = client_of(bob)
    assert client.get(f"/attention/{other.pk}").json()["linked_by"] == "bob"
    (link,) = client.get(f"/performed-steps/{step.sop_instance_uid}").json()["items"]
    assert (link["evidence"], link["linked_by"]) == ("PERSON", "bob")


def test_a_wrong_link_is_taken_back_from_the_page_of_the_point(coordinator: Client) -> None:
    point = open_point(AttentionKind.IDENTITY)
    assert point.step is not None
    assert point.item is not None
    unlink = reverse("admin:worklist_performedstep_unlink", args=[point.step.pk])

    form = {"item": point.item.pk, "reason": "It was her sister", "next": page(point)}
    done = coordinator.post(unlink, form, follow=True)

    point.refresh_from_db()
    assert not point.is_open
    assert [point.kind for point in done.context["others"]] == [AttentionKind.UNSCHEDULED]


def test_closing_a_stale_step_resolves_its_point(coordinator: Client) -> None:
    point = open_point(AttentionKind.STALE)
    assert point.step is not None
    close = reverse("admin:worklist_performedstep_close", args=[point.step.pk])

    coordinator.post(close, {"to": "DISCONTINUED", "reason": "Fire alarm", "next": page(point)})

    point.refresh_from_db()
    point.step.refresh_from_db()
    assert (point.is_open, point.step.status) == (False, PerformedStatus.DISCONTINUED)


def test_rescheduling_what_was_not_performed_resolves_its_point(coordinator: Client) -> None:
    point = open_point(AttentionKind.NOT_PERFORMED)
    assert point.item is not None
    tomorrow = timezone.localdate() + timedelta(days=1)

    act_on_items(coordinator, "reschedule_items", [point.item], confirmed="1", scheduled_start_date=tomorrow)

    point.refresh_from_db()
    assert not point.is_open


def test_a_stock_history_page_leads_to_the_point_which_tells_all(coordinator: Client) -> None:
    point = open_point(AttentionKind.IDENTITY)
    assert coordinator.get(page(point, "history"))["Location"] == page(point)


def test_a_point_that_is_not_there_is_not_found(coordinator: Client) -> None:
    assert coordinator.get(reverse("admin:worklist_attention_change", args=[0])).status_code == 404
    assert coordinator.post(reverse("admin:worklist_attention_resolve", args=[0])).status_code == 404


def test_the_index_counts_by_kind_and_names_the_worst_first(coordinator: Client) -> None:
    assert "Nothing is waiting for you." in shown(coordinator, INDEX)
    for kind in reversed(AttentionKind):
        open_point(kind)
    answer = coordinator.get(INDEX)
    kinds = [each.point.kind for each in answer.context["points"]]
    assert kinds == list(AttentionKind)[:5]
    assert answer.context["kind_counts"] == [(kind, 1) for kind in AttentionKind]
    assert f"Needs attention ({len(AttentionKind)})" in answer.content.decode()


@pytest.mark.slow
def test_the_cost_of_a_page_does_not_grow_with_the_points(coordinator: Client) -> None:
    point = open_point(AttentionKind.UNSCHEDULED)
    open_point(AttentionKind.NOT_PERFORMED)
    open_point(AttentionKind.SHARED_ID)  # its items are today's
    performing.link(unscheduled(an_item()), an_item(), actor="bob")

    def costs() -> list[int]:
        return [queries_of(partial(coordinator.get, url)) for url in (INDEX, LIST, page(point))]

    def open_points(times: int) -> None:
        for _ in range(times):
            for kind in AttentionKind:
                open_point(kind)

    costs()
    open_points(6)  # more than a page of the list: what it asks then, it asks once
    few = costs()
    open_points(3)
    assert costs() == few


def test_no_url_of_a_page_names_a_participant(coordinator: Client) -> None:
    for kind in AttentionKind:
        point = open_point(kind, patient_name="Zzyzx^Quentin", patient_id=f"ZZID{kind}")
        text = shown(coordinator, page(point))
        urls = [part.split('"')[0] for part in text.split('href="')[1:] + text.split('action="')[1:]]
        assert change_url(point.item) in urls if point.item else urls
        assert not [url for url in urls if "Zzyzx" in url or "ZZID" in url]
