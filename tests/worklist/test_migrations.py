"""A database of an earlier version upgrades, and loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib import import_module
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from tests.conftest import PASSWORD
from worklist.models import PerformedStep

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

VERSIONS = [
    pytest.param([("worklist", "0001_initial")], id="items alone"),
    pytest.param([("sources", None), ("worklist", "0002_performed_steps")], id="without sources"),
    pytest.param([("accounts", "0001_initial"), ("worklist", "0002_performed_steps")], id="without the API"),
    pytest.param([("worklist", "0002_performed_steps")], id="without rules of devices"),
]


@pytest.fixture
def at_version(transactional_db: None, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return the models as they were in that version of the database; the newest are back afterwards."""
    MigrationExecutor(connection).migrate(request.param)
    worklist = [target for target in request.param if target[0] == "worklist"]
    yield MigrationExecutor(connection).loader.project_state(worklist).apps
    call_command("migrate", verbosity=0)


@pytest.mark.parametrize("at_version", VERSIONS, indirect=True)
def test_items_devices_and_their_history_survive_the_upgrade(at_version: Any) -> None:
    old = at_version.get_model("worklist", "WorklistItem").objects.create(
        patient_name="Doe^John",
        patient_id="P1",
        study_instance_uid="1.2.3",
        accession_number="A1",
        requested_procedure_id="R1",
        scheduled_procedure_step_id="S1",
        modality="MR",
        scheduled_start_date=date(2026, 1, 10),
        performed_procedure_step_status="IN_PROGRESS",
        extra_attributes={"MedicalAlerts": "Pacemaker"},
    )
    at_version.get_model("worklist", "Device").objects.create(ae_title="MR1")

    call_command("migrate", verbosity=0)

    from sources.models import DataSource
    from worklist.items import lifecycle
    from worklist.models import Device, Status, WorklistItem

    item = WorklistItem.objects.get()
    assert (item.pk, item.patient_id, item.extra_attributes) == (old.pk, "P1", {"MedicalAlerts": "Pacemaker"})
    device = Device.objects.get()
    device.full_clean()  # an earlier row is open to all that it was open to
    assert (device.ae_title, device.enabled, device.offered_statuses) == ("MR1", True, [])
    lifecycle.move(item, to=Status.COMPLETED, actor="alice")
    assert item.history.count() == 1
    assert not DataSource.objects.exists()


BEFORE_NAMES_FOR_PEOPLE = pytest.param([("worklist", "0003_devices")], id="with names as DICOM has them")


@pytest.mark.parametrize("at_version", [BEFORE_NAMES_FOR_PEOPLE], indirect=True)
def test_points_of_attention_say_names_as_new_ones_do(at_version: Any) -> None:
    steps = at_version.get_model("worklist", "PerformedStep").objects
    points = at_version.get_model("worklist", "Attention").objects
    step = steps.create(
        sop_instance_uid="1.2.3",
        status="COMPLETED",
        dataset={},
        patient_name="Roe^Jane^^Dr.",
        calling_ae_title="MR1",
    )
    sex = "Sex: M in the worklist, F at the scanner."
    for kind, text in (
        ("IDENTITY", f"Name: Doe^John in the worklist, Doe^Jon at the scanner.\n{sex}"),
        ("UNSCHEDULED", "The scanner performed what no worklist item scheduled, for Roe^Jane^^Dr., P^1."),
        ("PROTOCOL", "Scheduled protocol A^B, performed C^D."),
    ):
        points.create(step=step, kind=kind, text=text)

    call_command("migrate", verbosity=0)

    from worklist.models import Attention

    assert list(Attention.objects.order_by("pk").values_list("text", flat=True)) == [
        f"Name: Doe, John in the worklist, Doe, Jon at the scanner.\n{sex}",
        "The scanner performed what no worklist item scheduled, for Roe, Dr. Jane, P^1.",
        "Scheduled protocol A^B, performed C^D.",
    ]


@pytest.mark.acceptance("D192")
@pytest.mark.parametrize("at_version", [[("worklist", "0003_devices")]], indirect=True)
def test_what_there_was_before_can_be_searched_for(at_version: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("worklist.migrations.0007_search_words"), "BATCH", 2)
    items = at_version.get_model("worklist", "WorklistItem").objects
    for number in range(5):
        items.create(
            patient_name=f"O'Brien^Zoë{number}",
            patient_id=f"SUB-{number}",
            study_instance_uid=f"1.2.{number}",
            accession_number=f"A{number}",
            requested_procedure_id=f"R{number}",
            scheduled_procedure_step_id=f"S{number}",
            modality="MR",
            scheduled_start_date=date(2026, 1, 10),
        )
    at_version.get_model("worklist", "PerformedStep").objects.create(
        sop_instance_uid="1.2.3", status="COMPLETED", dataset={}, patient_name="Łukasiewicz^Jan"
    )

    call_command("migrate", verbosity=0)

    from worklist.models import PerformedStep, WorklistItem

    assert [item.patient_id for item in WorklistItem.objects.search("zoe obrien sub3")] == ["SUB-3"]
    assert WorklistItem.objects.search("zoe").count() == 5
    assert PerformedStep.objects.search("lukasiewicz").exists()


def test_a_user_of_a_version_without_the_api_signs_in_to_it(transactional_db: None, client: Client) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("accounts", "0001_initial")])
    users = executor.loader.project_state([("accounts", "0001_initial")]).apps.get_model("accounts", "User")
    users.objects.create(username="bob", password=make_password(PASSWORD), role="write")

    call_command("migrate", verbosity=0)

    body = {"username": "bob", "password": PASSWORD}
    assert client.post("/auth/login", body, content_type="application/json").status_code == 200


@pytest.mark.acceptance("D234")
def test_doubtful_pairs_of_an_earlier_version_become_points_of_attention(transactional_db: None) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("worklist", "0003_devices")])
    items = executor.loader.project_state([("worklist", "0003_devices")]).apps.get_model(
        "worklist", "WorklistItem"
    )

    def make(patient_id: str, name: str, **values: Any) -> int:
        number = items.objects.count()
        item = items.objects.create(
            patient_id=patient_id,
            patient_name=name,
            study_instance_uid=f"1.2.{number}",
            accession_number=f"A{number}",
            requested_procedure_id=f"R{number}",
            scheduled_procedure_step_id=f"S{number}",
            modality="MR",
            scheduled_start_date=date(2026, 1, 10),
            **values,
        )
        return int(item.pk)

    first, second = make("P1", "Tremblay^Zoë"), make("P1", "Roe^Bob")
    make("P1", "Poe^Old", performed_procedure_step_status="CANCELLED")
    make("P2", "Doe^John", patient_birth_date=date(1980, 1, 1)), make("P2", "DOE^JOHN")
    make("ABC-01_x", "Doe^Ann")
    alike = make("abc01X", "Doe^Eve")

    call_command("migrate", verbosity=0)

    from worklist.models import Attention, AttentionKind, WorklistItem

    found = Attention.objects.open().order_by("item_id").values_list("item_id", "kind", "text")
    assert list(found) == [
        (first, AttentionKind.SHARED_ID, f"Item {second} carries this patient ID with another name."),
        (second, AttentionKind.SHARED_ID, f"Item {first} carries this patient ID with another name."),
        (
            alike,
            AttentionKind.SIMILAR_ID,
            "abc01X here, ABC-01_x elsewhere: tools make one subject of them.",
        ),
    ]
    for item in WorklistItem.objects.all():
        item.full_clean()
    assert WorklistItem.objects.get(pk=alike).patient_id_alphanumeric == "abc01x"


@pytest.mark.acceptance("D208")
@pytest.mark.parametrize(
    "at_version", [[("worklist", "0003_devices")]], ids=["without weights"], indirect=True
)
def test_points_about_a_weight_become_a_kind_of_their_own_and_links_name_who_made_them(
    at_version: Any,
) -> None:
    item = at_version.get_model("worklist", "WorklistItem").objects.create(
        patient_name="Doe^John",
        patient_id="P1",
        study_instance_uid="1.2.3",
        accession_number="A1",
        requested_procedure_id="R1",
        scheduled_procedure_step_id="S1",
        modality="MR",
        scheduled_start_date=date(2026, 1, 10),
    )
    name, weight = (
        "Name: Doe^John in the worklist, Roe at the scanner.",
        "Weight (kg): 70.00 in the worklist, 95 at the scanner.",
    )
    told = "Name: Doe, John in the worklist, Roe at the scanner."
    at = datetime(2026, 1, 10, 9, tzinfo=UTC)
    texts = [weight, f"{name}\n{weight}", name]
    links = []
    for number, text in enumerate([*texts, *texts]):
        step = at_version.get_model("worklist", "PerformedStep").objects.create(
            sop_instance_uid=f"1.2.{number}", status="COMPLETED", dataset={}, calling_ae_title="MR1"
        )
        resolved = {"resolved_at": at, "resolved_by": "bob", "note": "Seen."} if number >= len(texts) else {}
        points = at_version.get_model("worklist", "Attention").objects
        points.create(kind="IDENTITY", step=step, item=item, text=text, **resolved)
        link = {"step": step, "item": item, "evidence": "PERSON", "status_before": "SCHEDULED"}
        links.append(at_version.get_model("worklist", "PerformedStepItem").objects.create(**link))
    points.update(opened_at=at)
    made = {
        **link,
        "id": links[-1].pk,
        "history_type": "+",
        "history_date": at,
        "history_user_id": "alice",
        "created_at": at,
    }
    at_version.get_model("worklist", "HistoricalPerformedStepItem").objects.create(**made)

    call_command("migrate", verbosity=0)

    from worklist.models import Attention, PerformedStepItem

    for resolver, uids in (("", ("1.2.0", "1.2.1", "1.2.2")), ("bob", ("1.2.3", "1.2.4", "1.2.5"))):
        found = [
            sorted(Attention.objects.filter(step__sop_instance_uid=uid).values_list("kind", "text"))
            for uid in uids
        ]
        assert found == [[("WEIGHT", weight)], [("IDENTITY", told), ("WEIGHT", weight)], [("IDENTITY", told)]]
        of_uids = Attention.objects.filter(step__sop_instance_uid__in=uids)
        assert {(point.opened_at, point.item_id, point.resolved_by) for point in of_uids} == {
            (at, item.pk, resolver)
        }
    linked_by = dict(PerformedStepItem.objects.values_list("pk", "linked_by"))
    assert linked_by == {link.pk: "" for link in links[:-1]} | {links[-1].pk: "alice"}


BEFORE_KNOWN_DICTIONARIES = pytest.param(
    [("sources", "0002_sources_name_a_scanner")], id="dictionary in state"
)


@pytest.mark.acceptance("RC133")
@pytest.mark.parametrize("at_version", [BEFORE_KNOWN_DICTIONARIES], indirect=True)
def test_a_project_that_was_known_is_known_and_searched_after_the_upgrade(at_version: Any) -> None:
    from sources.dictionary import Dictionary
    from tests.sources.projects import REPEATING

    old = (
        MigrationExecutor(connection).loader.project_state([("sources", "0002_sources_name_a_scanner")]).apps
    )
    source = old.get_model("sources", "DataSource").objects.create(name="study", server_timezone="UTC")
    kept = {"access": "who", "dictionary": REPEATING.to_json()}
    read_at = datetime(2026, 11, 1, tzinfo=UTC)
    states = old.get_model("sources", "SourceState").objects
    states.create(source=source, dictionary=kept, dictionary_at=read_at)

    call_command("migrate", verbosity=0)

    from sources.mapping.field_search import search
    from sources.models import DataSource, KnownDictionary

    known = KnownDictionary.objects.get()
    assert (known.source.name, known.access, known.read_at) == ("study", "who", read_at)
    assert known.dictionary() == REPEATING
    assert isinstance(known.dictionary(), Dictionary)
    assert search(known.field_lines, "mri_date").entries[0].name == "mri_date"
    assert search(known.instrument_lines, "mri").entries[0].name == "mri"
    assert DataSource.objects.get().state.warnings == []


BEFORE_PACKING = ("worklist", "0018_data_sets_that_are_json_already")
NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


def references(number: int) -> dict[str, Any]:
    """Return a data set of a series with so many images, as it was stored before they were packed."""
    images = [
        {
            "00081150": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.4"]},
            "00081155": {"vr": "UI", "Value": [f"1.2.3.{each}"]},
        }
        for each in range(number)
    ]
    series = {"0020000E": {"vr": "UI", "Value": ["1.2.3"]}, "00081140": {"vr": "SQ", "Value": images}}
    return {"00100020": {"vr": "LO", "Value": ["P1"]}, "00400340": {"vr": "SQ", "Value": [series]}}


def lengths() -> list[int]:
    """Return the characters of each step's data set and of its history, as they are stored."""
    found: list[int] = []
    for table in ("worklist_performedstep", "worklist_historicalperformedstep"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT CAST(dataset AS text) FROM {table} ORDER BY sop_instance_uid")
            found += [len(text) for (text,) in cursor.fetchall()]
    return found


@pytest.mark.acceptance("WR8")
@pytest.mark.parametrize(
    "at_version", [pytest.param([BEFORE_PACKING], id="before they were packed")], indirect=True
)
def test_references_that_are_stored_are_packed_and_unpacked_again(at_version: Any) -> None:
    sent = [references(200), references(3), {}]
    for name in ("PerformedStep", "HistoricalPerformedStep"):
        model = at_version.get_model("worklist", name)
        for number, dataset in enumerate(sent):
            own = {} if name == "PerformedStep" else {"id": 1, "history_date": NOON, "history_type": "+"}
            model.objects.create(
                sop_instance_uid=f"1.2.{number}",
                status="COMPLETED",
                dataset=dataset,
                calling_ae_title="MR1",
                **own,
            )
    before = lengths()

    call_command("migrate", "worklist", verbosity=0)
    packed = lengths()
    MigrationExecutor(connection).migrate([BEFORE_PACKING])
    again = lengths()
    call_command("migrate", verbosity=0)

    assert packed[0] < before[0] / 5
    assert packed[3] < before[3] / 5
    assert packed[1:3] == before[1:3]
    assert again == before
    stored: tuple[Any, Any] = (PerformedStep.objects, PerformedStep.history)
    for rows in stored:
        assert list(rows.order_by("sop_instance_uid").values_list("dataset", flat=True)) == sent


@pytest.mark.acceptance("CL97")
@pytest.mark.parametrize(
    "at_version", [[("worklist", "0021_points_of_archived_studies")]], indirect=True, ids=["before evidence"]
)
def test_what_scanners_completed_before_says_so_and_of_the_rest_it_is_not_known(at_version: Any) -> None:
    items = at_version.get_model("worklist", "WorklistItem").objects
    steps = at_version.get_model("worklist", "PerformedStep").objects
    links = at_version.get_model("worklist", "PerformedStepItem").objects
    statuses = ("COMPLETED", "COMPLETED", "COMPLETED", "DISCONTINUED")
    rows = [
        items.create(
            patient_name="Doe^John",
            patient_id=f"P{number}",
            study_instance_uid=f"1.2.{number}",
            accession_number=f"A{number}",
            requested_procedure_id=f"R{number}",
            scheduled_procedure_step_id=f"S{number}",
            modality="MR",
            scheduled_start_date=date(2026, 1, 10),
            performed_procedure_step_status=status,
        )
        for number, status in enumerate(statuses)
    ]
    for number, (row, status) in enumerate(zip(rows, ("COMPLETED", "DISCONTINUED"), strict=False)):
        step = steps.create(
            sop_instance_uid=f"1.3.{number}", status=status, dataset={}, calling_ae_title="MR1"
        )
        links.create(step=step, item=row, evidence="STEP", status_before="SCHEDULED")

    call_command("migrate", verbosity=0)

    from worklist.models import WorklistItem

    told = dict(WorklistItem.objects.values_list("pk", "performed_by_evidence"))
    assert told == {row.pk: "MPPS" if number == 0 else "" for number, row in enumerate(rows)}
