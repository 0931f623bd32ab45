"""A mapping makes sessions of a record's rows; these tests need no server and no database."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from sources.contract import Session, SessionKey, Stance
from sources.dictionary import Dictionary
from sources.mapping import evaluate
from sources.mapping.fitting import fit
from sources.mapping.problems import UnusableValue
from sources.mapping.rules import Level, MappingPlan, Rule, SessionKind, SessionLayout, WithoutTime
from sources.mapping.transforms import Origin
from sources.rows import ExportRow
from tests.sources.projects import (
    FIELDS,
    RECORD,
    REPEATING,
    REPEATING_MRI,
    a_booking,
    a_dictionary,
    a_field,
    a_person,
    a_plan,
    a_row,
)

TODAY = date(2026, 3, 1)
BY_EVENT = SessionLayout(SessionKind.EVENT, instrument="mri")


def sessions(
    rows: list[ExportRow], plan: MappingPlan | None = None, dictionary: Dictionary = REPEATING
) -> tuple[Session, ...]:
    return evaluate.sessions_of(rows, plan or a_plan(), dictionary, today=TODAY)


def session(
    rows: list[ExportRow], plan: MappingPlan | None = None, dictionary: Dictionary = REPEATING
) -> Session:
    (only,) = sessions(rows, plan, dictionary)
    return only


def mapped(target: str, raw: str, transforms: str = "", *, field: str = "notes", **rule: Any) -> Session:
    """Return a session whose notes (or another field of the form) are mapped to the target."""
    plan = a_plan(Rule(target, field, transforms=transforms, **rule))
    given: dict[str, Any] = {field: raw}
    return session([a_person(), a_booking(**given)], plan)


def value_of(target: str, found: Session) -> Any:
    return found.values.get(target, found.values.get("extra_attributes", {}).get(target))


def test_a_record_and_its_appointment_make_a_step() -> None:
    found = session([a_person(), a_booking()])

    assert (found.stance, found.key, found.problems) == (Stance.WANTED, SessionKey("", "mri", 1), ())
    assert found.values == {
        "patient_id": "CPIP-0042",
        "patient_name": "Doe^Jane",
        "scheduled_start_date": "2026-03-02",
        "scheduled_start_time": "09:30:00",
        "modality": "MR",
    }


@pytest.mark.acceptance("RC11")
def test_the_record_id_may_have_any_name() -> None:
    dictionary = a_dictionary(a_field("participant_id", "enrolment"), *FIELDS[1:], repeating={("", "mri")})
    plan = a_plan(Rule("patient_id", "participant_id", level=RECORD))

    def person(record: str) -> Session:
        enrolled = a_row(record, last_name="Doe", first_name=record)
        booked = a_row(record, instrument="mri", instance=1, mri_date="2026-03-02", mri_time="09:30")
        return session([enrolled, booked], plan, dictionary)

    people = [person("A1"), person("A2")]

    assert [found.values["patient_id"] for found in people] == ["A1", "A2"]
    assert [found.values["patient_name"] for found in people] == ["Doe^A1", "Doe^A2"]


@pytest.mark.acceptance("RC12", "RC13")
@pytest.mark.parametrize("text", ["A-001", "B-001", "007", "rec 1", "ü1", "1234-17-B", "a^b=c"])
def test_an_id_is_kept_as_it_is(text: str) -> None:
    assert session([a_person(study_id=text), a_booking()]).values["patient_id"] == text


VISITS = {
    "enrolment_arm_1": ["enrolment"],
    "rescreen_arm_1": ["enrolment"],
    "visit_1_arm_1": ["mri"],
    "enrolment_arm_2": ["enrolment"],
    "visit_1_arm_2": ["mri"],
}
LONGITUDINAL = a_dictionary(*FIELDS, events=VISITS)
SCAN: dict[str, Any] = {"mri_date": "2026-03-02", "mri_time": "09:30"}


def person_in(event: str, **values: str) -> ExportRow:
    given: dict[str, Any] = {"last_name": "Doe", "first_name": "Jane", **values}
    return a_row(event=event, **given)


@pytest.mark.acceptance("RC14")
@pytest.mark.parametrize(
    ("events", "expected"),
    [((), "first"), (("rescreen_arm_1", "enrolment_arm_1"), "second"), (("rescreen_arm_1",), "second")],
)
def test_record_values_come_from_events_in_the_order_given(events: tuple[str, ...], expected: str) -> None:
    rows = [
        a_row(event="visit_1_arm_1", **SCAN),
        person_in("rescreen_arm_1", study_id="second"),
        person_in("enrolment_arm_1", study_id="first"),
    ]
    plan = a_plan(Rule("patient_id", "study_id", level=RECORD, events=events), sessions=BY_EVENT)

    assert session(rows, plan, LONGITUDINAL).values["patient_id"] == expected


@pytest.mark.acceptance("RC19")
def test_two_appointments_alike_remain_two() -> None:
    found = sessions([a_person(), a_booking(1, mri_number="2"), a_booking(2, mri_number="2")])

    assert [each.key.instance for each in found] == [1, 2]
    assert found[0].values == found[1].values


@pytest.mark.acceptance("RC20")
def test_another_arm_is_looked_at_only_where_it_is_named() -> None:
    rows = [
        person_in("enrolment_arm_1", study_id="one"),
        a_row(event="visit_1_arm_1", **SCAN),
        a_row(event="visit_1_arm_2", **SCAN),
    ]
    named = ("enrolment_arm_1",)
    everywhere = (
        Rule("patient_id", "study_id", level=RECORD, events=named),
        Rule("patient_name", "last_name", level=RECORD, events=named),
    )

    own_arm = sessions(rows, a_plan(sessions=BY_EVENT), LONGITUDINAL)
    both = sessions(rows, a_plan(*everywhere, sessions=BY_EVENT), LONGITUDINAL)

    assert [each.stance for each in own_arm] == [Stance.WANTED, Stance.UNCLEAR]
    assert [each.values["patient_id"] for each in both] == ["one", "one"]


@pytest.mark.acceptance("RC21")
def test_a_blank_on_the_session_overrides_only_what_is_mapped_of_the_session() -> None:
    visits = {"enrolment_arm_1": ["enrolment"], "visit_1_arm_1": ["enrolment", "mri"]}
    rows = [
        person_in("enrolment_arm_1", study_id="one", sex="2"),
        a_row(event="visit_1_arm_1", sex="", **SCAN),
    ]

    def sex(level: Level) -> Any:
        plan = a_plan(Rule("patient_sex", "sex", level=level, transforms="codes 2=F"), sessions=BY_EVENT)
        return session(rows, plan, a_dictionary(*FIELDS, events=visits)).values["patient_sex"]

    assert sex(Level.RECORD) == "F"
    assert sex(Level.SESSION) == ""


@pytest.mark.acceptance("RC22")
def test_a_data_access_group_decides_the_station() -> None:
    rule = Rule("station_name", "redcap_data_access_group", transforms="codes boston=MR1, nyc=MR2")
    row = a_row(instrument="mri", instance=1, group="nyc", **SCAN)

    assert session([a_person(), row], a_plan(rule)).values["station_name"] == "MR2"


IDS = "template sub_{study_id}_ses_{session}[_fam_{family_id}]_site_{site_id}"


def composed(family: str = "", number: str = "2", transforms: str = IDS) -> Session:
    plan = a_plan(
        Rule("patient_id", level=RECORD, transforms=transforms),
        Rule("patient_name", level=RECORD, transforms="template cpip-id-{study_id}[^fa-{family_id}]"),
        Rule("{session}", "mri_number"),
        constants={"site_id": "792"},
    )
    return session([a_person(family_id=family), a_booking(1, mri_number=number)], plan)


@pytest.mark.acceptance("RC24")
def test_nothing_dangles_where_the_family_is_empty() -> None:
    assert composed("F-7").values["patient_id"] == "sub_CPIP-0042_ses_2_fam_F-7_site_792"
    assert composed("F-7").values["patient_name"] == "cpip-id-CPIP-0042^fa-F-7"
    assert composed("").values["patient_id"] == "sub_CPIP-0042_ses_2_site_792"
    assert composed("").values["patient_name"] == "cpip-id-CPIP-0042"

    outside = composed("", transforms=IDS.replace("[", "").replace("]", ""))

    assert outside.stance is Stance.UNCLEAR
    (problem,) = outside.problems
    assert (problem.target, problem.field, problem.place) == ("patient_id", "family_id", SessionKey())


def test_a_named_value_with_a_problem_is_never_left_out_of_an_id() -> None:
    plan = a_plan(
        Rule("patient_id", level=RECORD, transforms="template {study_id}[_{session}]"),
        Rule("{session}", "mri_number", transforms=r"pattern 1 ^(\d)$"),
    )

    found = session([a_person(), a_booking(mri_number="two")], plan)

    assert found.stance is Stance.UNCLEAR
    assert [problem.target for problem in found.problems] == ["patient_id", "{session}"]
    assert found.values["patient_id"] == ""


def test_the_sessions_own_fields_are_never_taken_from_another_session() -> None:
    plan = a_plan(Rule("patient_id", level=RECORD, transforms="template {study_id}_{mri_number}"))

    first, second = sessions([a_person(), a_booking(1, mri_number="1"), a_booking(2)], plan)

    assert first.values["patient_id"] == "CPIP-0042_1"
    assert (second.stance, second.values["patient_id"]) == (Stance.UNCLEAR, "")
    assert second.problems[0].place == SessionKey("", "mri", 2)


def test_named_values_in_a_circle_are_a_problem() -> None:
    rules = (Rule("{a}", transforms="template {b}"), Rule("{b}", transforms="template {a}"))

    found = session([a_person(), a_booking()], a_plan(*rules))

    assert {problem.target for problem in found.problems} == {"{a}", "{b}"}


@pytest.mark.acceptance("D182")
@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("patient_name", "Doe\x01^Jane"),
        ("patient_name", "M\u00c3\u009cLLER"),
        ("modality", "M\x01R"),
        ("scheduled_station_aetitle", "MR\x851"),
    ],
)
def test_a_control_character_in_a_name_or_code_is_an_issue(target: str, text: str) -> None:
    with pytest.raises(UnusableValue, match="A control character stands in it"):
        fit(target, text, origin=Origin.RECORD, today=date(2026, 3, 2))


@pytest.mark.acceptance("D183")
def test_a_size_in_centimetres_is_an_issue() -> None:
    with pytest.raises(UnusableValue, match="is it in metres"):
        fit("PatientSize", "186", origin=Origin.RECORD, today=date(2026, 3, 2))


@pytest.mark.acceptance("RC25")
@pytest.mark.parametrize("text", ["x" * 65, "a\\b", "a\nb", "<b>a</b>", "B\u00c3\x85"])
def test_an_id_that_does_not_fit_is_an_issue_and_never_cut(text: str) -> None:
    found = session([a_person(study_id=text), a_booking()])

    assert (found.stance, found.values["patient_id"]) == (Stance.UNCLEAR, "")
    assert [(problem.target, problem.blocks) for problem in found.problems] == [("patient_id", True)]


@pytest.mark.parametrize(
    ("row", "target", "raw", "transforms", "expected"),
    [
        ("RC27", "scheduled_start_date", "2026-03-02", "", "2026-03-02"),
        ("RC27", "StudyDate", "2026-03-02", "", "20260302"),
        ("RC27", "StudyTime", "09:30", "", "093000"),
        ("RC27", "scheduled_start_date", "20260302", "", "2026-03-02"),
        ("RC30", "scheduled_start_time", "9:30", "", "09:30:00"),
        ("RC30", "scheduled_start_time", "09:30:15", "", "09:30:15"),
        ("RC30", "scheduled_start_time", "2026-03-02 09:30", "", "09:30:00"),
        ("RC32", "patient_birth_date", "1990-01-31", "", "1990-01-31"),
        ("RC32", "patient_birth_date", "2012", "year only 0101", "2012-01-01"),
        ("RC33", "patient_sex", "f", "", "F"),
        ("RC33", "patient_sex", "3", "codes 1=M, 2=F, 3=O", "O"),
        ("RC34", "patient_weight_kg", "61,5", "", "61.5"),
        ("RC34", "patient_weight_kg", "150", "pounds to kilograms", "68.04"),
        ("RC34", "PatientSize", "175", "centimetres to metres", "1.75"),
        ("RC35", "study_description", "Brain <b>and</b> spine &amp; neck", "", "Brain and spine & neck"),
        ("RC35", "study_description", "weight < 50, age > 10", "", "weight < 50, age > 10"),
        ("RC37", "patient_name", "Zoë", "", "Zoë"),
        ("RC37", "patient_name", "王小明", "", "王小明"),
        ("RC38", "patient_name", "Doe, Jane", "", "Doe^Jane"),
        ("RC38", "patient_name", "O'Brien,\u00a0 Mary\nAnn", "", "O'Brien^Mary Ann"),
        ("RC38", "patient_name", "Doe", "template {value}^", "Doe"),
        ("RC38", "performing_physician", "Doe^Jane", "", "Doe^Jane"),
        ("RC38", "performing_physician", "h", "codes h=House^Gregory", "House^Gregory"),
        ("RC38", "study_description", "a\u00a0 b\r\nc", "", "a b c"),
        ("RC38", "PatientComments", "a\r\nb\x07", "", "a\r\nb"),
        ("", "scheduled_station_aetitle", "MR1, MR2", "", "MR1\\MR2"),
        ("", "modality", "mr", "", "MR"),
        ("", "PregnancyStatus", "4", "", 4),
    ],
)
def test_a_value_is_made_fit(row: str, target: str, raw: str, transforms: str, expected: Any) -> None:
    found = mapped(target, raw, transforms)

    assert value_of(target, found) == expected
    assert (found.problems, found.stance) == ((), Stance.WANTED)


@pytest.mark.parametrize(
    ("row", "target", "raw", "transforms"),
    [
        ("RC32", "patient_birth_date", "2012", ""),
        ("RC32", "patient_birth_date", "2026-03-02", ""),
        ("RC32", "patient_birth_date", "1849-12-31", ""),
        ("RC32", "patient_birth_date", "31/01/1990", ""),
        ("RC33", "patient_sex", "2", ""),
        ("RC33", "patient_sex", "9", "codes 1=M, 2=F"),
        ("RC34", "patient_weight_kg", "0", ""),
        ("RC34", "patient_weight_kg", "-5", ""),
        ("RC34", "patient_weight_kg", "650.1", ""),
        ("RC34", "patient_weight_kg", "150 lbs", ""),
        ("RC38", "performing_physician", "Doe=Jane", ""),
        ("RC38", "performing_physician", "Doe\\Jane", ""),
        ("RC38", "performing_physician", "<Doe>", ""),
        ("RC38", "performing_physician", "Doe, Jane, MD", ""),
        ("RC38", "performing_physician", "a=b", "template {value}^x"),
        ("RC38", "station_name", "x" * 17, ""),
        ("RC38", "study_description", "a\\b", ""),
        ("", "PregnancyStatus", "many", ""),
        ("", "StudyDate", "soon", ""),
    ],
)
def test_a_value_that_cannot_be_used_is_empty_and_an_issue(
    row: str, target: str, raw: str, transforms: str
) -> None:
    found = mapped(target, raw, transforms)

    assert value_of(target, found) == ""
    assert found.stance is Stance.WANTED
    (problem,) = found.problems
    assert (problem.target, problem.field, problem.blocks) == (target, "notes", False)
    assert problem.place == SessionKey("", "mri", 1)


@pytest.mark.acceptance("RC34")
def test_pounds_become_kilograms_and_an_unmapped_weight_is_absent() -> None:
    assert mapped("patient_weight_lb", "150").values["patient_weight_kg"] == "68.04"
    assert mapped("patient_weight_lb", "").values["patient_weight_kg"] == ""
    assert "patient_weight_kg" not in session([a_person(), a_booking()]).values


@pytest.mark.acceptance("RC32")
def test_only_a_year_may_mean_no_birth_date() -> None:
    found = mapped("patient_birth_date", "2012", "year only empty")

    assert (found.values["patient_birth_date"], found.problems) == ("", ())


@pytest.mark.acceptance("RC30")
@pytest.mark.parametrize(
    "raw", ["24:00", "TBD", "UNK", "930", "9:60", "9:30 PM", "09:30:61", "2026-03-02 24:00"]
)
@pytest.mark.parametrize(
    ("policy", "stance"), [(WithoutTime.ISSUE, Stance.UNCLEAR), (WithoutTime.MIDNIGHT, Stance.WANTED)]
)
def test_a_time_that_cannot_be_read_is_an_issue(raw: str, policy: WithoutTime, stance: Stance) -> None:
    how = SessionLayout(SessionKind.REPEATING_INSTRUMENT, "mri", without_time=policy)

    found = session([a_person(), a_booking(mri_time=raw)], a_plan(sessions=how))

    assert found.stance is stance
    assert [(problem.target, problem.field) for problem in found.problems] == [
        ("scheduled_start_time", "mri_time")
    ]


@pytest.mark.acceptance("RC30")
@pytest.mark.parametrize("raw", ["2026-02-30", "UNK", "03/02/2026", "TBD", "2026-3-2", "0026-03-02"])
def test_a_date_that_cannot_be_read_keeps_what_is_known(raw: str) -> None:
    found = session([a_person(), a_booking(mri_date=raw)])

    assert found.stance is Stance.UNCLEAR
    assert [(problem.field, problem.place) for problem in found.problems] == [
        ("mri_date", SessionKey("", "mri", 1))
    ]


@pytest.mark.acceptance("RC30")
def test_other_sessions_of_the_record_go_on() -> None:
    found = sessions([a_person(), a_booking(1, mri_date="UNK"), a_booking(2)])

    assert [each.stance for each in found] == [Stance.UNCLEAR, Stance.WANTED]


@pytest.mark.acceptance("RC28")
@pytest.mark.parametrize(
    ("raw", "day", "at"),
    [
        ("2026-03-02 09:30", "2026-03-02", "09:30:00"),
        ("2026-03-02 09:30:15", "2026-03-02", "09:30:15"),
        ("2026-03-02", "2026-03-02", ""),
        ("", "", ""),
        ("02-03-2026 09:30", "", ""),
    ],
)
def test_one_field_gives_date_and_time(raw: str, day: str, at: str) -> None:
    rules = tuple(rule for rule in a_plan().rules if not rule.target.startswith("scheduled_start"))
    plan = MappingPlan((*rules, Rule("scheduled_start_datetime", "notes")), REPEATING_MRI)

    found = session([a_person(), a_booking(notes=raw)], plan)

    assert (found.values["scheduled_start_date"], found.values["scheduled_start_time"]) == (day, at)
    expected = Stance.WANTED if at else Stance.UNCLEAR if raw else Stance.NOT_WANTED
    assert found.stance is expected


@pytest.mark.acceptance("RC29")
def test_minutes_and_seconds_are_no_time_of_day() -> None:
    fields = [a_field("run", "mri", validation="time_mm_ss"), *FIELDS]
    plan = a_plan(Rule("scheduled_start_time", "run"))
    row = a_booking(run="09:30")

    dictionary = a_dictionary(*FIELDS[:1], *fields[:1], *FIELDS[1:], repeating={("", "mri")})

    assert session([a_person(), row], plan, dictionary).stance is Stance.UNCLEAR


@pytest.mark.acceptance("RC31")
def test_a_date_without_a_time_is_an_issue_or_some_time_that_day() -> None:
    some_time = SessionLayout(SessionKind.REPEATING_INSTRUMENT, "mri", without_time=WithoutTime.MIDNIGHT)
    rows = [a_person(), a_booking(mri_time="")]

    issue, midnight = session(rows), session(rows, a_plan(sessions=some_time))

    assert issue.stance is Stance.UNCLEAR
    assert [(problem.field, problem.text) for problem in issue.problems] == [
        ("mri_time", "There is a date, but no time.")
    ]
    assert (midnight.stance, midnight.problems) == (Stance.WANTED, ())
    assert midnight.values["scheduled_start_time"] == "00:00:00"


@pytest.mark.acceptance("RC35")
def test_a_choice_that_people_read_is_given_by_its_label() -> None:
    assert mapped("study_description", "1", field="scan_type").values["study_description"] == "Brain & spine"
    assert mapped("PatientComments", "2", "upper", field="scan_type").values["extra_attributes"] == {
        "PatientComments": "KNEE"
    }
    assert mapped("protocol_name", "1", "codes 1=T1", field="scan_type").values["protocol_name"] == "T1"


@pytest.mark.acceptance("RC36")
def test_a_checkbox_is_the_list_of_the_labels_checked() -> None:
    rule = Rule("PatientComments", "extras")
    row = a_booking(extras___1="1", extras___2="0", extras___a="1")

    assert session([a_person(), row], a_plan(rule)).values["extra_attributes"] == {
        "PatientComments": "EEG, Sedation"
    }


@pytest.mark.acceptance("RC60")
def test_a_cleared_date_is_not_wanted_whatever_else_is_wrong() -> None:
    found = session([a_person(study_id=""), a_booking(mri_date="", mri_time="TBD")])

    assert (found.stance, found.reason, found.problems) == (Stance.NOT_WANTED, "no date", ())


STATUS = Rule("performed_procedure_step_status", "status", transforms="codes 1=SCHEDULED, 2=CANCELLED")


@pytest.mark.acceptance("RC61")
@pytest.mark.parametrize(
    ("raw", "stance", "reason"),
    [
        ("1", Stance.WANTED, ""),
        ("", Stance.WANTED, ""),
        ("2", Stance.NOT_WANTED, "status is “Cancelled”"),
        ("3", Stance.UNCLEAR, ""),
    ],
)
def test_a_status_withdraws_and_gives_back(raw: str, stance: Stance, reason: str) -> None:
    found = session([a_person(), a_booking(status=raw)], a_plan(STATUS))

    assert (found.stance, found.reason) == (stance, reason)
    assert "performed_procedure_step_status" not in found.values


@pytest.mark.parametrize(
    ("conditions", "stance"),
    [
        ("mri_complete = 2", Stance.WANTED),
        ("mri_complete = 1", Stance.NOT_WANTED),
        ("mri_complete in 1, 2\nstatus != 2", Stance.WANTED),
        ("sex not in 1, 2", Stance.NOT_WANTED),
        ("notes empty", Stance.WANTED),
        ("notes not empty", Stance.NOT_WANTED),
        ("weight >= 18", Stance.WANTED),
        ("weight < 18", Stance.NOT_WANTED),
        ("mri_date > 2026-01-01", Stance.WANTED),
        ("extras = 2", Stance.WANTED),
        ("extras = 1", Stance.NOT_WANTED),
        ("family_id >= 18", Stance.UNCLEAR),
        ("mri_number > 2", Stance.NOT_WANTED),
    ],
)
def test_conditions_decide_whether_a_session_is_wanted(conditions: str, stance: Stance) -> None:
    how = SessionLayout(SessionKind.REPEATING_INSTRUMENT, "mri", conditions=conditions)
    row = a_booking(mri_complete="2", status="1", weight="18,5", extras___2="1")

    found = session([a_person(sex="1", family_id="F-7"), row], a_plan(sessions=how))

    assert found.stance is stance
    assert bool(found.reason) is (stance is Stance.NOT_WANTED)


def test_a_condition_never_looks_at_another_sessions_form() -> None:
    how = SessionLayout(SessionKind.REPEATING_INSTRUMENT, "mri", conditions="mri_complete = 2")

    found = sessions([a_person(), a_booking(1, mri_complete="2"), a_booking(2)], a_plan(sessions=how))

    assert [each.stance for each in found] == [Stance.WANTED, Stance.NOT_WANTED]


@pytest.mark.parametrize("target", ["patient_id", "patient_name", "modality"])
def test_nobody_is_on_the_worklist_without_what_identifies(target: str) -> None:
    found = session([a_person(), a_booking(notes="")], a_plan(Rule(target, "notes")))

    assert found.stance is Stance.UNCLEAR
    assert [(problem.target, problem.blocks) for problem in found.problems] == [(target, True)]


def test_a_plan_without_a_date_withdraws_nothing() -> None:
    plan = MappingPlan(tuple(rule for rule in a_plan().rules if "date" not in rule.target), REPEATING_MRI)

    assert session([a_person(), a_booking()], plan).stance is Stance.UNCLEAR


def test_defaults_and_fallbacks_fill_what_is_empty_and_never_what_is_wrong() -> None:
    assert mapped("station_name", "", default="MR1").values["station_name"] == "MR1"
    assert mapped("station_name", "x" * 17, default="MR1").values["station_name"] == ""
    plan = a_plan(Rule("station_name", "notes"), fallbacks={"protocol_name": "T1", "station_name": "MR1"})
    found = session([a_person(), a_booking()], plan)
    assert (found.values["protocol_name"], found.values["station_name"]) == ("T1", "")


@pytest.mark.acceptance("RC98")
@pytest.mark.parametrize(
    ("rows", "constant", "station"),
    [
        ((), "MR1\\MR2", "MR1\\MR2"),
        ((Rule("scheduled_station_aetitle", "notes"),), "MR1", "MR2"),
        ((Rule("scheduled_station_aetitle", default="MR3"),), "MR1", "MR3"),
    ],
)
def test_the_scanner_is_the_constant_where_no_row_of_the_mapping_is_for_it(
    rows: tuple[Rule, ...], constant: str, station: str
) -> None:
    plan = a_plan(*rows, fallbacks={"scheduled_station_aetitle": constant})

    found = session([a_person(), a_booking(notes="MR2")], plan)

    assert found.values["scheduled_station_aetitle"] == station


def test_a_required_value_that_is_empty_keeps_what_is_known() -> None:
    found = mapped("accession_number", "", required=True)

    assert (found.stance, [problem.blocks for problem in found.problems]) == (Stance.UNCLEAR, [True])


def test_a_trace_tells_how_each_value_came_about() -> None:
    plan = a_plan(Rule("accession_number", "notes", transforms="part 2 of -\npad 4"))

    (found,) = evaluate.sessions_of([a_person(), a_booking(notes="a-7")], plan, REPEATING, with_trace=True)

    trace = found.trace[-1]
    assert (trace.field, trace.raw, trace.after, trace.value) == ("notes", "a-7", ("7", "0007"), "0007")
    assert [each.target for each in found.trace] == [rule.target for rule in plan.rules]


def test_only_the_fields_of_the_mapping_are_asked_for() -> None:
    how = SessionLayout(
        SessionKind.REPEATING_INSTRUMENT, "mri", conditions="mri_complete = 2\nextras___1 = 1"
    )
    plan = a_plan(
        Rule("{session}", "redcap_repeat_instance"),
        Rule("patient_id", level=RECORD, transforms="template {study_id}_{session}_{site_id}_{record}"),
        sessions=how,
        constants={"site_id": "792"},
    )

    assert evaluate.fields_needed(plan, REPEATING) == (
        "record_id",
        "study_id",
        "last_name",
        "first_name",
        "mri_date",
        "mri_time",
        "extras",
        "mri_complete",
    )


def test_one_session_per_record_takes_its_values_from_all_its_events() -> None:
    rows = [person_in("enrolment_arm_1", study_id="one"), a_row(event="visit_1_arm_1", **SCAN)]
    plan = a_plan(Rule("patient_id", "study_id"), sessions=SessionLayout(SessionKind.RECORD))

    found = session(rows, plan, LONGITUDINAL)

    assert (found.stance, found.values["patient_id"]) == (Stance.WANTED, "one")
    assert found.key == SessionKey("enrolment_arm_1")


def test_a_problem_of_a_template_names_the_field_behind_its_name() -> None:
    plan = a_plan(
        Rule("patient_id", level=RECORD, transforms="template {study_id}_{session}"),
        Rule("{session}", "mri_number"),
    )

    (problem,) = session([a_person(), a_booking()], plan).problems

    assert (problem.target, problem.field, problem.place) == (
        "patient_id",
        "mri_number",
        SessionKey("", "mri", 1),
    )
