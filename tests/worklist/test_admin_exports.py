"""The admin's lists of items and performed steps are exported as they are filtered, by who may see them."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts import roles
from accounts.models import AuditEvent, AuditKind, User
from tests.worklist.appointments import an_item, signed_in
from tests.worklist.performed_rows import make_step
from worklist.models import PerformedSeries, PerformedStatus

pytestmark = pytest.mark.django_db

ITEMS, STEPS = "admin:worklist_worklistitem_export", "admin:worklist_performedstep_export"


def exported(client: Client, page: str = ITEMS, query: str = "", **chosen: str) -> Any:
    given = {"table": "items" if page == ITEMS else "steps", "form": "csv", **chosen}
    return client.post(f"{reverse(page)}{query}", given)


def content(response: Any) -> bytes:
    assert response.status_code == 200
    assert response.streaming, response.context["form"].errors
    return b"".join(response.streaming_content)


def rows(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(response).decode(), newline="")))


@pytest.fixture
def reader(charlie: User) -> Client:
    return signed_in(charlie)


@pytest.mark.acceptance("FI126")
def test_a_list_is_exported_as_it_is_filtered(reader: Client) -> None:
    today = timezone.localdate()
    an_item(patient_id="A")
    an_item(patient_id="B", scheduled_start_date=today + timedelta(days=1))

    page = reader.get(f"{reverse('admin:worklist_worklistitem_changelist')}?when=tomorrow")
    assert f'href="{reverse(ITEMS)}?when=tomorrow"' in page.content.decode()
    form = reader.get(f"{reverse(ITEMS)}?when=tomorrow").content.decode()
    assert "The list as it is filtered: 1 row." in form
    assert 'action="?when=tomorrow"' in form
    assert [row["patient_id"] for row in rows(exported(reader, query="?when=tomorrow"))] == ["B"]


@pytest.mark.acceptance("FI126")
@pytest.mark.parametrize(
    ("form", "kind", "ending"),
    [
        ("parquet", "application/vnd.apache.parquet", "parquet"),
        ("csv", "text/csv; charset=utf-8", "csv"),
        ("guarded-csv", "text/csv; charset=utf-8", "csv"),
    ],
)
def test_each_format_is_a_file_by_its_name(form: str, kind: str, ending: str, reader: Client) -> None:
    an_item(patient_id="=1+1")

    response = exported(reader, form=form)

    day = timezone.localdate().isoformat()
    assert response["Content-Type"] == kind
    assert response["Content-Disposition"] == f'attachment; filename="items-{day}.{ending}"'
    if form == "parquet":
        assert pq.read_table(io.BytesIO(content(response)))["patient_id"].to_pylist() == ["=1+1"]
    else:
        assert ("'=1+1" in content(response).decode()) == (form == "guarded-csv")


@pytest.mark.acceptance("FI126")
def test_performed_steps_and_their_series_are_exported(reader: Client) -> None:
    for status in (PerformedStatus.COMPLETED, PerformedStatus.DISCONTINUED):
        step = make_step(status=status, patient_id=status)
        PerformedSeries.objects.create(step=step, number=1)

    query = "?status__exact=COMPLETED"
    assert [row["patient_id"] for row in rows(exported(reader, STEPS, query))] == ["COMPLETED"]
    of_series = rows(exported(reader, STEPS, query, table="series"))
    assert [row["patient_id"] for row in of_series] == ["COMPLETED"]
    page = reader.get(f"{reverse('admin:worklist_performedstep_changelist')}{query}").content.decode()
    assert f'href="{reverse(STEPS)}{query}"' in page


@pytest.mark.acceptance("FI113")
def test_a_pseudonymous_export_says_so_and_names_nobody(reader: Client) -> None:
    an_item()

    response = exported(reader, is_pseudonymous="on", shifts_dates="on")

    assert "items-pseudonymous-" in response["Content-Disposition"]
    text = content(response).decode()
    assert "Featherstone" not in text
    assert "P012" not in text


@pytest.mark.acceptance("FI125")
def test_the_audit_trail_tells_of_the_download(reader: Client) -> None:
    item = an_item()

    content(exported(reader, is_pseudonymous="on"))

    event = AuditEvent.objects.get(kind=AuditKind.DOWNLOAD)
    assert (event.username, event.path, event.rows) == ("charlie", ITEMS, [item.pk])
    assert event.detail == "items as csv, 1 rows, pseudonymous"


@pytest.mark.acceptance("FI125")
def test_series_are_audited_by_their_performed_steps(reader: Client) -> None:
    step = make_step(status=PerformedStatus.COMPLETED)
    for number in (1, 2):
        PerformedSeries.objects.create(step=step, number=number)

    content(exported(reader, STEPS, table="series"))

    event = AuditEvent.objects.get(kind=AuditKind.DOWNLOAD)
    assert (event.rows, event.detail) == ([step.pk], "series as csv, 2 rows, with names")


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"shifts_dates": "on"}, "A name beside a shifted date would be wrong: choose pseudonymous, too."),
        ({"form": "xlsx"}, "Select a valid choice."),
        ({"table": "steps"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_chosen_is_said_beside_it(chosen: dict[str, str], said: str, reader: Client) -> None:
    response = exported(reader, **chosen)

    assert not response.streaming
    assert said in response.content.decode()


def test_a_key_that_cannot_be_used_is_said_and_its_place_is_not(
    reader: Client, settings: Settings, tmp_path: Any
) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "export_key").write_text("short")

    shown = exported(reader, is_pseudonymous="on").content.decode()

    assert "The key of pseudonyms cannot be used." in shown
    assert str(tmp_path) not in shown


@pytest.mark.acceptance("FI127")
@pytest.mark.parametrize(
    ("page", "permission"),
    [(ITEMS, "worklist.view_worklistitem"), (STEPS, "worklist.view_performedstep")],
)
def test_who_may_not_see_a_list_may_not_export_it(
    page: str, permission: str, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(roles.PERMISSIONS, roles.Role.READ, roles.READ - {permission})

    assert reader.get(reverse(page)).status_code == 403
    assert exported(reader, page, is_pseudonymous="on").status_code == 403
    assert Client().post(reverse(page)).status_code == 302


@pytest.mark.acceptance("FI127")
@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_each_role_sees_names_in_lists_and_so_in_their_export(
    name: str, request: pytest.FixtureRequest
) -> None:
    an_item()
    client = signed_in(request.getfixturevalue(name))

    assert [row["patient_name"] for row in rows(exported(client))] == ["Featherstone^Augustina"]


def test_a_filter_that_is_none_leads_back_to_the_list(reader: Client) -> None:
    response = reader.get(f"{reverse(ITEMS)}?nothing__such=1")

    assert response.status_code == 302
    assert response["Location"] == reverse("admin:worklist_worklistitem_changelist")
