"""What intake takes goes out, comes back in, and is the same item: by REST, and from an export as a source.

That Parquet holds the same is in test_export_files.py.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import User
from pylantir_site.outside.spreadsheets import unguarded
from sources.backends.table.exports import EXPORTS
from sources.backends.table.rows import RecordRows
from sources.mapping.rules import MappingPlan, Rule, SessionKind, SessionLayout
from sources.mapping.targets import POUNDS, TARGETS
from sources.sync.values import as_json, cleaned
from sources.tables.layout import TableLayout
from sources.tables.reading import read_table
from tests.api_client import client_of
from tests.effort import tries
from tests.worklist.encoding_examples import DRAWN, texts
from worklist.exporting import formats, reading
from worklist.exporting.formats import CSV, GUARDED_CSV, FileFormat
from worklist.exporting.tables import ITEMS
from worklist.exporting.telling import Telling
from worklist.items import intake
from worklist.items.fields import FIELDS
from worklist.models import Status, WorklistItem

STATUS = "performed_procedure_step_status"
# What is made anew with each item, or says how this one came to be.
NOT_COMPARED = {"id", "data_source", "performed_by_evidence", "arrived_at", "created_at", "updated_at"}
COMPARED = tuple(field for field in FIELDS if field not in NOT_COMPARED)
# A spreadsheet would run what begins so, and would make numbers, dates and nothing of the others.
ODD_IDS = ("-5", "'-5", "=1+1", "@home", "+49", "'", "0042", "1E5", "NA", "n/a", "1-2", "F", "TRUE", '"', ",")
odd_texts = st.sampled_from(ODD_IDS) | texts(15)
DRAWN_HERE = {
    **DRAWN,
    **dict.fromkeys(("patient_id", "accession_number", "scheduled_procedure_step_id"), odd_texts),
    STATUS: st.just(Status.SCHEDULED.value),
}
drawn = st.fixed_dictionaries(DRAWN_HERE)


class UndoneError(Exception):
    """What an example has stored is taken back."""


@pytest.fixture
def client(bob: User) -> APIClient:
    return client_of(bob)


@contextmanager
def undone() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
            raise UndoneError
    except UndoneError:
        pass


def taken(values: dict[str, Any]) -> WorklistItem | None:
    """Return the item as intake takes it; None where it does not."""
    try:
        with transaction.atomic():
            return intake.create(values, actor="anna")
    except ValidationError:
        return None


def compared(item: WorklistItem) -> dict[str, Any]:
    return {field: _as_floats(getattr(item, field)) for field in COMPARED}


def _as_floats(value: Any) -> Any:
    """Return what JSON holds with one type of number: PostgreSQL keeps 4e16 as 40000000000000000."""
    if isinstance(value, dict):
        return {name: _as_floats(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_floats(each) for each in value]
    return float(value) if type(value) is int else value


def come_back(client: APIClient, item: WorklistItem, body: Any) -> WorklistItem:
    """Take the item away, post the body, and return what came of it."""
    item.delete()
    answer = client.post("/worklist", body)
    assert answer.status_code == 201, answer.content
    return WorklistItem.objects.get()


def without_what_is_empty(row: dict[str, str]) -> dict[str, Any]:
    """Return a line of our CSV as a program posts it: cells are text, and an empty one is not given."""
    body: dict[str, Any] = {name: unguarded(cell) for name, cell in row.items() if cell}
    if "extra_attributes" in body:
        body["extra_attributes"] = json.loads(body["extra_attributes"])
    return body


@pytest.mark.acceptance("FI150")
@pytest.mark.django_db
@settings(
    deadline=None,
    max_examples=tries(20, nightly=2000),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(values=drawn, as_list=st.booleans())
def test_an_item_read_as_json_and_posted_is_the_same(
    client: APIClient, values: dict[str, Any], as_list: bool
) -> None:
    with undone():
        item = taken(values)
        if item is not None:
            (body,) = client.get("/worklist").json()
            before = compared(item)

            assert compared(come_back(client, item, [body] if as_list else body)) == before


@pytest.mark.acceptance("FI150")
@pytest.mark.django_db
@settings(
    deadline=None,
    max_examples=tries(20, nightly=2000),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(values=drawn)
def test_a_line_of_the_csv_that_is_posted_is_the_same(client: APIClient, values: dict[str, Any]) -> None:
    with undone():
        item = taken(values)
        if item is not None:
            text = client.get("/worklist", HTTP_ACCEPT="text/csv").content.decode()
            (row,) = csv.DictReader(StringIO(text, newline=""))
            before = compared(item)

            assert compared(come_back(client, item, without_what_is_empty(row))) == before


COMMENTS = st.sampled_from(["'=1", "-5", "0042", "a;-1", '"', "a,b"]) | texts(20, between=" ")
# A column of a source holds one text: sequences and several values are none.
of_one_text = st.fixed_dictionaries({}, optional={"PatientComments": COMMENTS, "MedicalAlerts": COMMENTS})
likely_days = st.dates(date(1990, 1, 1), date(2099, 12, 31))  # of others a source asks whether they are meant
BY_ITEM = TableLayout(record="id")
# How an item stands is its own history: a source takes away what it no longer has.
MAPPED = tuple(name for name in FIELDS if name in TARGETS and name not in {POUNDS, STATUS})


def as_a_source(data: bytes, item: WorklistItem) -> dict[str, Any]:
    """Return what a source gives intake of the item, where a site maps each column to its field."""
    rules = [Rule(name, name) for name in MAPPED]
    rules += [Rule(keyword, keyword.lower()) for keyword in item.extra_attributes]
    plan = MappingPlan(tuple(rules), SessionLayout(SessionKind.ROW))
    rows = RecordRows(read_table(data, "items.csv", BY_ITEM, exports=EXPORTS), plan)
    read = rows.read(str(item.pk), today=item.scheduled_start_date)
    assert read is not None
    (session,) = read.sessions
    values, errors = cleaned(session.values)
    assert (errors, session.problems) == ({}, ())
    return values


def one_space(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values as a mapping writes texts of any source: with one space where there were several."""
    return {
        name: re.sub(" +", " ", value) if isinstance(value, str) else value for name, value in values.items()
    }


@pytest.mark.acceptance("FI150")
@pytest.mark.django_db
@settings(
    deadline=None,
    max_examples=tries(20, nightly=2000),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    values=st.fixed_dictionaries(
        {**DRAWN_HERE, "extra_attributes": of_one_text, "scheduled_start_date": likely_days}
    ),
    form=st.sampled_from([CSV, GUARDED_CSV]),
)
def test_an_export_is_a_source_of_the_same_items(values: dict[str, Any], form: FileFormat) -> None:
    with undone():
        item = taken(values)
        if item is not None:
            batches = reading.batches(ITEMS, reading.keys(WorklistItem.objects.all()), Telling())
            data = b"".join(formats.streamed(form, batches, ITEMS, Telling()))

            found = as_a_source(data, item)

            expected = {name: as_json(getattr(item, name)) for name in MAPPED} | item.extra_attributes
            assert {name: found.get(name, "") for name in expected} == one_space(expected)
