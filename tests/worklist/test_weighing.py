"""A weight that differs is no matter of identity: a person says whose holds, on its page or by REST."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from accounts.models import User
from tests.api_client import client_of
from tests.worklist.performed_steps import begun, progress
from tests.worklist.reported import an_item, open_point, reported, updated
from worklist.attention import points
from worklist.examinations import weighing
from worklist.items import intake
from worklist.models import Attention, AttentionKind, Device, PerformedStep, WorklistItem

pytestmark = pytest.mark.django_db

OURS, THEIRS = Decimal("70.00"), Decimal("95.00")
TEXT = "Weight (kg): 70.00 in the worklist, 95 at the scanner."


def kinds() -> list[str]:
    return sorted(Attention.objects.open().values_list("kind", flat=True))


def weigh(client: Client, point: Attention, whose: str, **form: Any) -> list[str]:
    """Press the button, and return what is said."""
    url = reverse("admin:worklist_attention_weigh", args=[point.pk])
    answer = client.post(url, {"weight": whose, "seen": point.text, **form}, follow=True)
    return [str(message) for message in answer.context["messages"]]


def of(point: Attention) -> tuple[WorklistItem, PerformedStep]:
    assert point.item is not None
    assert point.step is not None
    return WorklistItem.objects.get(pk=point.item.pk), point.step


@pytest.mark.acceptance("D205")
def test_a_weight_alone_is_a_point_of_its_own_and_identity_stays_one() -> None:
    reported(begun(an_item(patient_weight_kg=70), PatientWeight="95"))
    assert kinds() == ["WEIGHT"]
    step = reported(begun(an_item(patient_weight_kg=70), PatientWeight="95", PatientSex="F"))
    texts = dict(step.attention.values_list("kind", "text"))
    assert texts == {"IDENTITY": "Sex: M in the worklist, F at the scanner.", "WEIGHT": TEXT}
    reported(begun(an_item(patient_weight_kg=70), PatientWeight="70.5"))
    Device.objects.create(ae_title="MR1", weight_tolerance_kg=30)
    reported(begun(an_item(patient_weight_kg=70), PatientWeight="95"))
    assert kinds() == ["IDENTITY", "WEIGHT", "WEIGHT"]


@pytest.mark.acceptance("D206")
def test_a_coordinator_takes_the_scanners_weight_and_the_history_says_who(client: Client, bob: Any) -> None:
    point = open_point(AttentionKind.WEIGHT)
    client.force_login(bob)

    assert weigh(client, point, "scanner") == ["John Doe has the scanner's weight now."]

    item, _ = of(point)
    last = item.history.latest()
    assert item.patient_weight_kg == THEIRS
    assert (last.history_user_id, last.history_change_reason) == (
        "bob",
        f"Weight taken over from the scanner. {point.text}",
    )
    point.refresh_from_db()
    assert (point.resolved_by, point.note) == (
        points.BY_ITSELF,
        "No longer so. The item was changed by bob.",
    )


@pytest.mark.acceptance("D206")
def test_a_coordinator_keeps_ours_and_the_note_says_who(client: Client, bob: Any) -> None:
    point = open_point(AttentionKind.WEIGHT)
    client.force_login(bob)

    assert weigh(client, point, "worklist") == ["Resolved for John Doe: our weight was kept."]

    point.refresh_from_db()
    assert (point.resolved_by, point.note) == ("bob", "The worklist's weight was kept by bob.")
    item, step = of(point)
    assert item.patient_weight_kg == OURS
    updated(step, progress())  # a report that says the same again opens nothing
    assert kinds() == []
    assert weigh(client, point, "worklist") == ["It is resolved already."]


@pytest.mark.acceptance("D206")
def test_who_only_reads_settles_no_weight(client: Client, charlie: Any) -> None:
    point = open_point(AttentionKind.WEIGHT)
    client.force_login(charlie)
    url = reverse("admin:worklist_attention_weigh", args=[point.pk])

    assert [client.post(url, {"weight": whose}).status_code for whose in ("scanner", "worklist")] == [
        403,
        403,
    ]
    assert client.get(url).status_code == 405
    assert kinds() == ["WEIGHT"]


def test_a_weight_is_settled_as_one_that_there_is(client: Client, bob: Any) -> None:
    other = open_point(AttentionKind.IDENTITY)
    client.force_login(bob)
    url = reverse("admin:worklist_attention_weigh", args=[other.pk])

    assert client.post(url, {"weight": "mine"}).status_code == 404
    assert (
        client.post(reverse("admin:worklist_attention_weigh", args=[0]), {"weight": "worklist"}).status_code
        == 404
    )
    assert weigh(client, other, "worklist") == [str(weighing.NOT_ABOUT_WEIGHT)]
    assert other.is_open


@pytest.mark.acceptance("D206")
def test_nobody_takes_the_weight_of_who_may_be_another(client: Client, bob: Any) -> None:
    step = reported(begun(an_item(patient_weight_kg=70), PatientWeight="95", PatientID="P99"))
    point = step.attention.get(kind=AttentionKind.WEIGHT)
    client.force_login(bob)

    page = client.get(reverse("admin:worklist_attention_change", args=[point.pk])).content.decode()

    assert "disabled" in page
    assert str(escape(weighing.WHO_FIRST)) in page
    assert weigh(client, point, "scanner") == [str(weighing.WHO_FIRST)]
    assert of(point)[0].patient_weight_kg == OURS
    points.resolve(step.attention.get(kind=AttentionKind.IDENTITY), actor="alice", note="Her old ID.")
    assert weigh(client, point, "scanner") == ["John Doe has the scanner's weight now."]


@pytest.mark.acceptance("D206")
@pytest.mark.parametrize("weight", ["950", "0.1", "1e20"])
def test_a_weight_that_nobody_has_is_not_taken(client: Client, bob: Any, weight: str) -> None:
    step = reported(begun(an_item(patient_weight_kg=70), PatientWeight=weight))
    point = step.attention.get(kind=AttentionKind.WEIGHT)
    client.force_login(bob)

    (said,) = weigh(client, point, "scanner")

    assert said.startswith("Only 0.3 to 650 kg are plausible")
    assert of(point)[0].patient_weight_kg == OURS


def test_what_has_changed_since_it_was_seen_is_not_taken(client: Client, bob: Any) -> None:
    point = open_point(AttentionKind.WEIGHT)
    item, step = of(point)
    updated(step, progress(PatientWeight="96"))
    client.force_login(bob)

    assert weigh(client, point, "scanner") == [str(weighing.MOVED)]
    assert weigh(client, point, "worklist") == [str(weighing.MOVED)]
    intake.change(item, {"patient_weight_kg": "96"}, actor="alice", reason="Asked her.", corrects=True)
    assert weigh(client, point, "scanner") == [str(weighing.RESOLVED_ALREADY)]


@pytest.mark.acceptance("D207")
@pytest.mark.parametrize(
    ("body", "weight", "note"),
    [
        pytest.param(
            {"weight": "scanner"}, THEIRS, "No longer so. The item was changed by bob.", id="theirs"
        ),
        pytest.param({"weight": "worklist"}, OURS, "The worklist's weight was kept by bob.", id="ours"),
        pytest.param(
            {"weight": "worklist", "note": "Weighed here."},
            OURS,
            "The worklist's weight was kept by bob. Weighed here.",
            id="ours, with a note",
        ),
    ],
)
def test_a_weight_is_settled_by_rest(bob: User, body: dict[str, Any], weight: Decimal, note: str) -> None:
    point = open_point(AttentionKind.WEIGHT)
    client = client_of(bob)

    answer = client.put(f"/attention/{point.pk}", {"resolved": True, **body})
    again = client.put(f"/attention/{point.pk}", {"resolved": True, **body})

    assert (answer.status_code, answer.json()["note"]) == (200, note)
    assert of(point)[0].patient_weight_kg == weight
    assert (again.status_code, again.json()["detail"]) == (409, weighing.RESOLVED_ALREADY)


@pytest.mark.acceptance("D207")
def test_by_rest_too_a_weight_is_taken_from_nobody_else_and_by_nobody_who_may_not(
    bob: User, charlie: User
) -> None:
    step = reported(begun(an_item(patient_weight_kg=70), PatientWeight="95", PatientID="P99"))
    url = f"/attention/{step.attention.get(kind=AttentionKind.WEIGHT).pk}"
    taken = {"resolved": True, "weight": "scanner"}

    assert client_of(charlie).put(url, taken).status_code == 403
    assert client_of(bob).put(url, taken).status_code == 409
    assert client_of(bob).put(url, {**taken, "note": "Weighed here."}).status_code == 400
    assert kinds() == ["IDENTITY", "WEIGHT"]
