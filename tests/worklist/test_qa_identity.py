"""A phantom is no participant: no ID is both's, and no item changes from the one to the other.

Not here: sources (tests/sources/test_qa_and_sources.py), a rule's IDs (test_qa_planning.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.api_client import client_of
from tests.worklist.identifiers import make_identifier
from tests.worklist.performed_steps import begun, completed
from tests.worklist.reported import reported, updated
from worklist.attention import points, whose_id
from worklist.dicom.matching import read_keys
from worklist.items import batches, intake, lifecycle
from worklist.items.batches import NewItem
from worklist.items.whose import NOTHING_SAID, Answer
from worklist.models import Attention, AttentionKind, ConfirmedPerson, Status, WorklistItem

pytestmark = pytest.mark.django_db

# The very same person by all that items say, so that nothing but the kind tells them apart.
SPHERE = {"patient_name": "Sphere^Big", "patient_id": "SPHERE", "patient_sex": "O", "modality": "MR"}
ANSWERS = [NOTHING_SAID, Answer(same_person=True), Answer(same_person=False)]
BOTH_WAYS = pytest.mark.parametrize("is_qa", [True, False], ids=["a phantom", "a participant"])
Door = Callable[[dict[str, Any]], Any]


def make(values: dict[str, Any], *, answer: Answer = NOTHING_SAID) -> WorklistItem:
    given = {**SPHERE, "scheduled_start_date": timezone.localdate(), **values}
    return intake.create(given, actor="alice", answer=answer, reason="They share it.")


def among_others(values: dict[str, Any]) -> None:
    today = timezone.localdate()
    wanted = [
        NewItem({**SPHERE, **values, "scheduled_start_date": today}),
        NewItem({**SPHERE, "patient_id": "P2", "scheduled_start_date": today}),
    ]
    first, second = batches.create_all(wanted, actor="alice")
    assert isinstance(second, WorklistItem)
    second.delete()
    if isinstance(first, ValidationError):
        raise first


def renamed(values: dict[str, Any]) -> None:
    item = make({**values, "patient_id": "P3"})
    try:
        intake.change(item, {"patient_id": "SPHERE"}, actor="alice")
    finally:
        item.delete()


def brought_back(values: dict[str, Any]) -> None:
    other = WorklistItem.objects.get(patient_id="SPHERE")
    WorklistItem.objects.filter(pk=other.pk).update(performed_procedure_step_status=Status.CANCELLED)
    item = make(values)
    lifecycle.move(item, to=Status.CANCELLED, actor="alice")
    WorklistItem.objects.filter(pk=other.pk).update(performed_procedure_step_status=Status.SCHEDULED)
    try:
        lifecycle.move(item, to=Status.SCHEDULED, actor="alice")
    except lifecycle.StatusRefused as refused:
        raise ValidationError({"patient_id": str(refused)}) from refused
    finally:
        item.delete()


@pytest.mark.acceptance("CL144")
@BOTH_WAYS
@pytest.mark.parametrize("door", [make, among_others, renamed, brought_back])
def test_an_id_of_the_one_kind_is_refused_to_the_other(door: Door, *, is_qa: bool) -> None:
    stored = make({"is_qa": not is_qa})

    with pytest.raises(ValidationError) as refused:
        door({"is_qa": is_qa})

    if door is not brought_back:
        (text,) = refused.value.message_dict["patient_id"]
        assert text.startswith(f"Item {stored.pk} carries this patient ID for a ")
    assert list(WorklistItem.objects.values_list("pk", flat=True)) == [stored.pk]


@pytest.mark.acceptance("CL144")
@BOTH_WAYS
@pytest.mark.parametrize("answer", ANSWERS, ids=["nothing said", "the same", "another"])
def test_no_answer_and_no_confirmed_person_lifts_that(answer: Answer, *, is_qa: bool) -> None:
    stored = make({"is_qa": not is_qa})
    person = {field: getattr(stored, field) for field in whose_id.PERSON_FIELDS}
    ConfirmedPerson.objects.create(patient_id="SPHERE", is_shared=True, confirmed_by="alice", **person)
    ConfirmedPerson.objects.create(
        patient_id="SPHERE", patient_name="Roe^Bob", is_shared=True, confirmed_by="alice"
    )

    for name in ("Sphere^Big", "Roe^Bob"):
        with pytest.raises(ValidationError, match="must have another one"):
            make({"is_qa": is_qa, "patient_name": name}, answer=answer)
    with pytest.raises(ValidationError, match="must have another one"):
        make({"is_qa": is_qa}, answer=Answer(beside=(stored.pk,)))


@pytest.mark.acceptance("CL144")
@BOTH_WAYS
def test_two_kinds_in_one_batch_let_the_first_in_alone(*, is_qa: bool) -> None:
    given = {**SPHERE, "scheduled_start_date": timezone.localdate()}

    first, second = batches.create_all(
        [NewItem({**given, "is_qa": is_qa}), NewItem({**given, "is_qa": not is_qa})], actor="alice"
    )

    assert isinstance(first, WorklistItem) and first.is_qa is is_qa
    assert isinstance(second, ValidationError)


@pytest.mark.acceptance("CL144")
def test_of_one_kind_an_id_is_its_own_and_a_cancelled_item_is_nobodys() -> None:
    make({"is_qa": True})
    again = make({"is_qa": True})
    for item in WorklistItem.objects.all():
        lifecycle.move(item, to=Status.CANCELLED, actor="alice")

    make({"is_qa": False})

    assert WorklistItem.objects.exclude(pk=again.pk).count() == 2


@pytest.mark.acceptance("CL144")
def test_where_both_have_one_id_all_the_same_a_person_is_told() -> None:
    phantom, person = make({"is_qa": True}), make({"patient_id": "P2"})
    WorklistItem.objects.filter(pk=person.pk).update(
        patient_id="SPHERE", patient_id_alphanumeric=phantom.patient_id_alphanumeric
    )
    person.refresh_from_db()

    points.review_patient_id(person)

    (point,) = Attention.objects.open().filter(kind=AttentionKind.SHARED_ID)
    assert point.text == f"Item {phantom.pk} carries this patient ID with another kind."


@pytest.mark.acceptance("CL145")
@BOTH_WAYS
def test_what_an_item_is_is_said_once(*, is_qa: bool) -> None:
    item = make({"is_qa": is_qa})

    assert intake.change(item, {"is_qa": is_qa}, actor="alice") == frozenset()
    with pytest.raises(ValidationError) as refused:
        intake.change(item, {"is_qa": not is_qa}, actor="alice")

    assert list(refused.value.message_dict) == ["is_qa"]
    assert intake.duplicate(item, {}, actor="alice").is_qa is is_qa


@pytest.mark.acceptance("CL145")
def test_no_source_keeps_a_phantom() -> None:
    item = make({"is_qa": True})

    with pytest.raises(IntegrityError), transaction.atomic():
        WorklistItem.objects.filter(pk=item.pk).update(data_source="study")


@pytest.mark.acceptance("CL155")
class TestRest:
    def test_who_may_create_items_may_create_phantoms_and_find_them(self, bob: User, charlie: User) -> None:
        client = client_of(bob)
        today = f"{timezone.localdate():%Y%m%d}"
        person = {**SPHERE, "patient_id": "P1", "scheduled_start_date": today}

        made = client.post("/worklist", {**SPHERE, "is_qa": True}, format="json")
        client.post("/worklist", person, format="json")

        assert made.status_code == 201 and made.json()["is_qa"] is True
        assert [row["is_qa"] for row in client.get("/worklist").json()] == [True, False]
        for asked, expected in (("true", ["SPHERE"]), ("false", ["P1"])):
            found = client.get("/worklist", {"is_qa": asked}).json()
            assert [row["patient_id"] for row in found] == expected
        refused = client_of(charlie).post("/worklist", {**SPHERE, "is_qa": True}, format="json")
        assert refused.status_code == 403

    def test_what_contradicts_is_answered_so_and_says_why(self, bob: User) -> None:
        client = client_of(bob)
        made = client.post("/worklist", {**SPHERE, "is_qa": True}, format="json").json()

        contradicts = client.post("/worklist", SPHERE, format="json")
        changed = client.patch(f"/worklist/{made['id']}", {"is_qa": False}, format="json")
        unclear = client.post("/worklist", {**SPHERE, "is_qa": "perhaps"}, format="json")

        assert contradicts.status_code == 409 and "for a phantom" in contradicts.json()["detail"]
        assert changed.status_code == unclear.status_code == 400
        assert client.patch(f"/worklist/{made['id']}", made, format="json").status_code == 200


@pytest.mark.acceptance("CL152")
def test_a_scanner_is_offered_a_qa_scan_and_performs_it_as_any_other() -> None:
    item = make({"is_qa": True})
    asked = read_keys(make_identifier({"PatientID": "SPH*"}, {"Modality": "MR"}))
    assert list(WorklistItem.objects.matching(asked)) == [item]

    updated(reported(begun(item)), completed())

    item.refresh_from_db()
    assert item.performed_procedure_step_status == Status.COMPLETED
    assert not Attention.objects.open().exists()


def test_the_form_asks_for_another_id_and_shows_what_an_item_is(client: Client, bob: User) -> None:
    client.force_login(bob)
    item = make({"is_qa": True})
    page = client.get(reverse("admin:worklist_worklistitem_change", args=[item.pk]))
    assert "is_qa" in page.content.decode() and 'name="is_qa"' not in page.content.decode()

    known = client.post(
        reverse("admin:worklist_known"),
        {"patient_id": "SPHERE", "patient_name_family": "Sphere", "patient_name_given": "Big"},
    ).json()["known"]

    assert [person["differing"] for person in known] == [["kind"]]
    listed = client.get(reverse("admin:worklist_worklistitem_changelist"), {"qa": "yes"})
    assert list(listed.context["cl"].result_list) == [item]
    assert '<span class="status qa">QA</span>' in listed.content.decode()
    assert (
        not client.get(reverse("admin:worklist_worklistitem_changelist"), {"qa": "no"})
        .context["cl"]
        .result_count
    )
