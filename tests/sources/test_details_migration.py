"""What was REDCap's own of a source moves beside it with its history, and comes back where that is undone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from sources.models import DataSource, RedcapProject
from sources.models.details import columns_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]

BEFORE = [("sources", "0013_identifying_fields")]
AFTER = [("sources", "0014_redcap_projects")]
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
OF_PROJECT = {
    "url": "https://redcap.example.org/api/",
    "token_set_at": AT,
    "token_set_by": "alice",
    "token_variable": "REDCAP_TOKEN",
    "token_file": "/etc/pylantir/token",
    "project_id": 77,
    "server_timezone": "Asia/Kathmandu",
    "ca_bundle": "/etc/ssl/hospital.pem",
    "overlap_minutes": 30,
    "read_timeout": 33,
    "requests_per_minute": 120,
    "batch_size": 7,
    "trigger_enabled": True,
    "session_kind": "event",
    "session_instrument": "scan",
    "session_events": "one_arm_1\ntwo_arm_1",
}
SECRETS = {"token_cipher": "gAAAA-token", "trigger_cipher": "gAAAA-trigger"}
# They came when the others had their place already.
LATER = {"write_token_cipher", "write_token_set_at", "write_token_set_by", "write_token_variable"}


def models_at(state: list[tuple[str, str]]) -> Any:
    MigrationExecutor(connection).migrate(state)
    return MigrationExecutor(connection).loader.project_state(state).apps


@pytest.fixture
def before(db: None) -> Iterator[Any]:
    """Return the models of the version before; this version's are back afterwards."""
    yield models_at(BEFORE)
    call_command("migrate", verbosity=0)


def a_history(apps: Any, pk: int, name: str, *moments: dict[str, Any]) -> None:
    """Write what a source was at each moment, as its saves would."""
    past = apps.get_model("sources", "HistoricalDataSource").objects
    for number, values in enumerate(moments):
        past.create(
            id=pk,
            name=name,
            uid="00000000-0000-0000-0000-000000000001",
            **{**OF_PROJECT, **values},
            history_date=AT + timedelta(hours=number),
            history_type="+" if number == 0 else "~",
            history_user_id=f"user{number}",
            history_change_reason=f"reason {number}",
        )


def a_source(apps: Any, **values: Any) -> Any:
    return apps.get_model("sources", "DataSource").objects.create(**values)


def contents(model: Any) -> list[dict[str, Any]]:
    return list(model.objects.order_by("pk").values())


@pytest.mark.acceptance("FI1")
def test_each_column_and_each_moment_of_history_is_kept(before: Any) -> None:
    study = a_source(before, name="study", sync_interval=90, **OF_PROJECT, **SECRETS)
    a_source(before, name="other", server_timezone="UTC")
    a_history(before, study.pk, "study", {"batch_size": 1}, {"url": "https://a.example/api/"}, {})
    a_history(before, 4711, "deleted", {"session_kind": "record"})

    call_command("migrate", verbosity=0)

    assert set(columns_of(RedcapProject)) - LATER == {*OF_PROJECT, *SECRETS}, "Look at each here."
    source = DataSource.objects.get(name="study")
    assert {name: getattr(source.redcap, name) for name in OF_PROJECT | SECRETS} == OF_PROJECT | SECRETS
    assert source.sync_interval == 90
    assert DataSource.objects.get(name="other").redcap.url == ""
    past = list(source.redcap.history.order_by("history_date"))
    assert [row.batch_size for row in past] == [1, 7, 7]
    assert [row.url for row in past] == [OF_PROJECT["url"], "https://a.example/api/", OF_PROJECT["url"]]
    for row, beside in zip(past, source.history.order_by("history_date"), strict=True):
        for name in ("history_date", "history_type", "history_user_id", "history_change_reason"):
            assert getattr(row, name) == getattr(beside, name)
    assert [row.session_kind for row in RedcapProject.history.filter(source_id=4711)] == ["record"]


@pytest.mark.acceptance("FI1")
def test_undone_it_leaves_sources_and_history_as_they_were(before: Any) -> None:
    study = a_source(before, name="study", **OF_PROJECT, **SECRETS)
    a_source(before, name="other", server_timezone="UTC")
    a_history(before, study.pk, "study", {"batch_size": 1}, {"url": "https://a.example/api/"}, {})
    kinds = ("DataSource", "HistoricalDataSource")
    was = [contents(before.get_model("sources", kind)) for kind in kinds]
    call_command("migrate", verbosity=0)
    source = DataSource.objects.get(name="study")
    source.protocol_name = "changed since"
    source.save_as("bob")  # alone, so that the project's history has no such moment

    again = models_at(BEFORE)

    now = [contents(again.get_model("sources", kind)) for kind in kinds]
    changed = now[1].pop()
    assert (changed["protocol_name"], changed["url"]) == ("changed since", OF_PROJECT["url"])
    assert now[1] == was[1]
    assert [{**row, "protocol_name": "", "updated_at": None} for row in now[0]] == [
        {**row, "protocol_name": "", "updated_at": None} for row in was[0]
    ]


@pytest.mark.acceptance("FI1")
def test_a_long_history_is_copied_by_the_database_alone(
    before: Any, django_assert_max_num_queries: Any
) -> None:
    study = a_source(before, name="study", **OF_PROJECT)
    past = before.get_model("sources", "HistoricalDataSource")
    past.objects.bulk_create(
        past(
            id=study.pk,
            name="study",
            uid="00000000-0000-0000-0000-000000000001",
            **{**OF_PROJECT, "batch_size": number},
            history_date=AT + timedelta(minutes=number),
            history_type="~",
        )
        for number in range(5000)
    )
    executor = MigrationExecutor(connection)
    with django_assert_max_num_queries(400):  # most are of the tables, and none is of a row
        executor.migrate(AFTER)

    state = MigrationExecutor(connection).loader.project_state(AFTER)
    history = state.apps.get_model("sources", "HistoricalRedcapProject").objects
    assert history.count() == 5000
    assert history.get(history_date=AT + timedelta(minutes=4321)).batch_size == 4321
