"""Intake cleans values, refuses others by name, and keeps history.

Not here: the checks of extra attributes one by one (test_extra.py), the admin (test_admin.py).
"""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.worklist.performed_rows import make_step
from worklist.items import identifiers, intake, lifecycle
from worklist.models import PerformedStatus, Status, WorklistItem

pytestmark = pytest.mark.django_db

LEAST = {"patient_name": "Doe^John", "patient_id": "P1", "modality": "MR", "scheduled_start_date": "20260110"}


def create(**values: Any) -> WorklistItem:
    return intake.create({**LEAST, **values}, actor="alice")


def refused(**values: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refusal:
        create(**values)
    assert not WorklistItem.objects.exists(), "a refused item must not be stored"
    return refusal.value.message_dict


@pytest.mark.parametrize(
    ("field", "given", "stored"),
    [
        ("patient_name", " Doe ^ John^^ ", "Doe^John"),
        ("patient_name", "Doe^John==", "Doe^John"),
        ("patient_name", "^John", "^John"),
        ("patient_name", "Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("patient_name", "Mu\u0308ller^Jo\u0308rg", "Müller^Jörg"),
        ("patient_name", "Doe^John\r\n", "Doe^John"),
        ("patient_id", "  P1\t", "P1"),
        ("patient_id", "\u3000P1\0\0", "P1"),
        ("patient_birth_date", "19900131", date(1990, 1, 31)),
        ("patient_birth_date", "1990-01-31", date(1990, 1, 31)),
        ("patient_birth_date", "", None),
        ("patient_sex", "f", "F"),
        ("patient_sex", "", ""),
        ("patient_weight_kg", "69.853", Decimal("69.85")),
        ("patient_weight_kg", 70, Decimal("70.00")),
        ("patient_weight_kg", "", None),
        ("modality", " mr ", "MR"),
        ("scheduled_station_aetitle", ["MR1", "MR2"], "MR1\\MR2"),
        ("scheduled_station_aetitle", " MR1 \\MR2\\\\MR1", "MR1\\MR2"),
        ("scheduled_station_aetitle", "", ""),
        ("scheduled_start_time", "0930", time(9, 30)),
        ("scheduled_start_time", "09:30:15", time(9, 30, 15)),
        ("scheduled_start_time", "093015.250", time(9, 30, 15)),
        ("scheduled_start_time", "09", time(9)),
        ("scheduled_start_time", "", time(0, 0)),
        ("scheduled_start_time", None, time(0, 0)),
        ("study_description", "Brain\r\nstudy", "Brain study"),
        ("procedure_description", "🧠 scan", "🧠 scan"),
        ("extra_attributes", {"MedicalAlerts": " Pacemaker "}, {"MedicalAlerts": "Pacemaker"}),
    ],
)
def test_a_value_is_cleaned_to_its_vr(field: str, given: object, stored: object) -> None:
    item = create(**{field: given})
    item.refresh_from_db()
    assert getattr(item, field) == stored


@pytest.mark.acceptance("D182")
@pytest.mark.parametrize(
    ("field", "given", "what"),
    [
        ("patient_name", "Doe\0\n^John", "Character 4 is a null"),
        ("patient_name", "M\u00c3\u009cLLER", "Character 3 is a control character (U+009C)"),
        ("patient_name", "Doe^John\x85", "Character 9 is a control character (U+0085)"),
        ("patient_id", "P\x011", "Character 2 is a control character (U+0001)"),
        ("patient_id", "B\u00c3\x85", "Character 3 is a control character (U+0085)"),
        ("patient_id", "P\t1", "Character 2 is a tab"),
        ("accession_number", "A\x1b1", "Character 2 is an escape"),
        ("requested_procedure_id", "R\n1", "Character 2 is a new line"),
        ("scheduled_procedure_step_id", "S\r1", "Character 2 is a carriage return"),
        ("study_instance_uid", "1.2\x7f", "Character 4 is a control character (U+007F)"),
        ("protocol_name", "T\u20281", "Character 2 is a control character (U+2028)"),
        ("hisris_coding_designator", "G\x01", "Character 2 is a control character (U+0001)"),
        ("scheduled_station_aetitle", "MR\x01", "Character 3 is a control character (U+0001)"),
        ("modality", "M\x01R", "Character 2 is a control character (U+0001)"),
        ("performing_physician", "A\x01", "Character 2 is a control character (U+0001)"),
        ("patient_id", "\ufeffP1", "Character 1 is invisible (U+FEFF)"),
        ("patient_id", "P1\u200b", "Character 3 is invisible (U+200B)"),
        ("accession_number", "A\u00ad1", "Character 2 is invisible (U+00AD)"),
        ("requested_procedure_id", "R\u202e1", "Character 2 is invisible (U+202E)"),
        ("scheduled_procedure_step_id", "S\u20601", "Character 2 is invisible (U+2060)"),
    ],
)
def test_a_control_character_in_what_names_someone_or_something_is_refused(
    field: str, given: str, what: str
) -> None:
    (sentence,) = refused(**{field: given})[field]
    assert sentence == f"{what}, which is not allowed here: type the text anew."


@pytest.mark.acceptance("D60", "D61", "D66", "D72")
@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("patient_name", ""),
        ("patient_name", "^^"),
        ("patient_name", "Doe\\John"),
        ("patient_name", "D" * 65),
        ("patient_name", "A=B=C=D"),
        ("patient_name", "A^B^C^D^E^F"),
        ("patient_name", None),
        ("patient_id", "  "),
        ("patient_id", "P" * 65),
        ("patient_id", "P\\1"),
        ("patient_id", 7),
        ("patient_birth_date", "2012"),
        ("patient_birth_date", "20120230"),
        ("patient_birth_date", "junk"),
        ("patient_birth_date", "2999-01-01"),
        ("patient_birth_date", "10120506"),
        ("patient_sex", "2"),
        ("patient_sex", "female"),
        ("patient_weight_kg", "heavy"),
        ("patient_weight_kg", "NaN"),
        ("patient_weight_kg", "0"),
        ("patient_weight_kg", "-3"),
        ("patient_weight_kg", "1540"),
        ("patient_weight_kg", "1e99"),
        ("patient_weight_kg", True),
        ("modality", ""),
        ("modality", "M-R"),
        ("scheduled_station_aetitle", "A" * 17),
        ("scheduled_station_aetitle", "MÜ1"),
        ("scheduled_station_aetitle", 5),
        ("scheduled_start_date", ""),
        ("scheduled_start_date", "2026-13-01"),
        ("scheduled_start_time", "25"),
        ("scheduled_start_time", "9:30"),
        ("study_description", "x" * 65),
        ("station_name", "x" * 17),
        ("hisris_coding_designator", "x" * 17),
        ("accession_number", "x" * 17),
        ("study_instance_uid", "1.02.3"),
        ("study_instance_uid", "1.2.x"),
        ("study_instance_uid", "1." + "2" * 63),
        ("performed_procedure_step_status", "ARRIVED"),
        ("extra_attributes", {"PatientName": "Other"}),
        ("extra_attributes", {"NoSuchKeyword": "1"}),
        ("extra_attributes", [1]),
        ("patient_nam", "Doe"),
        ("created_at", "2026-01-01"),
    ],
)
def test_a_value_that_will_not_do_is_refused_under_its_fields_name(field: str, given: object) -> None:
    """Junk never becomes a value."""
    assert list(refused(**{field: given})) == [field]


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = refused(patient_name="", patient_weight_kg="heavy", modality="M-R", nonsense=1)
    assert set(wrong) == {"patient_name", "patient_weight_kg", "modality", "nonsense"}


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ValidationError) as refusal:
        intake.create({}, actor="alice")
    assert {"patient_name", "patient_id", "modality", "scheduled_start_date"} == set(
        refusal.value.message_dict
    )


def test_a_birth_date_of_tomorrow_is_refused_and_of_today_accepted() -> None:
    today = timezone.localdate()
    assert "patient_birth_date" in refused(patient_birth_date=today + timedelta(days=1))
    assert create(patient_birth_date=today).patient_birth_date == today


@pytest.mark.acceptance("D58")
def test_pounds_become_kilograms() -> None:
    item = create(patient_weight_lb="154")
    assert item.patient_weight_kg == Decimal("69.85")
    assert item.patient_weight_lb == Decimal("154.0")


def test_a_weight_in_both_units_is_a_contradiction() -> None:
    assert list(refused(patient_weight_lb="154", patient_weight_kg="70")) == ["patient_weight_lb"]


@pytest.mark.parametrize("pounds", ["much", "-1", "5000"])
def test_a_weight_in_pounds_that_will_not_do_is_refused(pounds: str) -> None:
    assert set(refused(patient_weight_lb=pounds)) <= {"patient_weight_lb", "patient_weight_kg"}


@pytest.mark.acceptance("D59")
def test_an_unknown_weight_stays_unknown() -> None:
    item = create(patient_weight_lb="")
    assert item.patient_weight_kg is None
    assert item.patient_weight_lb is None


@pytest.mark.acceptance("D54")
def test_identifiers_are_made_unique_and_fit_their_vr() -> None:
    items = [create() for _ in range(30)]
    for field in (*identifiers.PREFIXES, "study_instance_uid"):
        assert len({getattr(item, field) for item in items}) == len(items), field
    for item in items:
        assert all(len(getattr(item, field)) <= 16 for field in identifiers.PREFIXES)
        assert re.fullmatch(r"2\.25\.[1-9]\d{0,38}", item.study_instance_uid)


def test_identifiers_that_are_given_are_kept() -> None:
    given = {
        "study_instance_uid": "1.2.3",
        "accession_number": "A1",
        "requested_procedure_id": "R1",
        "scheduled_procedure_step_id": "S1",
    }
    item = create(**given)
    assert {field: getattr(item, field) for field in given} == given


@pytest.mark.acceptance("D57")
def test_a_sites_own_root_is_used_for_studies(settings: Any) -> None:
    settings.PYLANTIR_UID_ROOT = "1.2.826.0.1.3680043.10"
    uid = create().study_instance_uid
    assert uid.startswith("1.2.826.0.1.3680043.10.")
    assert len(uid) <= 64


def test_a_stem_that_is_taken_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stems = iter(["SAME00000", "SAME00000", "OTHER0000"])
    monkeypatch.setattr(identifiers, "new_stem", lambda: next(stems))
    assert create().accession_number == "ASAME00000"
    assert create().accession_number == "AOTHER0000"


@pytest.mark.acceptance("D78")
def test_two_steps_of_one_procedure_share_all_but_the_step_id() -> None:
    first = create()
    shared = {
        field: getattr(first, field)
        for field in ("study_instance_uid", "accession_number", "requested_procedure_id")
    }
    second = create(**shared)
    assert second.scheduled_procedure_step_id != first.scheduled_procedure_step_id


def test_the_same_step_twice_is_refused() -> None:
    first = create()
    with pytest.raises(ValidationError, match="already"):
        create(
            study_instance_uid=first.study_instance_uid,
            scheduled_procedure_step_id=first.scheduled_procedure_step_id,
        )


@pytest.mark.acceptance("D69")
def test_a_referenced_study_must_be_the_items_own() -> None:
    """IHE RAD TF-2, Appendix A, note IHE-23 wants it."""
    reference = {"ReferencedSOPClassUID": "1.2.840.10008.3.1.2.3.1", "ReferencedSOPInstanceUID": "1.2.3"}
    extra = {"ReferencedStudySequence": [reference]}
    assert list(refused(study_instance_uid="1.2.4", extra_attributes=extra)) == ["extra_attributes"]
    assert create(study_instance_uid="1.2.3", extra_attributes=extra).extra_attributes == extra


def test_a_change_writes_only_what_differs_and_says_who() -> None:
    item = create(patient_weight_kg="70")
    changed = intake.change(
        item, {"patient_weight_kg": "71", "patient_name": "Doe^John^"}, actor="bob", reason="Weighed again"
    )
    assert changed == {"patient_weight_kg"}
    newest, oldest = item.history.all()
    assert (newest.history_user, newest.history_change_reason) == ("bob", "Weighed again")
    assert [change.field for change in newest.diff_against(oldest).changes] == ["patient_weight_kg"]
    assert oldest.history_user == "alice"


def test_a_change_that_changes_nothing_writes_nothing() -> None:
    item = create()
    before = item.updated_at
    assert intake.change(item, {"patient_id": " P1 ", "modality": "mr"}, actor="bob") == frozenset()
    assert item.updated_at == before
    assert item.history.count() == 1


def test_a_change_leaves_alone_what_another_changed_meanwhile() -> None:
    item = create()
    stale = WorklistItem.objects.get(pk=item.pk)
    lifecycle.move(item, to=Status.IN_PROGRESS, actor="device:MR1")
    intake.change(stale, {"protocol_name": "BRAIN"}, actor="bob")
    assert stale.performed_procedure_step_status == Status.IN_PROGRESS


def test_a_change_on_top_of_one_not_seen_is_refused() -> None:
    item = create(patient_id="P1")
    intake.change(item, {"patient_id": "P2"}, actor="alice")
    with pytest.raises(ValidationError) as refusal:
        intake.change(item, {"patient_id": "P3"}, actor="bob", seen={"patient_id": "P1"})
    assert list(refusal.value.message_dict) == ["patient_id"]
    item.refresh_from_db()
    assert item.patient_id == "P2"


@pytest.mark.parametrize("field", intake.MADE_ONCE)
def test_a_steps_own_identifiers_never_change(field: str) -> None:
    item = create()
    intake.change(item, {field: ""}, actor="bob")
    intake.change(item, {field: getattr(item, field)}, actor="bob")
    with pytest.raises(ValidationError) as refusal:
        intake.change(item, {field: "1.2.3"}, actor="bob")
    assert list(refusal.value.message_dict) == [field]


def test_an_accession_number_can_be_corrected_but_not_emptied() -> None:
    item = create()
    intake.change(item, {"accession_number": ""}, actor="bob")
    assert item.accession_number
    intake.change(item, {"accession_number": "RIS-1"}, actor="bob")
    assert item.accession_number == "RIS-1"


@pytest.mark.parametrize("field", ["performed_procedure_step_status", "data_source"])
def test_status_and_source_do_not_change_through_intake(field: str) -> None:
    item = create()
    with pytest.raises(ValidationError) as refusal:
        intake.change(item, {field: "COMPLETED"}, actor="bob")
    assert list(refusal.value.message_dict) == [field]


def test_a_duplicate_is_a_new_study_of_the_same_person() -> None:
    item = create(
        study_instance_uid="1.2.3",
        patient_weight_kg="70",
        data_source="redcap",
        extra_attributes={"MedicalAlerts": "Pacemaker", "StudyDate": "20260110"},
    )
    lifecycle.move(item, to=Status.IN_PROGRESS, actor="device:MR1")
    again = intake.duplicate(item, {"scheduled_start_date": date(2026, 2, 10)}, actor="bob")
    assert (again.patient_id, again.patient_weight_kg) == (item.patient_id, item.patient_weight_kg)
    assert again.scheduled_start_date == date(2026, 2, 10)
    assert again.performed_procedure_step_status == Status.SCHEDULED
    assert again.data_source == ""
    assert again.extra_attributes == {"MedicalAlerts": "Pacemaker"}
    for field in (*identifiers.PREFIXES, "study_instance_uid"):
        assert getattr(again, field) != getattr(item, field), field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("patient_name", ""),
        ("patient_id", ""),
        ("patient_id", "P" * 65),
        ("accession_number", "A" * 17),
        ("scheduled_procedure_step_id", ""),
        ("study_instance_uid", ""),
        ("study_description", "x" * 65),
        ("patient_sex", "X"),
        ("patient_weight_kg", Decimal(0)),
        ("performed_procedure_step_status", "ARRIVED"),
        ("scheduled_start_date", None),
    ],
)
def test_the_database_itself_refuses_what_breaks_the_vr(field: str, value: object) -> None:
    from django.db import DataError

    item = create()
    with pytest.raises((IntegrityError, DataError)), transaction.atomic():
        WorklistItem.objects.filter(pk=item.pk).update(**{field: value})


def test_every_model_field_with_a_dicom_value_has_a_cleaner() -> None:
    from worklist.dicom import item_attributes
    from worklist.items import cleaning

    written_by_lifecycle = {"performed_procedure_step_status"}
    without_a_dicom_value = {"is_qa"}
    expected = set(cleaning.CLEANERS) - without_a_dicom_value
    assert set(item_attributes.RECORD_FIELDS) - written_by_lifecycle == expected


@pytest.mark.acceptance("D141")
class TestFrozenIdentity:
    """What images may carry is corrected by an administrator, with a reason, or not at all."""

    CHANGES = (
        {"patient_name": "Roe^Jane"},
        {"patient_id": "P2"},
        {"patient_birth_date": "19900101"},
        {"patient_sex": "F"},
        {"patient_weight_kg": 80},
        {"patient_weight_lb": 180},
        {"accession_number": "OTHER"},
        {"requested_procedure_id": "OTHER"},
        {"extra_attributes": {"OtherPatientNames": "Roe^Jane"}},
    )

    @pytest.fixture(params=[Status.IN_PROGRESS, Status.COMPLETED])
    def frozen(self, request: pytest.FixtureRequest) -> WorklistItem:
        return create(performed_procedure_step_status=request.param)

    @pytest.mark.parametrize("values", CHANGES, ids=lambda values: next(iter(values)))
    @pytest.mark.parametrize("actor", ["bob", "source:redcap"])
    def test_nobody_else_changes_it(self, frozen: WorklistItem, actor: str, values: dict[str, Any]) -> None:
        with pytest.raises(ValidationError) as refusal:
            intake.change(frozen, values, actor=actor, reason="It is wrong.")
        field = next(iter(values)).replace("_lb", "_kg")
        assert refusal.value.message_dict == {field: [str(intake.FROZEN)]}
        assert frozen.history.count() == 1

    @pytest.mark.parametrize("values", CHANGES, ids=lambda values: next(iter(values)))
    def test_an_administrator_does_with_a_reason(self, frozen: WorklistItem, values: dict[str, Any]) -> None:
        with pytest.raises(ValidationError) as refusal:
            intake.change(frozen, values, actor="alice", corrects=True, reason=" ")
        assert refusal.value.message_dict == {"reason": [str(intake.REASON_NEEDED)]}
        assert intake.change(frozen, values, actor="alice", corrects=True, reason="Misspelt on paper.")
        assert frozen.history.first().history_change_reason == "Misspelt on paper."

    def test_the_rest_of_the_item_still_changes(self, frozen: WorklistItem) -> None:
        values = {"procedure_description": "Brain", "patient_name": frozen.patient_name}
        assert intake.change(frozen, values, actor="bob") == {"procedure_description"}

    def test_an_item_put_back_stays_frozen_while_the_scanner_has_not_ended(self) -> None:
        item = create()
        make_step(item, status=PerformedStatus.IN_PROGRESS)
        with pytest.raises(ValidationError, match="only an administrator"):
            intake.change(item, {"patient_id": "P2"}, actor="bob")

    @pytest.mark.parametrize("status", [Status.SCHEDULED, Status.DISCONTINUED, Status.CANCELLED])
    def test_what_is_not_performed_is_not_frozen(self, status: Status) -> None:
        item = create(performed_procedure_step_status=status)
        make_step(item, status=PerformedStatus.DISCONTINUED)
        assert intake.change(item, {"patient_id": "P2"}, actor="bob") == {"patient_id"}
