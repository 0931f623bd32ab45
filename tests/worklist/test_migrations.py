"""A database of an earlier version upgrades, and loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from tests.conftest import PASSWORD

pytestmark = pytest.mark.slow

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
