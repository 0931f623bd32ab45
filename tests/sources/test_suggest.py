"""A mapping is suggested for a project, and something is said about it."""

from __future__ import annotations

from typing import Any

import pytest

from sources.mapping.check import mistakes
from sources.mapping.rules import Level, Rule, SessionKind, WithoutTime
from sources.mapping.suggest import codes_by_label, suggest
from sources.redcap.dictionary import Dictionary, Field
from tests.sources.projects import REPEATING, a_dictionary, a_field

SEX = {"1": "Male", "2": "Female", "3": "Prefer not to say"}


def rules(dictionary: Dictionary) -> dict[str, Rule]:
    return {rule.target: rule for rule in suggest(dictionary).plan.rules}


def test_a_whole_project_gets_a_mapping_without_mistakes() -> None:
    suggestion = suggest(REPEATING)

    assert mistakes(suggestion.plan, REPEATING) == ()
    assert suggestion.plan.sessions.kind is SessionKind.REPEATING_INSTRUMENT
    assert {rule.target: (rule.field, rule.level) for rule in suggestion.plan.rules} == {
        "patient_id": ("study_id", Level.RECORD),
        "patient_name": ("", Level.RECORD),
        "patient_birth_date": ("dob", Level.RECORD),
        "patient_sex": ("sex", Level.RECORD),
        "modality": ("", Level.SESSION),
        "scheduled_start_date": ("mri_date", Level.SESSION),
        "scheduled_start_time": ("mri_time", Level.SESSION),
        "performed_procedure_step_status": ("status", Level.SESSION),
        "protocol_name": ("scan_type", Level.SESSION),
    }


def test_names_and_codes_are_written_out() -> None:
    found = rules(REPEATING)

    assert found["patient_name"].transforms == "template {last_name}^{first_name}"
    assert found["patient_sex"].transforms == "codes 1=M, 2=F, 3=O"
    assert found["performed_procedure_step_status"].transforms == "codes 1=SCHEDULED, 2=CANCELLED"


def test_each_decision_is_for_a_person_to_look_at() -> None:
    remarks = " ".join(suggest(REPEATING).remarks)

    for said in ("study_id", "last_name", "mri_date", "sex", "“Unsure”", "modality", "scan_type"):
        assert said in remarks
    assert "weight" in remarks and "unit" in remarks


@pytest.mark.parametrize(
    ("field", "target", "transforms"),
    [
        (a_field("mri_wt_lbs", "mri"), "patient_weight_lb", ""),
        (a_field("weight", "mri", label="Weight (kg)"), "patient_weight_kg", ""),
        (a_field("youth_dob_y", "mri"), "patient_birth_date", "year only empty"),
        (a_field("demo_sex", "mri", "radio", choices=SEX), "patient_sex", "codes 1=M, 2=F"),
        (a_field("referring_physician", "mri"), "referring_physician_name", ""),
    ],
)
def test_a_field_is_known_by_its_name_or_label(field: Field, target: str, transforms: str) -> None:
    found = rules(a_dictionary(a_field("record_id", "enrolment"), field))

    assert (found[target].field, found[target].transforms) == (field.name, transforms)


def test_the_original_studys_fields_are_found() -> None:
    names = ("record_id", "study_id", "family_id", "youth_dob_y")
    dictionary = a_dictionary(
        *[a_field(name, "enrolment") for name in names],
        a_field("demo_sex", "enrolment", "radio", choices=SEX),
        a_field("mri_instance", "mri"),
        a_field("mri_date", "mri", validation="date_ymd"),
        a_field("mri_time", "mri", validation="time"),
        a_field("mri_wt_lbs", "mri"),
        repeating={("", "mri")},
    )

    suggestion = suggest(dictionary)

    assert mistakes(suggestion.plan, dictionary) == ()
    assert suggestion.plan.sessions.instrument == "mri"


def test_one_datetime_field_gives_date_and_time() -> None:
    dictionary = a_dictionary(
        a_field("record_id", "enrolment"),
        a_field("appointment", "visit", label="MRI appointment", validation="datetime_dmy"),
    )

    suggestion = suggest(dictionary)

    assert rules(dictionary)["scheduled_start_datetime"].field == "appointment"
    assert suggestion.plan.sessions.kind is SessionKind.RECORD


def test_without_a_time_a_date_means_some_time_that_day() -> None:
    dictionary = a_dictionary(a_field("id", "a"), a_field("scan_date", "a", validation="date_mdy"))

    suggestion = suggest(dictionary)

    assert suggestion.plan.sessions.without_time is WithoutTime.MIDNIGHT
    assert mistakes(suggestion.plan, dictionary) == ()


def test_a_project_without_anything_known_gets_a_start_and_a_remark() -> None:
    suggestion = suggest(a_dictionary(a_field("id", "a")))

    assert any("date of the scan" in remark for remark in suggestion.remarks)


@pytest.mark.parametrize(
    ("target", "label", "expected"),
    [
        ("patient_sex", "Male", "M"),
        ("patient_sex", "female", "F"),
        ("patient_sex", "F", "F"),
        ("patient_sex", "Male (at birth)", "M"),
        ("patient_sex", "Male to female", None),
        ("patient_sex", "Other", "O"),
        ("patient_sex", "Unknown", None),
        ("performed_procedure_step_status", "Cancelled", "CANCELLED"),
        ("performed_procedure_step_status", "Canceled by family", "CANCELLED"),
        ("performed_procedure_step_status", "No-show", "CANCELLED"),
        ("performed_procedure_step_status", "no show", "CANCELLED"),
        ("performed_procedure_step_status", "Declined", "CANCELLED"),
        ("performed_procedure_step_status", "Withdrawn", "CANCELLED"),
        ("performed_procedure_step_status", "Completed", "CANCELLED"),
        ("performed_procedure_step_status", "Not scheduled", "CANCELLED"),
        ("performed_procedure_step_status", "Confirmed", "SCHEDULED"),
        ("performed_procedure_step_status", "Requested", "SCHEDULED"),
        ("performed_procedure_step_status", "Booked", "SCHEDULED"),
        ("performed_procedure_step_status", "Not confirmed", None),
        ("performed_procedure_step_status", "To be rescheduled", None),
        ("performed_procedure_step_status", "Other", None),
    ],
)
def test_a_label_says_what_a_code_means_or_a_remark_asks(
    target: str, label: str, expected: str | None
) -> None:
    table, remarks = codes_by_label(target, {"1": label})

    assert table == ({"1": expected} if expected else {})
    assert [label in remark for remark in remarks] == ([] if expected else [True])


SCANNERS = {"MR1": "Prisma", "MR2": "Skyra Wing B"}


def with_scanner(**given: Any) -> Dictionary:
    return a_dictionary(
        a_field("record_id", "enrolment"),
        a_field("mri_date", "mri", validation="date_ymd"),
        a_field("mri_time", "mri", validation="time"),
        a_field(**{"name": "mri_scanner", "form": "mri", **given}),
        repeating={("", "mri")},
    )


@pytest.mark.acceptance("RC100")
@pytest.mark.parametrize(
    ("choices", "codes"),
    [
        ({"1": "MR1", "2": "mr2"}, "codes 1=MR1, 2=MR2"),
        ({"1": "3T (MR1)", "2": "skyra wing b"}, "codes 1=MR1, 2=MR2"),
        ({"1": "Prisma", "2": "Other site"}, "codes 1=MR1"),
        ({"1": "MR1 or MR2", "2": "MR10", "3": "Skyra"}, None),
    ],
)
def test_a_choice_whose_labels_name_the_scanners_says_which(
    choices: dict[str, str], codes: str | None
) -> None:
    dictionary = with_scanner(type="radio", choices=choices)

    suggestion = suggest(dictionary, scanners=SCANNERS)

    found = {rule.target: rule for rule in suggestion.plan.rules}.get("scheduled_station_aetitle")
    assert (found.transforms if found else None) == codes
    assert mistakes(suggestion.plan, dictionary) == ()
    if codes and "2=" not in codes:
        assert any("“Other site” is no device" in remark for remark in suggestion.remarks)


@pytest.mark.parametrize(
    ("name", "is_taken"),
    [("station_ae_title", True), ("mri_scanner_aet", True), ("ae_title", False), ("adverse_ae", False)],
)
def test_a_text_that_is_called_an_ae_title_is_the_scanner_and_an_adverse_event_is_not(
    name: str, is_taken: bool
) -> None:
    assert ("scheduled_station_aetitle" in rules(with_scanner(name=name))) is is_taken


@pytest.mark.acceptance("RC99")
def test_the_only_scanner_is_proposed_for_all_where_no_field_says_which() -> None:
    proposed = suggest(REPEATING, only_scanner="MR1")
    assert proposed.plan.fallbacks == {"scheduled_station_aetitle": "MR1"}
    assert any("scanner is MR1" in remark for remark in proposed.remarks)

    dictionary = with_scanner(type="radio", choices={"1": "MR1"})
    assert suggest(dictionary, scanners=SCANNERS, only_scanner="MR1").plan.fallbacks == {}
    assert suggest(REPEATING).plan.fallbacks == {}
