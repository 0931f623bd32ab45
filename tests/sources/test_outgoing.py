"""What was scanned is put into the form of each field, and rows that cannot be right are named."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.contract import SessionKey
from sources.dictionary import Dictionary, Field, ProjectEvent
from sources.mapping.rules import MappingPlan, Rule, SessionKind, SessionLayout
from sources.outgoing import check, forms, places
from sources.outgoing.deciding import FieldVerdict, decide
from sources.outgoing.facts import Moment, ScanFact, ScanOutcome
from sources.outgoing.rules import OutgoingRule

AT = Moment(date(2026, 3, 2), time(9, 30, 5))
DAY = Moment(date(2026, 3, 2))
OUTCOME = ScanOutcome(
    status="COMPLETED",
    start=AT,
    end=AT,
    scanners=("MR1",),
    operators=("Tech, Anna", "Berta"),
    series=7,
    images=900,
    protocols=("t1", "t2"),
    studies=("1.2.3",),
    reason="Patient refused",
)


def text(name: str, validation: str = "", **values: Any) -> Field:
    return Field(name=name, form="mri", type="text", label=name, validation=validation, **values)


def project(*fields: Field, **values: Any) -> Dictionary:
    every = [Field("record_id", "base", "text", ""), *fields]
    given = {
        "project_id": 1,
        "title": "",
        "version": "14",
        "is_longitudinal": False,
        "has_repeats": True,
        "fields": {field.name: field for field in every},
        "forms": {"base": "Base", "mri": "MRI"},
        "repeating": frozenset({("", "mri")}),
    }
    return Dictionary(**{**given, **values})


PLAN = MappingPlan(
    rules=(Rule("patient_id", "record_id"), Rule("scheduled_start_date", "mri_date")),
    sessions=SessionLayout(SessionKind.REPEATING_INSTRUMENT, instrument="mri"),
)
RADIO = Field("f", "mri", "radio", "", choices={"1": "Yes", "2": "No"})


@pytest.mark.acceptance("CL16")
@pytest.mark.parametrize(
    ("validation", "moment", "expected"),
    [
        ("", AT, "2026-03-02 09:30:05"),
        ("", DAY, "2026-03-02"),
        *((f"date_{order}", each, "2026-03-02") for order in ("ymd", "mdy", "dmy") for each in (AT, DAY)),
        ("datetime_dmy", AT, "2026-03-02 09:30"),
        ("datetime_seconds_mdy", AT, "2026-03-02 09:30:05"),
        ("datetime_ymd", DAY, ""),  # a time is never made up
        ("time", AT, "09:30"),
        ("time_hh_mm_ss", AT, "09:30:05"),
        ("time", DAY, ""),
        ("time", None, ""),
    ],
)
def test_a_moment_is_as_its_validation_takes_it(
    validation: str, moment: Moment | None, expected: str
) -> None:
    rule, dictionary = OutgoingRule("f", ScanFact.START), project(text("f", validation))
    assert check.mistakes([rule], PLAN, dictionary) == ()
    assert forms.value(rule, replace(OUTCOME, start=moment), dictionary) == expected


@pytest.mark.acceptance("CL16")
@pytest.mark.parametrize(
    ("fact", "codes", "field", "expected"),
    [
        (ScanFact.STATUS, "", text("f"), "COMPLETED"),
        (ScanFact.STATUS, "COMPLETED=scanned", text("f"), "scanned"),
        (ScanFact.STATUS, "COMPLETED=1", RADIO, "1"),
        (ScanFact.STATUS, "DISCONTINUED=1", RADIO, ""),
        (ScanFact.SCANNER, "MR1=2", RADIO, "2"),
        (ScanFact.SCANNER, "", text("f"), "MR1"),
        (ScanFact.OPERATOR, "", text("f"), "Tech, Anna, Berta"),
        (ScanFact.OPERATOR, 'Berta=1, "Tech, Anna"=2', RADIO, ""),  # one code cannot say two
        (ScanFact.SERIES, "", text("f", "integer"), "7"),
        (ScanFact.IMAGES, "", text("f", "number"), "900"),
        (ScanFact.PROTOCOLS, "", text("f"), "t1, t2"),
        (ScanFact.STUDY, "", text("f"), "1.2.3"),
        (ScanFact.REASON, "", text("f"), "Patient refused"),
    ],
)
def test_a_fact_is_as_its_field_takes_it(fact: ScanFact, codes: str, field: Field, expected: str) -> None:
    rule, dictionary = OutgoingRule("f", fact, codes), project(field)
    assert check.mistakes([rule], PLAN, dictionary) == ()
    assert forms.value(rule, OUTCOME, dictionary) == expected


@pytest.mark.acceptance("CL17")
@pytest.mark.parametrize(
    ("rule", "field", "column", "says"),
    [
        (OutgoingRule("g", ScanFact.STATUS), text("f"), "field", "no field g"),
        (OutgoingRule("record_id", ScanFact.STATUS), text("f"), "field", "record's own ID"),
        (OutgoingRule("f", ScanFact.STATUS), text("f", is_identifier=True), "field", "identifier"),
        (OutgoingRule("f", ScanFact.SERIES), replace(text("f"), type="calc"), "field", "calculated"),
        (OutgoingRule("f", ScanFact.START), text("f", annotation="@CALCDATE([a], 1)"), "field", "calculated"),
        (OutgoingRule("f", ScanFact.STATUS), replace(text("f"), type="file"), "field", "type file"),
        (OutgoingRule("f", ScanFact.STATUS), replace(text("f"), type="checkbox"), "field", "type checkbox"),
        (OutgoingRule("mri_date", ScanFact.START), text("mri_date", "date_ymd"), "field", "is read by row"),
        (OutgoingRule("f", ScanFact.START), text("f", "email"), "field", "takes no moment"),
        (OutgoingRule("f", ScanFact.START), text("f", "time_mm_ss"), "field", "takes no moment"),
        (OutgoingRule("f", ScanFact.SERIES), text("f", "number_1dp"), "field", "no whole number"),
        (OutgoingRule("f", ScanFact.OPERATOR), text("f", "integer"), "field", "without a validation"),
        (OutgoingRule("f", ScanFact.STATUS), RADIO, "codes", "say which code"),
        (OutgoingRule("f", ScanFact.STATUS, "COMPLETED=3"), RADIO, "codes", "no code 3"),
        (OutgoingRule("f", ScanFact.STATUS, "COMPLETE=1"), RADIO, "codes", "Did you mean COMPLETED"),
        (OutgoingRule("f", ScanFact.STATUS, "COMPLETED="), RADIO, "codes", "empty"),
        (OutgoingRule("f", ScanFact.STATUS, "nonsense"), RADIO, "codes", "Pairs of code and value"),
        (OutgoingRule("f", ScanFact.SERIES, "1=2"), text("f"), "codes", "has no codes"),
        (OutgoingRule("f", ScanFact.START), RADIO, "field", "neither a moment"),
        (OutgoingRule("f", ScanFact.STATUS), replace(text("f"), form="base"), "field", "own rows"),
        (OutgoingRule("f", ScanFact.STATUS, event="v1"), text("f"), "event", "leave this empty"),
    ],
)
def test_a_row_that_cannot_be_right_is_named(
    rule: OutgoingRule, field: Field, column: str, says: str
) -> None:
    found = check.mistakes([rule], PLAN, project(field))
    assert [(each.rule, each.field) for each in found] == [(0, column)]
    assert says in found[0].text


@pytest.mark.acceptance("CL17")
def test_two_rows_write_no_field_together() -> None:
    rules = [OutgoingRule("f", ScanFact.STATUS), OutgoingRule("f", ScanFact.REASON)]
    (found,) = check.mistakes(rules, PLAN, project(text("f")))
    assert (found.rule, found.field) == (1, "field")


@pytest.mark.acceptance("CL17")
def test_what_another_source_of_the_project_reads_is_not_written() -> None:
    other = replace(PLAN, rules=(Rule("PatientComments", "f"),))
    rules, dictionary = [OutgoingRule("f", ScanFact.STATUS)], project(text("f"))
    (found,) = check.mistakes(rules, PLAN, dictionary, others={"second": other})
    assert "is read by the source second" in found.text
    assert check.mistakes(rules, PLAN, dictionary, others={"second": PLAN}) == ()


EVENTS = tuple(ProjectEvent(f"{name}_arm_{arm}", name, arm) for arm in (1, 2) for name in ("base", "scan"))
LONG = {
    "is_longitudinal": True,
    "events": EVENTS,
    "event_forms": {event.name: frozenset({"base", "mri"}) for event in EVENTS},
    "repeating": frozenset({("scan_arm_2", "mri")}),
}


@pytest.mark.acceptance("CL18")
@pytest.mark.parametrize(
    ("event", "key", "expected"),
    [
        ("", SessionKey("base_arm_1"), None),  # several events have it
        ("scan_arm_1", SessionKey("base_arm_1"), SessionKey("scan_arm_1")),
        ("scan_arm_1", SessionKey("base_arm_2"), None),  # the record is in the other arm
        ("", SessionKey("base_arm_2"), SessionKey("base_arm_2")),  # it repeats in the other event
    ],
)
def test_a_session_that_is_a_record_is_written_into_one_event(
    event: str, key: SessionKey, expected: SessionKey | None
) -> None:
    layout = SessionLayout(SessionKind.RECORD)
    rule = OutgoingRule("f", ScanFact.STATUS, event=event)
    assert places.place(rule, key, layout, project(text("f"), **LONG)) == expected


@pytest.mark.acceptance("CL18")
@pytest.mark.parametrize(
    ("event", "says"),
    [("", "Several events"), ("scan_arm_2", "does not repeat"), ("follow_arm_1", "no event follow_arm_1")],
)
def test_the_event_of_a_session_that_is_a_record_is_checked(event: str, says: str) -> None:
    plan = replace(PLAN, sessions=SessionLayout(SessionKind.RECORD))
    rule = OutgoingRule("f", ScanFact.STATUS, event=event)
    (found,) = check.mistakes([rule], plan, project(text("f"), **LONG))
    assert (found.field, says in found.text) == ("event", True)


@pytest.mark.acceptance("CL18")
def test_each_other_session_is_written_into_its_own_row() -> None:
    dictionary, rule = project(text("f")), OutgoingRule("f", ScanFact.STATUS)
    key = SessionKey("", "mri", 3)
    assert places.place(rule, key, PLAN.sessions, dictionary) == key
    assert places.place(rule, SessionKey("", "base", 1), PLAN.sessions, dictionary) is None


VALUES = st.sampled_from(["", "1", "2", "3"])


@pytest.mark.acceptance("CL19")
@given(held=VALUES, due=VALUES, ours=st.sets(VALUES.filter(bool)), replaceable=st.sets(VALUES.filter(bool)))
def test_only_blanks_and_our_own_are_written(
    held: str, due: str, ours: set[str], replaceable: set[str]
) -> None:
    verdict = decide(
        held,
        due,
        is_blank=not held,
        is_ours=ours.__contains__,
        may_replace=replaceable.__contains__,
    )
    if verdict is FieldVerdict.WRITE:
        assert due
        assert held != due
        assert not held or held in ours | replaceable
    if due and held not in {"", due, *ours, *replaceable}:
        assert verdict is FieldVerdict.DIFFERS
    assert (verdict is FieldVerdict.AGREES) == (bool(due) and held == due)
    assert (verdict is FieldVerdict.OUTDATED) == (not due and held in ours)
