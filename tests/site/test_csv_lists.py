"""Any list of the admin is downloaded as it is filtered, whole, in words, and safe to open.

Not here: the numbers behind plots (test_plots.py).
"""

from __future__ import annotations

import csv
import tracemalloc
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import AuditEvent, User
from pylantir_site import lists_as_csv
from pylantir_site.outside import spreadsheets
from tests.admin_pages import queries_of
from worklist.items import intake
from worklist.models import Attention, AttentionKind, WorklistItem

pytestmark = pytest.mark.django_db

LIST = "admin:worklist_worklistitem_changelist"


def an_item(name: str = "Doe^John", patient_id: str = "P1", days: int = 0, **values: Any) -> WorklistItem:
    day = timezone.localdate() + timedelta(days=days)
    fields = {"patient_name": name, "patient_id": patient_id, "modality": "MR", "scheduled_start_date": day}
    return intake.create({**fields, **values}, actor="alice")


def page_of(model: str) -> str:
    return reverse("admin:csv", args=model.split("."))


def content(client: Client, model: str = "worklist.worklistitem", **query: str) -> str:
    response: Any = client.get(page_of(model), query)
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


def rows(client: Client, model: str = "worklist.worklistitem", **query: str) -> list[list[str]]:
    text = content(client, model, **query)
    assert text.startswith("\ufeff")
    return list(csv.reader(StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.fixture
def reader(client: Client, charlie: User) -> Client:
    client.force_login(charlie)
    return client


@pytest.mark.acceptance("AD40")
def test_a_list_is_had_with_its_columns_in_words(reader: Client) -> None:
    an_item("Müller^Jörg", scheduled_station_aetitle="MR1")
    headings, first = rows(reader)

    told = dict(zip(headings, first, strict=True))
    assert headings[:3] == ["When", "Patient", "Status"]
    assert (told["Patient"], told["Patient ID"], told["Status"]) == ("Müller, Jörg", "P1", "Scheduled")
    assert "MR1" in first


@pytest.mark.acceptance("AD40")
def test_all_pages_are_had_as_the_list_is_filtered_and_ordered(reader: Client) -> None:
    for number in range(60):
        an_item("Doe^John", f"P{number:02}", days=number % 2)
    found = rows(reader, when="tomorrow", o="5")[1:]

    assert [row[4] for row in found] == [f"P{number:02}" for number in range(1, 60, 2)]


@pytest.mark.acceptance("AD40")
def test_a_kept_search_filters_the_file_too_and_the_list_offers_it(reader: Client) -> None:
    an_item("Doe^John", "P1")
    an_item("Roe^Jane", "P2")
    sent = {"q": "jane", "list": "worklist.worklistitem"}
    response = reader.post(reverse("admin:search"), sent, follow=True)
    query = response.redirect_chain[0][0].partition("?")[2]

    assert f'href="{page_of("worklist.worklistitem")}?{query}"' in response.content.decode()
    assert [row[1] for row in rows(reader, q=query.removeprefix("q="))[1:]] == ["Roe, Jane"]


@pytest.mark.acceptance("AD40")
def test_the_file_is_named_after_the_list_and_the_day(reader: Client) -> None:
    response = reader.get(page_of("worklist.worklistitem"))

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    day = timezone.localdate().isoformat()
    assert response["Content-Disposition"] == f'attachment; filename="worklist-items-{day}.csv"'


@pytest.mark.acceptance("AD41")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("＝1", "'＝1"),
        ("Doe;=1+1", "Doe;'=1+1"),  # where a semicolon separates, as in Germany
        ("Doe\t@SUM(A1)\n-1", "Doe\t'@SUM(A1)\n'-1"),
        ("a-b;c=d, e@f", "a-b;c=d, e@f"),
        ("Doe, John", "Doe, John"),
        ("-", ""),
        (None, ""),
        (-2, "-2"),
        (Decimal("-2.50"), "-2.50"),
        (True, "yes"),
        (date(2026, 1, 10), "2026-01-10"),
        (time(8, 30), "08:30:00"),
        (datetime(2026, 1, 10, 8, 30, tzinfo=UTC), "2026-01-10 08:30:00"),
        (mark_safe('<span class="status">In &lt;progress&gt;</span><br>two'), "In <progress>\ntwo"),
        (mark_safe("<b>=1</b>"), "'=1"),
        ("<b>typed</b>", "<b>typed</b>"),
        (["MR1", "MR2"], "MR1, MR2"),
    ],
)
def test_a_cell_is_plain_text_and_no_formula(value: Any, expected: str, settings: Any) -> None:
    settings.TIME_ZONE = "UTC"
    with timezone.override("UTC"):
        assert lists_as_csv.cell(value) == expected


@pytest.mark.acceptance("AD41")
@given(st.text())
def test_no_text_begins_a_formula(text: str) -> None:
    assert not lists_as_csv.cell(text).startswith(spreadsheets.RUN)


@pytest.mark.acceptance("FI36")
@given(st.text() | st.text("'=-;\t\n＝a"))
def test_what_guards_a_text_is_undone(text: str) -> None:
    assert spreadsheets.unguarded(spreadsheets.guarded(text)) == text


@pytest.mark.acceptance("FI36")
@pytest.mark.parametrize("text", ["Doe, John", "'", "''a", "O'Brien", "'5", "a;'b", ""])
def test_what_no_spreadsheet_runs_is_not_guarded(text: str) -> None:
    assert spreadsheets.guarded(text) == text == spreadsheets.unguarded(text)


@pytest.mark.acceptance("AD42")
def test_who_may_not_see_a_list_does_not_have_it(reader: Client) -> None:
    assert reader.get(page_of("accounts.user")).status_code == 403
    assert Client().get(page_of("worklist.worklistitem")).status_code == 302
    for unknown in ("no.model", "django_q.schedule", "auth.group"):
        assert reader.get(page_of(unknown)).status_code == 404
    assert not AuditEvent.objects.filter(kind="DOWNLOAD").exists()


@pytest.mark.acceptance("AD42")
def test_the_audit_trail_says_who_had_which_list_and_nothing_of_it(reader: Client, charlie: User) -> None:
    an_item("Doe^John")
    content(reader)
    event = AuditEvent.objects.get(kind="DOWNLOAD")

    assert (event.username, event.detail) == ("charlie", "worklist.worklistitem, 1 rows")
    assert "Doe" not in str(vars(event))


@pytest.mark.acceptance("AD40")
def test_every_list_of_the_admin_can_be_had(client: Client, alice: User) -> None:
    client.force_login(alice)
    item = an_item()
    Attention.objects.create(kind=AttentionKind.WEIGHT, item=item, text="It differs.\nMore.")
    models = [model._meta.label_lower for model in admin.site._registry]
    assert len(models) > 10

    for model in models:
        headings = rows(client, model)[0]
        assert headings
        assert all(headings), f"A column of {model} has no heading."


@pytest.mark.acceptance("AD43")
def test_a_file_of_many_rows_takes_no_more_memory_or_queries_for_a_row(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists_as_csv, "AT_ONCE", 20)

    def make(count: int) -> None:
        made = [
            WorklistItem(
                patient_name="Doe^John",
                patient_id="P1",
                modality="MR",
                study_instance_uid=f"1.2.{count}.{number}",
                scheduled_procedure_step_id=str(number),
                requested_procedure_id="R1",
                accession_number="A1",
                scheduled_start_date=timezone.localdate(),
            )
            for number in range(count)
        ]
        WorklistItem.objects.bulk_create(made)

    def taken() -> int:
        response: Any = reader.get(page_of("worklist.worklistitem"))
        tracemalloc.start()
        for _line in response.streaming_content:
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    make(2 * lists_as_csv.AT_ONCE)
    few, asked = taken(), queries_of(lambda: content(reader))
    make(lists_as_csv.AT_ONCE * 6)

    assert taken() < 1.5 * few
    assert queries_of(lambda: content(reader)) == asked
