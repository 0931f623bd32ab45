"""Each mistake is found when a mapping is saved, at its place, with a sentence about it."""

from __future__ import annotations

import pytest

from sources.contract import Mistake
from sources.dictionary import Dictionary
from sources.mapping import targets
from sources.mapping.check import mistakes
from sources.mapping.rules import Level, MappingPlan, Rule, SessionKind, SessionLayout, WithoutTime
from tests.sources.projects import (
    FIELDS,
    RECORD,
    REPEATING,
    REPEATING_MRI,
    RULES,
    a_dictionary,
    a_field,
    a_plan,
)

LAST = len(RULES)  # where a rule that is added stands
DICTIONARY = a_dictionary(
    *FIELDS,
    a_field("run", "mri", validation="time_mm_ss"),
    a_field("report", "mri", "file"),
    repeating={("", "mri")},
)
CLASSIC = a_dictionary(*FIELDS)
VISITS = a_dictionary(*FIELDS, events={"baseline_arm_1": ["enrolment"], "visit_1_arm_1": ["mri"]})


def with_rule(target: str, field: str = "", transforms: str = "", **more: object) -> MappingPlan:
    return a_plan(Rule(target, field, transforms=transforms, **more))  # type: ignore[arg-type]


def test_a_good_plan_has_no_mistakes() -> None:
    plan = a_plan(
        Rule("patient_sex", "sex", level=RECORD, transforms="codes 1=M, 2=F, 3=O"),
        Rule("patient_id", level=RECORD, transforms="template {study_id}[_{session}]_{site_id}"),
        Rule("{session}", "mri_number"),
        Rule("PatientComments", "extras"),
        Rule("station_name", "redcap_data_access_group"),
        constants={"site_id": "792"},
        fallbacks={"protocol_name": "T1", "hisris_coding_designator": "GEHC"},
    )

    assert mistakes(plan, DICTIONARY) == ()
    assert mistakes(plan, None) == ()


@pytest.mark.parametrize(
    ("plan", "field", "text"),
    [
        pytest.param(with_rule("patient_weigth_kg", "weight"), "target", "patient_weight_kg", id="target"),
        pytest.param(with_rule("PatientID", "notes"), "target", "patient_id", id="keyword of a field"),
        pytest.param(with_rule("study_instance_uid", "notes"), "target", "made here", id="made here"),
        pytest.param(with_rule("OtherPatientIDsSequence", "notes"), "target", "sequence", id="sequence"),
        pytest.param(with_rule("{Session}", "notes"), "target", "{session}", id="braces"),
        pytest.param(with_rule("{record}", "notes"), "target", "already", id="reserved"),
        pytest.param(with_rule("accession_number", "notes", "uper"), "transforms", "upper", id="transform"),
        pytest.param(with_rule("accession_number"), "field", "Choose", id="nothing to read"),
        pytest.param(with_rule("accession_number", "", "upper"), "field", "template", id="no field"),
        pytest.param(
            with_rule("accession_number", "", "template {value}"),
            "transforms",
            "{value}",
            id="value of nothing",
        ),
        pytest.param(with_rule("patient_sex", "notes", "codes 1=male"), "transforms", "M, F or O", id="sex"),
        pytest.param(
            with_rule("performed_procedure_step_status", "notes", "codes 1=COMPLETED"),
            "transforms",
            "SCHEDULED or CANCELLED",
            id="status",
        ),
        pytest.param(with_rule("station_name", "notes", default="x" * 17), "default", "16", id="default"),
        pytest.param(with_rule("{a}", "", "template {a}"), "transforms", "from itself", id="circle"),
        pytest.param(with_rule("patient_weight_kg", "notes", "pad x"), "transforms", "pad 4", id="pad"),
    ],
)
def test_a_rules_mistake_is_known_without_the_project(plan: MappingPlan, field: str, text: str) -> None:
    found = mistakes(plan, None)

    assert [(mistake.rule, mistake.field) for mistake in found] == [(LAST, field)]
    assert text in found[0].text


@pytest.mark.parametrize(
    ("plan", "field", "text"),
    [
        pytest.param(with_rule("accession_number", "mri_nubmer"), "field", "mri_number", id="RC7"),
        pytest.param(with_rule("accession_number", "", "template {mri_nubmer}"), "transforms", "mri_number",
                     id="RC7, in a template"),
        pytest.param(with_rule("accession_number", "report"), "field", "file", id="file"),
        pytest.param(with_rule("patient_weight_kg", "weight", level=RECORD), "level", "first one's",
                     id="a session's field for the record"),
        pytest.param(with_rule("accession_number", "family_id"), "level", "always be empty",
                     id="a record's field on the session"),
        pytest.param(with_rule("patient_sex", "sex", level=RECORD), "transforms", "codes 1=M", id="RC33"),
        pytest.param(with_rule("performed_procedure_step_status", "status"), "transforms", "CANCELLED",
                     id="RC61"),
        pytest.param(with_rule("scheduled_station_aetitle", "scan_type"), "transforms", "label", id="code"),
        pytest.param(with_rule("accession_number", "mri_number", events=("visit",)), "events", "no events",
                     id="events"),
    ],
)  # fmt: skip
def test_a_rules_mistake_is_known_by_the_project(plan: MappingPlan, field: str, text: str) -> None:
    found = mistakes(plan, DICTIONARY)

    assert mistakes(plan, None) == ()
    assert [(mistake.rule, mistake.field) for mistake in found] == [(LAST, field)]
    assert text in found[0].text


@pytest.mark.acceptance("RC29")
def test_minutes_and_seconds_are_refused_as_a_start_time() -> None:
    rules = (*RULES[:3], Rule("scheduled_start_time", "run"), RULES[4])

    (found,) = mistakes(MappingPlan(rules, REPEATING_MRI), DICTIONARY)

    assert (found.rule, found.field) == (3, "field")


@pytest.mark.parametrize(
    "rules",
    [
        (*RULES, Rule("modality", default="CT")),
        (*RULES, Rule("scheduled_start_datetime", "mri_date")),
        (*RULES, Rule("patient_weight_kg", "weight"), Rule("patient_weight_lb", "weight")),
    ],
)
def test_two_rules_for_one_value_are_refused(rules: tuple[Rule, ...]) -> None:
    found = mistakes(MappingPlan(rules, REPEATING_MRI), DICTIONARY)

    assert {(mistake.rule, mistake.field) for mistake in found} == {(len(rules) - 1, "target")}


@pytest.mark.parametrize("target", ["patient_id", "patient_name", "modality", "scheduled_start_date"])
def test_what_every_item_needs_must_be_mapped(target: str) -> None:
    plan = MappingPlan(tuple(rule for rule in RULES if rule.target != target), REPEATING_MRI)

    (found,) = mistakes(plan, DICTIONARY)

    assert (found.rule, found.field) == (None, "rules")
    assert target in found.text


def test_a_modality_may_be_the_same_for_all() -> None:
    assert mistakes(MappingPlan(RULES[:4], REPEATING_MRI, fallbacks={"modality": "MR"}), DICTIONARY) == ()


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (Rule("patient_id", default="X"), "field"),
        (Rule("patient_id", transforms="template {site_id}_{instance}"), "field"),
        (Rule("patient_id", transforms="template {session}"), "field"),
        (Rule("patient_id", "study_id", RECORD, default="X"), "default"),
    ],
)
def test_several_people_never_share_an_id(rule: Rule, field: str) -> None:
    plan = a_plan(rule, Rule("{session}", transforms="template {site_id}"), constants={"site_id": "1"})

    assert (3 + 1, field) in {(mistake.rule, mistake.field) for mistake in mistakes(plan, DICTIONARY)}


@pytest.mark.acceptance("RC34")
@pytest.mark.parametrize(
    ("target", "default"),
    [("patient_weight_kg", "100"), ("patient_weight_lb", "100"), ("patient_birth_date", "1990-01-01")],
)
def test_nothing_about_a_person_is_made_up(target: str, default: str) -> None:
    (found,) = mistakes(with_rule(target, "notes", default=default), DICTIONARY)

    assert (found.rule, found.field) == (LAST, "default")


def test_a_later_template_may_use_the_value_of_an_earlier_one() -> None:
    plan = with_rule("accession_number", "", "template {mri_number}\ntemplate A{value}")

    assert mistakes(plan, DICTIONARY) == ()


def test_the_record_id_makes_an_id_of_one_person() -> None:
    plan = a_plan(Rule("patient_id", transforms="template sub_{record}"))

    assert mistakes(plan, DICTIONARY) == ()


@pytest.mark.parametrize(
    ("fallbacks", "text"),
    [
        ({"patient_id": "X"}, "participant's own"),
        ({"patient_weight_kg": "100"}, "participant's own"),
        ({"no_such_field": "X"}, "no field"),
        ({"hisris_coding_designator": "x" * 17}, "16"),
    ],
)
def test_a_value_for_all_is_nobodys_own(fallbacks: dict[str, str], text: str) -> None:
    (found,) = mistakes(a_plan(fallbacks=fallbacks), DICTIONARY)

    assert (found.rule, found.field) == (None, "fallbacks")
    assert text in found.text


@pytest.mark.parametrize(
    ("sessions", "dictionary", "field", "text"),
    [
        (SessionLayout(SessionKind.EVENT), CLASSIC, "kind", "no events"),
        (SessionLayout(SessionKind.REPEATING_EVENT), VISITS, "kind", "repeats"),
        (SessionLayout(SessionKind.REPEATING_INSTRUMENT, "mri"), CLASSIC, "instrument", "does not repeat"),
        (SessionLayout(SessionKind.REPEATING_INSTRUMENT, "mir"), REPEATING, "instrument", "mri"),
        (SessionLayout(SessionKind.REPEATING_INSTRUMENT), REPEATING, "instrument", "Choose"),
        (SessionLayout(SessionKind.EVENT, "mri", ("visit_2_arm_1",)), VISITS, "events", "visit_1_arm_1"),
        (SessionLayout(SessionKind.RECORD, conditions="mri_complete is 2"), CLASSIC, "conditions", "="),
        (
            SessionLayout(SessionKind.RECORD, conditions="mri_complete >= two"),
            CLASSIC,
            "conditions",
            "numbers",
        ),
        (
            SessionLayout(SessionKind.RECORD, conditions="mri_compete = 2"),
            CLASSIC,
            "conditions",
            "mri_compete",
        ),
    ],
)
def test_where_sessions_cannot_be_found_is_refused(
    sessions: SessionLayout, dictionary: Dictionary, field: str, text: str
) -> None:
    found = [mistake for mistake in mistakes(a_plan(sessions=sessions), dictionary) if mistake.rule is None]

    assert [mistake.field for mistake in found] == [field]
    assert text in found[0].text


def test_a_plan_without_a_time_must_say_what_a_date_alone_means() -> None:
    rules = tuple(rule for rule in RULES if rule.target != "scheduled_start_time")
    midnight = SessionLayout(SessionKind.REPEATING_INSTRUMENT, "mri", without_time=WithoutTime.MIDNIGHT)

    (found,) = mistakes(MappingPlan(rules, REPEATING_MRI), REPEATING)

    assert found[:2] == (None, "without_time")
    assert mistakes(MappingPlan(rules, midnight), REPEATING) == ()


def test_named_values_in_a_circle_are_told_at_each_rule() -> None:
    rules = (Rule("{a}", transforms="template {b}"), Rule("{b}", transforms="template {a}"))

    found = mistakes(a_plan(*rules), DICTIONARY)

    assert [(mistake.rule, mistake.field) for mistake in found] == [
        (LAST, "transforms"),
        (LAST + 1, "transforms"),
    ]


def test_a_mistake_is_a_place_a_field_and_a_sentence() -> None:
    (found,) = mistakes(with_rule("accession_number", "nowhere", level=Level.SESSION), DICTIONARY)

    assert found == Mistake(LAST, "field", "The project has no field nowhere.")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("patient_id", True),
        ("scheduled_start_datetime", True),
        ("patient_weight_lb", True),
        ("MedicalAlerts", True),
        ("PregnancyStatus", True),
        ("{session}", True),
        ("study_instance_uid", False),
        ("scheduled_procedure_step_id", False),
        ("data_source", False),
        ("PatientName", False),
        ("PixelData", False),
        ("SpecificCharacterSet", False),
        ("", False),
    ],
)
def test_what_a_rule_may_fill(name: str, expected: bool) -> None:
    assert targets.is_target(name) is expected
