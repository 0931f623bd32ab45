"""A row of a mapping takes the first of its fields that is not empty (`else FIELD`)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.contract import Session, SessionKey, Stance
from sources.dictionary import Dictionary
from sources.mapping import check, evaluate
from sources.mapping.rules import Level, MappingPlan, Rule, SessionKind, SessionLayout
from sources.mapping.transforms import TransformError, parse, read
from sources.redcap import parsing
from sources.rows import ExportRow
from tests.sources.projects import (
    FIELDS,
    RECORD,
    REPEATING_MRI,
    a_booking,
    a_dictionary,
    a_field,
    a_person,
    a_row,
)
from tests.sources.projects import a_plan as plan_of

TODAY = date(2026, 3, 1)
MORE = (
    *FIELDS,
    a_field("dob_2", "enrolment", validation="date_dmy"),
    a_field("sex_2", "enrolment", "radio", choices={"m": "Male", "f": "Female"}),
    a_field("agreed_date", "enrolment", validation="date_ymd"),
    a_field("weight_reported", "mri"),
    a_field("weight_pounds", "mri"),
    a_field("scanner", "mri", "dropdown", choices={"1": "North", "2": "South"}),
    a_field("duration", "mri", validation="time_mm_ss"),
    a_field("photo", "mri", "file"),
)
PROJECT = a_dictionary(*MORE, repeating={("", "mri")})
VISITS = a_dictionary(
    *MORE, events={"enrolment_arm_1": ["enrolment"], "visit_1_arm_1": ["mri"], "visit_2_arm_1": ["mri"]}
)
BY_VISIT = SessionLayout(SessionKind.EVENT, instrument="mri")
WEIGHT = Rule("patient_weight_kg", "weight", transforms="else weight_reported")


def sessions(
    rows: list[ExportRow], *rules: Rule, dictionary: Dictionary = PROJECT, how: SessionLayout = REPEATING_MRI
) -> tuple[Session, ...]:
    plan = plan_of(*rules, sessions=how)
    return evaluate.sessions_of(rows, plan, dictionary, with_trace=True, today=TODAY)


def session(rows: list[ExportRow], *rules: Rule) -> Session:
    (only,) = sessions(rows, *rules)
    return only


def traced(found: Session, target: str) -> tuple[str, str]:
    trace = next(trace for trace in found.trace if trace.target == target)
    return trace.field, trace.raw


def texts(plan: MappingPlan, dictionary: Dictionary | None = PROJECT) -> list[str]:
    return [mistake.text for mistake in check.mistakes(plan, dictionary)]


@pytest.mark.acceptance("RC134")
@pytest.mark.parametrize(
    ("values", "kilograms", "field"),
    [
        ({"weight": "61", "weight_reported": "70"}, "61", "weight"),
        ({"weight": "", "weight_reported": "70"}, "70", "weight_reported"),
        ({"weight_reported": "70"}, "70", "weight_reported"),
        ({"weight": "  ", "weight_reported": "70"}, "70", "weight_reported"),
        ({"weight": "", "weight_reported": ""}, "", "weight"),
    ],
)
def test_the_first_that_is_not_empty_gives_the_value_and_the_preview_says_which(
    values: dict[str, Any], kilograms: str, field: str
) -> None:
    found = session([a_person(), a_booking(**values)], WEIGHT)

    assert (found.values["patient_weight_kg"], traced(found, "patient_weight_kg")[0]) == (kilograms, field)


@pytest.mark.acceptance("RC134")
def test_a_value_that_cannot_be_used_is_a_problem_and_no_other_field_is_taken_for_it() -> None:
    found = session([a_person(), a_booking(weight="heavy", weight_reported="70")], WEIGHT)

    assert found.values["patient_weight_kg"] == ""
    assert [problem.field for problem in found.problems] == ["weight"]


@pytest.mark.acceptance("RC134")
def test_a_problem_names_the_field_that_gave_the_value() -> None:
    found = session([a_person(), a_booking(weight_reported="heavy")], WEIGHT)

    assert [(problem.field, problem.place) for problem in found.problems] == [
        ("weight_reported", SessionKey("", "mri", 1))
    ]


@pytest.mark.acceptance("RC134")
def test_a_missing_data_code_is_empty() -> None:
    entry = {
        **{"record_id": "1", "redcap_repeat_instrument": "mri", "redcap_repeat_instance": 1},
        **{"mri_date": "2026-03-02", "mri_time": "09:30", "weight": "NASK", "weight_reported": "70"},
    }
    booking = parsing.row_of(entry, "record_id", frozenset({"NASK"}))

    assert session([a_person(), booking], WEIGHT).values["patient_weight_kg"] == "70"


def test_no_is_a_value_and_a_checkbox_of_which_nothing_is_checked_is_none() -> None:
    rules = (
        Rule("PatientComments", "extras", transforms="else notes"),
        Rule("study_description", "mri_number", transforms="else notes"),
    )

    found = session([a_person(), a_booking(extras___1="0", notes="none", mri_number="0")], *rules)

    assert found.values["extra_attributes"] == {"PatientComments": "none"}
    assert found.values["study_description"] == "0"


@pytest.mark.acceptance("RC134")
def test_several_lines_are_looked_at_in_their_order_and_changed_by_what_follows_them() -> None:
    rule = Rule("station_name", "notes", transforms="else mri_number\nelse scanner\nupper")

    assert session([a_person(), a_booking(scanner="2")], rule).values["station_name"] == "SOUTH"
    assert session([a_person(), a_booking(mri_number="x1", scanner="2")], rule).values["station_name"] == "X1"


@pytest.mark.acceptance("RC134")
def test_labels_and_codes_are_those_of_the_field_that_gave_the_value() -> None:
    rule = Rule("patient_sex", "sex", RECORD, transforms="else sex_2\ncodes 1=M, 2=F, 3=O, m=M, f=F")

    assert session([a_person(sex_2="f"), a_booking()], rule).values["patient_sex"] == "F"
    assert session([a_person(sex="1", sex_2="f"), a_booking()], rule).values["patient_sex"] == "M"


@pytest.mark.acceptance("RC134")
def test_a_row_of_the_record_takes_a_field_of_the_session_for_that_session_alone() -> None:
    rule = Rule("scheduled_start_date", "agreed_date", RECORD, transforms="else mri_date")
    booked = [
        a_booking(1, mri_date="2026-03-05"),
        a_booking(2, mri_date="2026-03-09"),
        a_booking(3, mri_date=""),
    ]

    found = sessions([a_person(), *booked], rule)

    assert [each.values["scheduled_start_date"] for each in found] == ["2026-03-05", "2026-03-09", ""]
    assert [each.stance for each in found] == [Stance.WANTED, Stance.WANTED, Stance.NOT_WANTED]
    assert {traced(each, "scheduled_start_date")[0] for each in found[:2]} == {"mri_date"}


@pytest.mark.acceptance("RC134")
def test_a_birth_date_is_found_in_one_arm_or_the_other() -> None:
    arms = {
        **{"enrolment_arm_1": ["enrolment"], "visit_1_arm_1": ["mri"]},
        **{"enrolment_arm_2": ["follow_up"], "visit_1_arm_2": ["mri"]},
    }
    fields = (*FIELDS, a_field("dob_again", "follow_up", validation="date_dmy"))
    dictionary = a_dictionary(*fields, events=arms)
    rule = Rule("patient_birth_date", "dob", RECORD, transforms="else dob_again")
    booked: dict[str, Any] = {"mri_date": "2026-03-02", "mri_time": "09:30"}
    rows = [
        a_row(event="enrolment_arm_1", dob="2015-04-02", study_id="A", last_name="Doe"),
        a_row(event="visit_1_arm_1", **booked),
        a_row(event="enrolment_arm_2", dob_again="2014-01-31"),
        a_row(event="visit_1_arm_2", **booked),
    ]

    found = sessions(rows, rule, dictionary=dictionary, how=BY_VISIT)

    assert [each.values["patient_birth_date"] for each in found] == ["2015-04-02", "2014-01-31"]


@pytest.mark.acceptance("RC134")
def test_the_events_that_a_row_names_are_those_of_all_its_fields() -> None:
    rule = Rule("patient_birth_date", "dob", RECORD, ("enrolment_arm_1",), transforms="else dob_2")
    rows = [
        a_row(event="enrolment_arm_1", dob_2="2015-04-02", study_id="A", last_name="Doe"),
        a_row(event="visit_1_arm_1", mri_date="2026-03-02", mri_time="09:30", dob="2001-01-01"),
    ]

    (found,) = sessions(rows, rule, dictionary=VISITS, how=BY_VISIT)

    assert found.values["patient_birth_date"] == "2015-04-02"


# Another row's value


@pytest.mark.acceptance("RC135")
def test_a_named_value_stands_in_with_its_own_changes() -> None:
    rules = (
        Rule("{reported}", "weight_pounds", transforms="pounds to kilograms"),
        Rule("patient_weight_kg", "weight", transforms="else {reported}"),
    )

    found = session([a_person(), a_booking(weight_pounds="80")], *rules)

    assert found.values["patient_weight_kg"] == "36.29"
    assert traced(found, "patient_weight_kg")[0] == "weight_pounds"
    assert session([a_person(), a_booking(weight="61")], *rules).values["patient_weight_kg"] == "61"


@pytest.mark.acceptance("RC135")
def test_a_name_of_a_template_keeps_its_form_where_it_stands_in() -> None:
    rules = (
        Rule("{made}", level=RECORD, transforms="template cpip-id-{study_id}[^fa-{family_id}]"),
        Rule("patient_name", "notes", transforms="else {made}"),
    )

    found = session([a_person(family_id="F-7"), a_booking()], *rules)

    assert found.values["patient_name"] == "cpip-id-CPIP-0042^fa-F-7"


def test_a_named_value_that_cannot_be_read_is_a_problem_at_its_field() -> None:
    rules = (
        Rule("{reported}", "weight_pounds", transforms="pounds to kilograms"),
        Rule("patient_weight_kg", "weight", transforms="else {reported}"),
    )

    found = session([a_person(), a_booking(weight_pounds="many")], *rules)

    problem = next(problem for problem in found.problems if problem.target == "patient_weight_kg")
    assert (problem.field, problem.text) == ("weight_pounds", "{reported} could not be read.")


# What is asked of REDCap, and what a check says


@pytest.mark.acceptance("RC134")
def test_redcap_is_asked_for_every_field_that_may_give_a_value() -> None:
    plan = plan_of(WEIGHT, Rule("PatientComments", "notes", transforms="else redcap_data_access_group"))

    assert {"weight", "weight_reported", "notes"} <= set(evaluate.fields_needed(plan, PROJECT))
    assert "redcap_data_access_group" in evaluate.field_names(plan)


@pytest.mark.acceptance("RC134")
@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (
            Rule("patient_weight_kg", "weight", transforms="else wieght_reported"),
            "Did you mean weight_reported?",
        ),
        (Rule("patient_weight_kg", "", transforms="else weight"), "else names what stands in for it"),
        (Rule("patient_weight_kg", "weight", transforms="else photo"), "type file has no value to map"),
        (Rule("scheduled_start_time", "mri_time", transforms="else duration"), "duration holds minutes"),
        (Rule("patient_sex", "notes", transforms="else sex"), "sex is a choice: say what its codes mean"),
        (Rule("patient_weight_kg", "weight", transforms="else {lost}"), "no row has the target {lost}"),
        (Rule("{own}", "weight", transforms="else {own}"), "{own} is made from itself"),
        (
            Rule("patient_id", "study_id", RECORD, transforms="else {site_id}"),
            "no row has the target {site_id}",
        ),
        (Rule("PatientComments", "notes", transforms="else"), "one field is expected"),
    ],
)
def test_a_line_that_cannot_be_right_is_refused_with_the_reason(rule: Rule, says: str) -> None:
    assert any(says in text for text in texts(plan_of(rule, constants={"site_id": "792"})))


@pytest.mark.acceptance("RC135")
@pytest.mark.parametrize(
    "named", [Rule("{own}", "notes", default="60"), Rule("{own}", transforms="template {site_id}")]
)
@pytest.mark.parametrize("target", ["patient_id", "patient_weight_kg"])
def test_what_is_a_participant_s_own_is_not_made_up_by_a_named_value(target: str, named: Rule) -> None:
    plan = plan_of(named, Rule(target, "mri_number", transforms="else {own}"), constants={"site_id": "792"})

    assert any("would be made up" in text for text in texts(plan))


def test_one_session_s_date_is_not_taken_for_all_visits() -> None:
    rule = Rule("scheduled_start_date", "agreed_date", RECORD, transforms="else mri_date")

    assert any(
        "all sessions would have the first" in text
        for text in texts(plan_of(rule, sessions=BY_VISIT), VISITS)
    )
    assert not texts(plan_of(rule), PROJECT)


def test_a_good_row_is_not_refused() -> None:
    assert texts(plan_of(WEIGHT)) == []
    assert texts(plan_of(WEIGHT), None) == []


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("upper\nelse notes", "comes too late"),
        ("else", "one field is expected"),
        ("else a b", "one field is expected"),
        ("else {", "one field is expected"),
    ],
)
def test_where_and_how_it_stands_is_said(lines: str, says: str) -> None:
    with pytest.raises(TransformError, match=says):
        parse(lines)


def test_it_may_be_followed_by_any_line() -> None:
    found = read("else dob_2\nELSE {other}\ncodes 1=M\npounds to kilograms")

    assert found.alternatives == ("dob_2", "{other}")
    assert len(found.transforms) == 2


VALUES = st.sampled_from(["", " ", "61", "70", "heavy", "0"])


@given(first=VALUES, second=VALUES, third=VALUES)
def test_it_gives_what_the_first_filled_field_alone_would_give(first: str, second: str, third: str) -> None:
    rows = [a_person(), a_booking(weight=first, weight_reported=second, mri_number=third)]
    several = Rule("patient_weight_kg", "weight", transforms="else weight_reported\nelse mri_number")
    given_values = {"weight": first, "weight_reported": second, "mri_number": third}
    name = next((name for name, value in given_values.items() if value.strip()), "weight")

    found, alone = session(rows, several), session(rows, Rule("patient_weight_kg", name, Level.SESSION))

    assert (found.values, found.problems) == (alone.values, alone.problems)
