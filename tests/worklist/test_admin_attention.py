"""The admin shows what needs attention, and performed steps, through Django's test client.

Not here: what is found and when it is resolved by itself (test_attention.py).
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.admin_pages import errors_in, fields_of, said, typed_name
from tests.worklist import reported
from tests.worklist.item_pages import change_url
from tests.worklist.performed_steps import begun, completed
from worklist.attention import points
from worklist.models import Attention, AttentionKind, PerformedStep, Status, WorklistItem

pytestmark = pytest.mark.django_db

POINTS = "admin:worklist_attention_changelist"
STEPS = "admin:worklist_performedstep_changelist"
HOSTILE = "<script>alert(1)</script>^Eve"


@pytest.fixture(params=["admin", "write", "read"])
def person(request: pytest.FixtureRequest, client: Client, alice: User, bob: User, charlie: User) -> Client:
    """Sign in, one of each role; `may_act` says whether the role keeps the worklist."""
    client.force_login({"admin": alice, "write": bob, "read": charlie}[request.param])
    client.may_act = request.param != "read"  # type: ignore[attr-defined]
    return client


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def page_of(point: Attention) -> str:
    return reverse("admin:worklist_attention_change", args=[point.pk])


def action_url(name: str, step: PerformedStep) -> str:
    return reverse(f"admin:worklist_performedstep_{name}", args=[step.pk])


def resolve_url(point: Attention) -> str:
    return reverse("admin:worklist_attention_resolve", args=[point.pk])


@pytest.mark.parametrize("kind", AttentionKind)
def test_every_kind_has_its_page_for_every_role_and_quotes_nothing_as_markup(
    person: Any, kind: AttentionKind
) -> None:
    point = reported.open_point(kind, patient_name=HOSTILE)
    index, listed, page = (person.get(url) for url in ("/admin/", reverse(POINTS), page_of(point)))
    for response in (index, listed, page):
        assert response.status_code == 200
        assert str(kind.label) in response.content.decode()
        assert "<script>alert" not in response.content.decode()
    assert ("Resolve with this note" in page.content.decode()) is person.may_act
    if point.step is not None:
        step_page = person.get(reverse("admin:worklist_performedstep_change", args=[point.step.pk]))
        history = person.get(reverse("admin:worklist_performedstep_history", args=[point.step.pk]))
        for response in (step_page, history, person.get(reverse(STEPS))):
            assert response.status_code == 200
            assert "<script>alert" not in response.content.decode()


class TestWhoMayAct:
    """Each acts by POST: a button that is not shown can be sent all the same."""

    def test_resolve(self, person: Any) -> None:
        point = reported.open_point(AttentionKind.DEVIATION)
        response = person.post(resolve_url(point), {"note": "Known."})
        assert response.status_code == (302 if person.may_act else 403)
        point.refresh_from_db()
        assert point.is_open is not person.may_act

    def test_link(self, person: Any) -> None:
        item = reported.an_item()
        step = reported.unscheduled(item)
        response = person.post(action_url("link", step), {"item": item.pk})
        assert response.status_code == (302 if person.may_act else 403)
        assert step.links.filter(item=item).exists() is person.may_act

    def test_unlink(self, person: Any) -> None:
        item = reported.an_item()
        step = reported.reported(begun(item))
        response = person.post(action_url("unlink", step), {"item": item.pk, "reason": "Another visit."})
        assert response.status_code == (302 if person.may_act else 403)
        assert step.links.exists() is not person.may_act

    def test_close(self, person: Any) -> None:
        step = reported.reported(begun(reported.an_item()))
        response = person.post(action_url("close", step), {"to": "COMPLETED", "reason": "Switched off."})
        assert response.status_code == (302 if person.may_act else 403)
        step.refresh_from_db()
        assert step.is_final is person.may_act

    @pytest.mark.parametrize("name", ["add", "delete"])
    def test_nobody_makes_or_deletes_a_step_or_a_point_by_hand(self, person: Any, name: str) -> None:
        point = reported.open_point(AttentionKind.STALE)
        assert point.step is not None
        for model, pk in (("attention", point.pk), ("performedstep", point.step.pk)):
            arguments = [] if name == "add" else [pk]
            response = person.post(reverse(f"admin:worklist_{model}_{name}", args=arguments), {"post": "yes"})
            assert response.status_code == 403
        assert Attention.objects.filter(pk=point.pk).exists()

    @pytest.mark.parametrize("name", ["link", "unlink", "close"])
    def test_nothing_is_changed_by_get(self, coordinator: Client, name: str) -> None:
        step = reported.reported(begun(reported.an_item()))
        assert coordinator.get(action_url(name, step)).status_code == 405


class TestUnscheduled:
    def test_the_best_candidate_is_linked_by_one_button(self, coordinator: Client) -> None:
        item, _ = reported.an_item(), reported.an_item(patient_id="P2", patient_name="Roe^Jane")
        step = reported.updated(reported.unscheduled(item), completed())
        point = Attention.objects.open().get(kind=AttentionKind.UNSCHEDULED)
        first = coordinator.get(page_of(point)).context["candidates"][0]
        assert first.item == item
        assert "Same patient ID" in first.reasons
        response = coordinator.post(
            action_url("link", step), {"item": item.pk, "next": page_of(point)}, follow=True
        )
        assert said(response) == ["Linked to John Doe, Saturday 10 January."]
        item.refresh_from_db()
        assert item.performed_procedure_step_status == Status.COMPLETED
        point.refresh_from_db()
        assert (point.resolved_by, point.note) == (points.BY_ITSELF, "No longer so. Linked by bob.")

    def test_the_worklist_is_searched_by_post_so_that_no_name_is_in_a_url(self, coordinator: Client) -> None:
        wanted = reported.an_item(patient_name="Roe^Jane", patient_id="P7")
        reported.unscheduled(reported.an_item())
        point = Attention.objects.open().get(kind=AttentionKind.UNSCHEDULED)
        found = coordinator.post(page_of(point), {"q": "Jane"}).context["found"]
        assert [each.item for each in found] == [wanted]
        assert found[0].differences

    def test_a_link_that_exists_is_a_message(self, coordinator: Client) -> None:
        item = reported.an_item()
        step = reported.reported(begun(item))
        response = coordinator.post(action_url("link", step), {"item": item.pk}, follow=True)
        assert said(response) == ["It is linked to this item already."]

    @pytest.mark.parametrize("item", ["", "none", "999999", "-1"])
    def test_an_item_that_is_none_is_not_found(self, coordinator: Client, item: str) -> None:
        step = reported.unscheduled(reported.an_item())
        assert coordinator.post(action_url("link", step), {"item": item}).status_code == 404

    def test_nobody_is_led_to_another_site(self, coordinator: Client) -> None:
        item = reported.an_item()
        step = reported.unscheduled(item)
        response = coordinator.post(
            action_url("link", step), {"item": item.pk, "next": "https://elsewhere.test/"}
        )
        assert response["Location"].startswith("/admin/")


class TestResolving:
    def test_it_needs_a_note_and_is_kept_with_it(self, coordinator: Client) -> None:
        point = reported.open_point(AttentionKind.WRONG_ENTRY)
        coordinator.post(resolve_url(point), {"note": "  "})
        point.refresh_from_db()
        assert point.is_open
        coordinator.post(resolve_url(point), {"note": "The images were moved."})
        point.refresh_from_db()
        assert (point.resolved_by, point.note) == ("bob", "The images were moved.")
        page = coordinator.get(page_of(point)).content.decode()
        assert "The images were moved." in page
        assert "Resolve with this note" not in page
        assert point not in coordinator.get(reverse(POINTS)).context["cl"].queryset
        assert point in coordinator.get(reverse(POINTS), {"state": "resolved"}).context["cl"].queryset

    def test_a_second_person_is_told_that_it_is_resolved(self, coordinator: Client) -> None:
        point = reported.open_point(AttentionKind.DEVIATION)
        points.resolve(point, actor="alice", note="First.")
        response = coordinator.post(resolve_url(point), {"note": "Second."}, follow=True)
        assert said(response) == ["It is resolved already."]
        point.refresh_from_db()
        assert point.note == "First."

    def test_several_are_resolved_with_one_note(self, coordinator: Client) -> None:
        pks = [reported.open_point(AttentionKind.DEVIATION, patient_id=f"P{number}").pk for number in (1, 2)]
        chosen = {"action": "resolve_points", "_selected_action": pks}
        assert "Resolve these points?" in coordinator.post(reverse(POINTS), chosen).content.decode()
        coordinator.post(reverse(POINTS), {**chosen, "confirmed": "1", "note": "The old software."})
        notes = Attention.objects.filter(pk__in=pks).values_list("resolved_by", "note")
        assert set(notes) == {("bob", "The old software.")}


class TestCorrecting:
    """An item's own page changes once its examination has begun."""

    @pytest.fixture
    def examined(self) -> WorklistItem:
        item = reported.an_item(patient_name="Doe^Jon")
        reported.reported(begun(item, PatientName="Doe^John"))
        return item

    def test_a_coordinator_does_not_correct_who_is_examined(
        self, coordinator: Client, examined: WorklistItem
    ) -> None:
        page = coordinator.get(change_url(examined)).content.decode()
        assert 'name="patient_name_family"' not in page
        sent = {
            **fields_of(coordinator, change_url(examined)),
            **typed_name("patient_name", "Doe^John"),
            "reason": "Typo.",
        }
        coordinator.post(change_url(examined), sent)
        examined.refresh_from_db()
        assert examined.patient_name == "Doe^Jon"

    def test_an_administrator_does_with_a_reason_and_the_point_is_resolved(
        self, client: Client, alice: User, examined: WorklistItem
    ) -> None:
        client.force_login(alice)
        sent = {**fields_of(client, change_url(examined)), **typed_name("patient_name", "Doe^John")}
        assert set(errors_in(client.post(change_url(examined), sent))) == {"reason"}
        assert client.post(change_url(examined), {**sent, "reason": "Typo."}).status_code == 302
        examined.refresh_from_db()
        assert examined.patient_name == "Doe^John"
        record = examined.history.first()
        assert (record.history_user, record.history_change_reason) == ("alice", "Typo.")
        assert not Attention.objects.open().filter(kind=AttentionKind.IDENTITY).exists()

    def test_an_item_shows_its_examinations_and_what_is_open(
        self, coordinator: Client, examined: WorklistItem
    ) -> None:
        page = coordinator.get(change_url(examined)).content.decode()
        step = PerformedStep.objects.get()
        assert reverse("admin:worklist_performedstep_change", args=[step.pk]) in page
        assert page_of(Attention.objects.open().get(kind=AttentionKind.IDENTITY)) in page


@pytest.mark.parametrize("url", [POINTS, STEPS])
def test_a_list_takes_as_many_queries_for_many_rows_as_for_one(
    coordinator: Client, django_assert_num_queries: Any, url: str
) -> None:
    reported.open_point(AttentionKind.IDENTITY)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    coordinator.get(reverse(url))
    with CaptureQueriesContext(connection) as few:
        coordinator.get(reverse(url))
    for number in range(5):
        reported.open_point(AttentionKind.IDENTITY, patient_id=f"P{number}")
    with django_assert_num_queries(len(few)):
        coordinator.get(reverse(url))
