"""Two people under one patient ID are noticed, whoever writes, and a person says whose it is.

The doors have a test each here; what the admin's form shows is in test_admin_whose_id.py.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import User
from tests.api_client import client_of
from tests.effort import tries
from tests.worklist.performed_rows import make_step
from worklist.attention import points, whose_id
from worklist.dicom.patient_id import alphanumeric
from worklist.dicom.person_name import is_spelling
from worklist.items import intake, lifecycle, whose
from worklist.items.whose import Answer
from worklist.models import Attention, AttentionKind, ConfirmedPerson, PerformedStatus, Status, WorklistItem

ZOE = {
    "patient_id": "P1",
    "patient_name": "Tremblay^Zoë",
    "patient_birth_date": "19900131",
    "patient_sex": "F",
}
BOB = {**ZOE, "patient_name": "Roe^Bob", "patient_birth_date": "19800201", "patient_sex": "M"}
SAME, ANOTHER = Answer(same_person=True), Answer(same_person=False)


def create(person: dict[str, Any], *, answer: Answer = whose.NOTHING_SAID, reason: str = "") -> WorklistItem:
    rest = {"modality": "MR", "scheduled_start_date": timezone.localdate()}
    return intake.create({**rest, **person}, actor="alice", answer=answer, reason=reason)


def refusal(write: Callable[[], Any]) -> ValidationError:
    before = sorted(WorklistItem.objects.values_list("pk", "patient_name", "patient_id"))
    with pytest.raises(ValidationError) as refused:
        write()
    assert sorted(WorklistItem.objects.values_list("pk", "patient_name", "patient_id")) == before
    return refused.value


def written(item: WorklistItem) -> tuple[str, str, str]:
    item.refresh_from_db()
    return item.patient_name, str(item.patient_birth_date), item.patient_sex


@pytest.mark.parametrize(
    ("name", "other", "is_one"),
    [
        ("Tremblay^Zoë", "TREMBLAY^ZOE", True),
        ("Tremblay^Zoë", "Zoe^Tremblay", True),
        ("O'Brien^Pat", "OBrien^Pat", True),
        ("O'Brien^Pat", "O Brien^Pat", True),
        ("Müller^Jürg", "Mueller^Juerg", True),
        ("Müller^Jürg", "MULLER^JURG", True),
        ("Łukasiewicz^Jan", "Lukasiewicz^Jan", True),
        ("Smith-Jones^Ann", "SmithJones^Ann", True),
        ("Doe^John", "Doe^John^Michael", True),
        ("Yamada^Tarou=山田^太郎", "Yamada^Tarou", True),
        ("Yamada^Tarou=山田^太郎", "Yamada^Tarou=山本^太郎", False),
        ("Doe^John", "Doe^Jane", False),
        ("Doe^John", "Roe^John", False),
        ("Doe^John", "Doe^Jon", False),
        ("Ali^Ali", "Ali^Hassan", False),
        ("Ali^Ali", "Ali^Ali^Hassan", True),
        ("=山田^太郎", "Yamada^Tarou", False),
        ("=山田^太郎", "Yamada^Tarou=山田^太郎", True),
        ("", "Doe^John", True),
        ("-", "Doe^John", False),
        ("...", "???", False),
        ("-", "-", True),
        ("กิน", "กุน", False),
        ("राम", "रीम", False),
        ("ज़ारा", "जारा", True),
        ("שָׁלוֹם", "שלום", True),
    ],
)
def test_a_name_is_a_spelling_of_another_or_not(name: str, other: str, is_one: bool) -> None:
    assert is_spelling(name, other) is is_spelling(other, name) is is_one


@settings(max_examples=tries(100, nightly=2000))
@given(st.text(max_size=64))
def test_an_id_is_alike_whatever_its_case_and_what_stands_between(text: str) -> None:
    plain = alphanumeric(text)
    assert alphanumeric(" ".join(text))[:64] == plain or len(plain) > 30
    assert alphanumeric(f"-{text}_")[:60] == plain[:60]
    assert alphanumeric(plain)[:60] == plain[:60]


@pytest.mark.django_db
class TestIntake:
    @pytest.mark.acceptance("D230")
    @pytest.mark.parametrize(
        ("differs", "in_words"),
        [
            ({"patient_name": "Roe^Bob"}, "another name:"),
            ({"patient_birth_date": "19900130"}, "another birth date:"),
            ({"patient_sex": "M"}, "another sex:"),
            (BOB, "another name and birth date and sex:"),
        ],
    )
    def test_another_person_under_an_id_is_refused(self, differs: dict[str, Any], in_words: str) -> None:
        item = create(ZOE)
        error = refusal(lambda: create({**ZOE, **differs}))
        (text,) = error.message_dict["patient_id"]
        assert text.startswith(f"Item {item.pk} carries this patient ID with {in_words}")
        (known,) = whose.known_people(error)
        assert (known.patient_name, known.items) == ("Tremblay^Zoë", (item.pk,))

    @pytest.mark.parametrize(
        "person",
        [
            ZOE,
            {**ZOE, "patient_name": "TREMBLAY^ZOE"},
            {"patient_id": "P1", "patient_name": "Tremblay^Zoë"},
            {**BOB, "patient_id": "P2"},
        ],
    )
    def test_who_is_the_same_or_has_another_id_comes_in(self, person: dict[str, Any]) -> None:
        create(ZOE)
        create(person)

    def test_a_change_is_refused_like_a_new_item(self) -> None:
        create(ZOE)
        bob = create({**BOB, "patient_id": "P2"})
        error = refusal(lambda: intake.change(bob, {"patient_id": "P1"}, actor="alice"))
        assert list(error.message_dict) == ["patient_id"]

    def test_what_is_not_about_the_person_changes_beside_a_doubtful_pair(self) -> None:
        create(ZOE)
        bob = create({**BOB, "patient_id": "P2"})
        WorklistItem.objects.filter(pk=bob.pk).update(patient_id="P1")
        assert intake.change(bob, {"patient_weight_kg": "70"}, actor="alice") == {"patient_weight_kg"}
        assert intake.duplicate(bob, {"scheduled_start_date": timezone.localdate()}, actor="alice").pk

    @pytest.mark.acceptance("D231")
    def test_the_same_person_is_corrected_in_all_open_items(self) -> None:
        first = create(ZOE)
        discontinued = create({**ZOE, "performed_procedure_step_status": Status.DISCONTINUED})
        done = create({**ZOE, "performed_procedure_step_status": Status.COMPLETED})
        corrected = {**ZOE, "patient_birth_date": "19900113"}
        create(corrected, answer=SAME, reason="read the passport")
        assert [written(item)[1] for item in (first, discontinued)] == ["1990-01-13"] * 2
        assert written(done)[1] == "1990-01-31", "its images carry this"
        assert first.history.first().history_user_id == "alice"
        assert first.history.first().history_change_reason == "read the passport"
        create(corrected)
        refusal(lambda: create(ZOE))

    def test_an_examination_under_way_of_who_was_corrected_is_pointed_out(self) -> None:
        runs = create({**ZOE, "performed_procedure_step_status": Status.IN_PROGRESS})
        done = create({**ZOE, "performed_procedure_step_status": Status.COMPLETED})
        bob = create(BOB, answer=SAME)
        (point,) = Attention.objects.open()
        assert (point.item, point.kind) == (runs, AttentionKind.SHARED_ID)
        assert point.text.startswith(f"Item {bob.pk} carries this patient ID with another name")
        assert written(runs) == written(done) != written(bob)

    def test_what_the_correction_does_not_know_stays(self) -> None:
        first = create(ZOE)
        create({"patient_id": "P1", "patient_name": "Roy^Zoë"}, answer=SAME)
        assert written(first) == ("Roy^Zoë", "1990-01-31", "F")
        create({**ZOE, "patient_name": "ROY", "patient_birth_date": "19900113"}, answer=SAME)
        assert written(first) == ("Roy^Zoë", "1990-01-13", "F"), "nobody was asked about the name"

    @pytest.mark.acceptance("D236")
    def test_who_was_confirmed_without_a_birth_date_is_not_everybody_of_that_name(self) -> None:
        create(ZOE)
        create({"patient_id": "P1", "patient_name": "Roy^Zoë"}, answer=SAME)
        refusal(lambda: create({**ZOE, "patient_name": "Roy^Zoë", "patient_birth_date": "19800101"}))
        create({**ZOE, "patient_name": "Roy^Zoë"})

    def test_what_two_items_of_one_person_contradict_is_left_to_a_person(self) -> None:
        one, two = create(ZOE), create({**ZOE, "patient_id": "P2", "patient_birth_date": "19900113"})
        WorklistItem.objects.filter(pk=two.pk).update(patient_id="P1")
        create({"patient_id": "P1", "patient_name": "Roy^Zoë"}, answer=SAME)
        assert [written(item)[:2] for item in (one, two)] == [
            ("Roy^Zoë", "1990-01-31"),
            ("Roy^Zoë", "1990-01-13"),
        ]
        assert {point.kind for point in Attention.objects.open()} == {AttentionKind.SHARED_ID}

    @pytest.mark.acceptance("D232")
    def test_an_id_is_shared_on_purpose_with_a_reason(self) -> None:
        first = create(ZOE)
        assert "why" in str(refusal(lambda: create(BOB, answer=ANOTHER)))
        create(BOB, answer=ANOTHER, reason="twins of one family number")
        assert written(first)[0] == "Tremblay^Zoë"
        kept = ConfirmedPerson.objects.filter(is_shared=True, confirmed_by="alice")
        assert sorted(kept.values_list("patient_name", flat=True)) == ["Roe^Bob", "Tremblay^Zoë"]
        create(BOB)
        create(ZOE)
        refusal(lambda: create({**BOB, "patient_name": "Third^Person"}))
        refusal(lambda: create({**BOB, "patient_name": "Third^Person"}, answer=SAME))

    def test_a_cancelled_item_is_nobody_s_and_does_not_come_back_as_another(self) -> None:
        zoe = create(ZOE)
        lifecycle.move(zoe, to=Status.CANCELLED, actor="alice")
        bob = create(BOB)
        with pytest.raises(lifecycle.StatusRefused, match=f"Item {bob.pk} carries this patient ID"):
            lifecycle.move(zoe, to=Status.SCHEDULED, actor="alice")
        refusal(lambda: intake.duplicate(zoe, {"scheduled_start_date": timezone.localdate()}, actor="alice"))
        intake.change(zoe, {"patient_id": "p-1"}, actor="alice")
        lifecycle.move(zoe, to=Status.SCHEDULED, actor="alice")
        assert zoe.attention.open().get().kind == AttentionKind.SIMILAR_ID

    def test_an_error_names_no_value_of_the_other_person(self) -> None:
        create(ZOE)
        text = str(refusal(lambda: create(BOB)))
        assert not any(value in text for value in ("Tremblay", "Zo", "1990", "P1"))


@pytest.mark.django_db
class TestPoints:
    @pytest.mark.acceptance("D233")
    def test_ids_that_a_tool_takes_for_one_are_pointed_out(self) -> None:
        one = create({**ZOE, "patient_id": "ABC-01_x"})
        two = create({**BOB, "patient_id": "abc01X"})
        (point,) = two.attention.open()
        assert (point.kind, point.text[:8]) == (AttentionKind.SIMILAR_ID, "abc01X h")
        intake.change(two, {"patient_id": "ABC-02"}, actor="alice")
        assert not Attention.objects.open().exists()
        assert not one.attention.exists()

    def test_a_point_that_came_right_elsewhere_is_resolved_by_the_sweep(self) -> None:
        one = create({**ZOE, "patient_id": "ABC-01"})
        create({**BOB, "patient_id": "ABC 01"})
        lifecycle.move(one, to=Status.CANCELLED, actor="alice")
        points.sweep()
        assert not Attention.objects.open().exists()

    def test_a_point_comes_right_with_the_other_item(self) -> None:
        one = create(ZOE)
        two = create({**BOB, "patient_id": "P2"})
        WorklistItem.objects.filter(pk=two.pk).update(patient_id="P1", patient_id_alphanumeric="p1")
        points.review_patient_id(one)
        assert one.attention.open().exists()
        intake.change(two, {"patient_id": "P3"}, actor="alice")
        points.review_patient_id(one)
        assert not Attention.objects.open().exists()

    def test_the_points_of_a_record_come_right_when_its_last_item_is_changed(self) -> None:
        one, two = create(ZOE), create(ZOE)
        beside = Answer(beside=(one.pk, two.pk))
        for item in (one, two):
            intake.change(item, {"patient_name": "Roy^Zoë"}, actor="source:study", answer=beside)
        assert Attention.objects.filter(kind=AttentionKind.SHARED_ID).count() == 1
        assert not Attention.objects.open().exists()

    def test_what_a_person_resolved_is_not_opened_again(self) -> None:
        create({**ZOE, "patient_id": "ABC-01"})
        two = create({**BOB, "patient_id": "ABC 01"})
        points.resolve(two.attention.get(), actor="alice", note="They are two.")
        intake.change(two, {"patient_name": "Roe^Robert"}, actor="alice")
        assert not Attention.objects.open().exists()


def test_of_two_writers_at_once_one_is_refused(transactional_db: None) -> None:
    """No row is there to be locked: the ID itself is."""

    def write(person: dict[str, Any]) -> bool:
        try:
            create(person)
        except ValidationError:
            return False
        finally:
            connections.close_all()
        return True

    people = [{**ZOE, "patient_name": f"Person^{letter}"} for letter in "ABCDEFGH"]
    with ThreadPoolExecutor(len(people)) as writers:
        assert sum(writers.map(write, people)) == 1
    connection.close()
    assert WorklistItem.objects.count() == 1


def test_of_two_who_correct_one_person_at_once_no_one_waits_for_the_other(transactional_db: None) -> None:
    """Each has an item of their own, and wants the ID and the other's item."""
    one, two = create(ZOE), create(ZOE)
    names = {one.pk: "Roe^Ann", two.pk: "Roe^Eve"}
    have_their_item = Barrier(2)

    def correct(item: WorklistItem) -> bool:
        try:
            with transaction.atomic():
                locked = WorklistItem.objects.select_for_update().get(pk=item.pk)
                if connection.vendor == "postgresql":  # SQLite lets one writer in at a time
                    have_their_item.wait(timeout=10)
                values = {"patient_name": names[item.pk]}
                intake.change_locked(locked, values, actor="alice", answer=SAME)
        except ValidationError as error:
            assert error.message_dict == {"patient_id": [str(whose.BUSY)]}
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(2) as writers:
        assert any(writers.map(correct, [one, two]))
    connection.close()
    assert written(one) == written(two)


@pytest.fixture
def client(bob: User) -> APIClient:
    return client_of(bob)


@pytest.mark.django_db
class TestRest:
    @pytest.mark.acceptance("D230")
    def test_post_says_who_is_known(self, client: APIClient) -> None:
        item = create(ZOE)
        answer = client.post("/worklist", {**BOB, "modality": "MR"}, format="json")
        assert answer.status_code == 409
        assert "same_person" in answer.json()["detail"]
        assert answer.json()["known"] == [
            {
                "patient_name": "Tremblay^Zoë",
                "patient_birth_date": "19900131",
                "patient_sex": "F",
                "items": [item.pk],
            }
        ]

    @pytest.mark.parametrize(
        ("same", "reason", "code"), [(True, "", 201), (False, "", 400), (False, "ok", 201)]
    )
    def test_the_client_answers(self, client: APIClient, same: bool, reason: str, code: int) -> None:
        item = create(ZOE)
        body = {**BOB, "modality": "MR", "same_person": same, "reason": reason}
        assert client.post("/worklist", body, format="json").status_code == code
        assert (written(item)[0] == "Roe^Bob") is same

    def test_put_answers_as_post_does(self, client: APIClient) -> None:
        create(ZOE)
        bob = create({**BOB, "patient_id": "P2"})
        url = f"/worklist/{bob.pk}"
        assert client.put(url, {"patient_id": "P1"}, format="json").status_code == 409
        body = {"patient_id": "P1", "same_person": False, "reason": "shared"}
        assert client.put(url, body, format="json").status_code == 200

    @pytest.mark.parametrize(
        ("said", "code", "names"),
        [
            ({}, 409, ["Tremblay^Zoë", "Roe^Bob"]),
            ({"same_person": False}, 400, ["Tremblay^Zoë", "Roe^Bob"]),
            ({"same_person": False, "reason": "cousins"}, 200, ["Tremblay^Zoë", "Roe^Bob"]),
            ({"same_person": True}, 200, ["Tremblay^Zoë", "Tremblay^Zoë"]),
        ],
    )
    def test_a_cancelled_item_comes_back_as_the_client_answers(
        self, client: APIClient, said: dict[str, Any], code: int, names: list[str]
    ) -> None:
        zoe = create({**ZOE, "performed_procedure_step_status": Status.CANCELLED})
        bob = create(BOB)
        body = {"performed_procedure_step_status": "SCHEDULED", **said}
        answer = client.put(f"/worklist/{zoe.pk}", body, format="json")
        assert answer.status_code == code
        assert [written(item)[0] for item in (zoe, bob)] == names
        assert (zoe.performed_procedure_step_status == Status.SCHEDULED) is (code == 200)
        assert code != 409 or answer.json()["known"][0]["items"] == [bob.pk]
        assert ConfirmedPerson.objects.exists() is (code == 200)

    def test_people_of_one_list_are_held_to_each_other(self, client: APIClient) -> None:
        answer = client.post(
            "/worklist", [{**ZOE, "modality": "MR"}, {**BOB, "modality": "MR"}], format="json"
        )
        assert answer.status_code == 409
        assert answer.json()["detail"].startswith("1: Item ")
        assert not WorklistItem.objects.exists()


@pytest.mark.django_db
def test_whose_an_id_is_follows_an_examination_that_was_reported() -> None:
    done = create(ZOE)
    step = make_step(status=PerformedStatus.COMPLETED)
    step.links.create(item=done, evidence="STEP", status_before="SCHEDULED")
    lifecycle_before = done.performed_procedure_step_status
    create({**ZOE, "patient_sex": "O"}, answer=SAME)
    assert (written(done)[2], done.performed_procedure_step_status) == ("F", lifecycle_before)


@pytest.mark.django_db
def test_known_people_are_read_once_each(django_assert_num_queries: Any) -> None:
    for days in range(3):
        create({**ZOE, "scheduled_start_date": timezone.localdate() + timedelta(days=days)})
    with django_assert_num_queries(1):
        (known,) = whose_id.known("P1")
    assert len(known.items) == 3
