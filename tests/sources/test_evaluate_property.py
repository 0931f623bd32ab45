"""Whatever people type into REDCap, sessions come back, fit for an item, and texts tell nothing of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.contract import Session
from sources.mapping import evaluate
from sources.mapping.mapped_project import MappedProject
from sources.mapping.rules import MappingPlan, Rule
from sources.rows import ExportRow
from tests.effort import tries
from tests.sources.projects import BOOKED, FIELDS, PERSON, RECORD, REPEATING, a_plan
from worklist.items import cleaning
from worklist.models import WorklistItem

ODD = (
    "", "1", "2", "2026-03-02", "2026-02-30", "09:30", "24:00", "2012", "61,5", "1e9", "Doe, Jane", "a\\b",
    "<b>x</b>", "&lt;", "\u00a0", "x" * 65, "\ud800", "王小明", "A^B=C", "-", "A-1-B",
)  # fmt: skip
TEXTS = st.sampled_from(ODD) | st.text(max_size=20)
NAMES = (*[field.name for field in FIELDS[1:]], "extras___1", "extras___a", "mri_complete")
GOOD = {
    **PERSON,
    **BOOKED,
    **{"dob": "1990-01-31", "sex": "F", "weight": "150,5", "mri_number": "1-", "scan_type": "1"},
}
MANY_TARGETS = a_plan(
    Rule("patient_id", level=RECORD, transforms="template {study_id}[_{session}]_{record}"),
    Rule("{session}", "mri_number", transforms="pattern 1 (.+)-"),
    Rule("patient_birth_date", "dob", level=RECORD, transforms="year only 0101"),
    Rule("patient_sex", "sex", level=RECORD),
    Rule("patient_weight_lb", "weight"),
    Rule("study_description", "notes", transforms="else scan_type\nelse {session}"),
    Rule("procedure_description", "scan_type"),
    Rule("protocol_name", "notes", transforms="part last of -\npad 3"),
    Rule("station_name", "notes", transforms="upper"),
    Rule("scheduled_station_aetitle", "notes"),
    Rule("referring_physician_name", "notes"),
    Rule("performing_physician", transforms="template {last_name}^{notes}"),
    Rule("accession_number", "family_id", level=RECORD, transforms="characters 1-3"),
    Rule("modality", "notes", default="MR"),
    Rule("performed_procedure_step_status", "status", transforms="codes 1=SCHEDULED, 2=CANCELLED"),
    *[
        Rule(keyword, "notes")
        for keyword in ("PatientComments", "PregnancyStatus", "PatientSize", "StudyDate", "StudyTime",
                        "DateTime", "PatientAge", "OtherPatientIDs", "PatientState", "SelectorFDValue")
    ],
)  # fmt: skip


def rows(texts: st.SearchStrategy[str]) -> st.SearchStrategy[list[ExportRow]]:
    odd = st.dictionaries(st.sampled_from(NAMES), texts, max_size=6)
    values = st.tuples(st.sampled_from([{}, GOOD]), odd).map(lambda both: {**both[0], **both[1]})
    places = st.sampled_from([("", "", 0), ("", "mri", 1), ("", "mri", 2), ("", "other", 1)])
    row = st.builds(
        lambda place, given: ExportRow("R-1", place[0], place[1], place[2], given), places, values
    )
    return st.lists(row, max_size=4)


def refusals(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values that an item would not take."""
    refused = {}
    for field, value in values.items():
        if value in ("", {}):
            continue
        try:
            cleaned = cleaning.CLEANERS[field](value)
            if field != "extra_attributes":
                WorklistItem._meta.get_field(field).clean(cleaned, None)  # type: ignore[union-attr]
        except ValidationError as error:
            refused[field] = error
    return refused


def evaluated(given_rows: list[ExportRow], plan: MappingPlan = MANY_TARGETS) -> tuple[Session, ...]:
    return evaluate.sessions_of(given_rows, plan, REPEATING, with_trace=True, today=date(2026, 3, 1))


def without_empty(extra: dict[str, Any]) -> dict[str, Any]:
    return {keyword: value for keyword, value in extra.items() if value != ""}


@settings(max_examples=tries(60, nightly=150), deadline=None)
@given(rows(TEXTS))
def test_every_value_is_fit_for_an_item(given_rows: list[ExportRow]) -> None:
    for session in evaluated(given_rows):
        extra = without_empty(session.values["extra_attributes"])
        assert refusals({**session.values, "extra_attributes": extra}) == {}


@settings(max_examples=tries(40, nightly=100), deadline=None)
@given(rows(TEXTS.map(lambda text: f"☃{text}☃")))
def test_no_problem_and_no_reason_tells_a_value(given_rows: list[ExportRow]) -> None:
    for session in evaluated(given_rows):
        assert "☃" not in session.reason + "".join(problem.text for problem in session.problems)


@settings(max_examples=tries(25, nightly=50), deadline=None)
@given(rows(TEXTS), st.randoms())
def test_the_order_of_rows_means_nothing(given_rows: list[ExportRow], random: Any) -> None:
    unique = list({(row.instrument, row.instance): row for row in given_rows}.values())
    shuffled = random.sample(unique, len(unique))

    assert evaluated(unique) == evaluated(shuffled)


@pytest.mark.acceptance("WR43")
@settings(max_examples=tries(25, nightly=80), deadline=None)
@given(st.lists(rows(TEXTS), min_size=2, max_size=5), st.dates(date(2026, 3, 1), date(2026, 3, 3)))
def test_what_was_remembered_of_other_records_changes_nothing(
    records: list[list[ExportRow]], today: date
) -> None:
    """Read records one after the other in one project, and each in one of its own."""
    project = MappedProject(MANY_TARGETS, REPEATING)
    for given_rows in records:
        for day in (date(2026, 3, 1), today):
            together = evaluate.sessions_in(project, given_rows, with_trace=True, today=day)
            alone = evaluate.sessions_of(given_rows, MANY_TARGETS, REPEATING, with_trace=True, today=day)
            assert together == alone
