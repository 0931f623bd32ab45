"""A mapping is suggested for a project, and something is said about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sources.dictionary import Dictionary, Field
from sources.mapping.check import mistakes
from sources.mapping.rules import Level, Rule, SessionKind, WithoutTime
from sources.mapping.suggest import codes_by_label, suggest
from sources.mapping.suggestion.proposals import TargetProposal
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
        ("patient_sex", "Intersex - male", "O"),
        ("patient_sex", "Männlich", "M"),
        ("patient_sex", "weiblich (bei Geburt)", "F"),
        ("patient_sex", "divers", "O"),
        ("patient_sex", "Féminin", "F"),
        ("patient_sex", "Homme", "M"),
        ("patient_sex", "Varón", "M"),
        ("patient_sex", "Mujer", "F"),
        ("patient_sex", "Niño o niña", None),
        ("performed_procedure_step_status", "Nicht erschienen", "CANCELLED"),
        ("performed_procedure_step_status", "Bestätigt", "SCHEDULED"),
        ("performed_procedure_step_status", "Nicht bestätigt", None),
        ("performed_procedure_step_status", "Verschoben", None),
        ("performed_procedure_step_status", "Annulé", "CANCELLED"),
        ("performed_procedure_step_status", "Rendez-vous prévu", "SCHEDULED"),
        ("performed_procedure_step_status", "En attente", None),
        ("performed_procedure_step_status", "No asistió", "CANCELLED"),
        ("performed_procedure_step_status", "No confirmada", None),
        ("performed_procedure_step_status", "Programada", "SCHEDULED"),
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
        ("performed_procedure_step_status", "Scanned", "CANCELLED"),
        ("performed_procedure_step_status", "Will be scanned", None),
        ("performed_procedure_step_status", "Not done", None),
        ("performed_procedure_step_status", "Fait", "CANCELLED"),
        ("performed_procedure_step_status", "Pas encore faite", None),
        ("performed_procedure_step_status", "Ausgefallen", "CANCELLED"),
        ("performed_procedure_step_status", "Citado", "SCHEDULED"),
    ],
)
def test_a_label_says_what_a_code_means_or_a_remark_asks(
    target: str, label: str, expected: str | None
) -> None:
    table, remarks = codes_by_label(target, {"1": label})

    assert table == ({"1": expected} if expected else {})
    assert [label in remark for remark in remarks] == ([] if expected else [True])


@pytest.mark.acceptance("RC116")
@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("M F", "MF"),
        ("m w d", "MFO"),
        ("H F", "MF"),
        ("H M", "MF"),
        ("V M", "MF"),
        ("M", "M"),
        ("H M F", "M-F"),
    ],
)
def test_a_letter_means_what_the_others_make_of_it(labels: str, expected: str) -> None:
    table, _ = codes_by_label("patient_sex", {label: label for label in labels.split()})

    assert "".join(table.get(label, "-") for label in labels.split()) == expected


WITH_A_SCAN = (
    a_field("record_id", "enrolment"),
    a_field("mri_date", "mri", label="Date of MRI", validation="date_ymd"),
)


def proposal(target: str, *fields: Field, **given: Any) -> TargetProposal | None:
    found = suggest(a_dictionary(*WITH_A_SCAN, *fields), **given).proposals
    return next((each for each in found if each.target == target), None)


@pytest.mark.acceptance("RC116")
@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("weight", "Weight of your mother (kg)"),
        ("weight_loss", "Weight loss (kg)"),
        ("birth_weight", "Birth weight in kg"),
        ("weight", "Gewicht des Vaters (kg)"),
        ("poids", "Poids du conjoint (kg)"),
        ("peso", "Peso de la pareja (kg)"),
        ("baby_weight", "Weight (kg)"),
        ("weight", "Weight (g)"),
        ("weight", "Weight (kg), do not use"),
    ],
)
def test_a_relatives_or_another_weight_is_not_even_offered(name: str, label: str) -> None:
    assert proposal("patient_weight_kg", a_field(name, "a", label=label, validation="number")) is None


def number(name: str, label: str) -> Field:
    return a_field(name, "a", label=label, validation="number")


def day(name: str, label: str, form: str = "a") -> Field:
    return a_field(name, form, label=label, validation="date_ymd")


def clock(name: str, label: str) -> Field:
    return a_field(name, "mri", label=label, validation="time")


def sexes(name: str, label: str) -> Field:
    return a_field(name, "a", "radio", label=label, choices=SEX)


OF_SOMETHING_ELSE = (
    number("weight", "Weight of device (kg)"),
    number("liver_weight", "Weight (kg)"),
    number("weight_24m", "Weight at 24 months (kg)"),
    number("weight", "Weight at diagnosis (kg)"),
    number("q1", "How many kg of weight would you like to lose?"),
    number("dose", "Dose per body weight (mg/kg)"),
    number("q1", "How much does your dog weigh (kg)?"),
    day("index_dob", "Date of birth of index case"),
    day("birth_cert_date", "Date on the birth certificate"),
    day("dob_2", "Second child's date of birth"),
    sexes("sex", "Sex of avatar"),
    sexes("voice_gender", "Gender of the recorded voice"),
    sexes("same_sex", "Same-sex relationships"),
    sexes("gender", "What is your gender identity?"),
    a_field("name", "a", label="Name of medication"),
    a_field("name", "a", label="Study name"),
    a_field("participant_id", "siblings", label="Participant ID"),
    a_field("dob", "parent_survey", label="What is your date of birth?", validation="date_ymd"),
    a_field("weight", "mothers_health", label="Weight (kg)", validation="number"),
    clock("injection_time", "Time of injection"),
    clock("lunch_time", "Lunch"),
    clock("t1_start_time", "Start of T1 sequence"),
    clock("mri_time_in", "Time in scanner (hh:mm)"),
    clock("mri_time_2", "Time"),
    clock("mri_sched_end", "Scheduled end"),
)
DATES_OF_SOMETHING_ELSE = (
    day("last_scan_date", "Date of last scan"),
    day("ct_scan_date", "CT scan date"),
    day("bone_scan", "Date of bone scan"),
    day("scan_id_date", "Date of ID scan (passport)"),
    day("mri_implant_date", "When was your implant put in?", "mri_safety"),
    day("date", "Date", "mri_consent"),
    day("mri_incidental_date", "Date the participant was told of an incidental finding", "mri"),
    day("er_visit", "Date of ER visit"),
    day("therapy_session_date", "Date of first therapy session"),
    day("dental_appt", "Date of dental appointment"),
    day("exam_date", "Date of final exam", "school"),
    day("mri_end_date", "Date of MRI"),
)


@pytest.mark.acceptance("RC116")
@pytest.mark.parametrize("field", OF_SOMETHING_ELSE, ids=lambda field: f"{field.name}, {field.label}")
def test_what_speaks_of_something_else_is_not_taken(field: Field) -> None:
    plan = suggest(a_dictionary(*WITH_A_SCAN, field)).plan

    assert field.name not in {rule.field for rule in plan.rules}


@pytest.mark.acceptance("RC116")
@pytest.mark.parametrize("field", DATES_OF_SOMETHING_ELSE, ids=lambda field: f"{field.name}, {field.label}")
def test_no_other_date_is_taken_for_the_scans(field: Field) -> None:
    suggestion = suggest(a_dictionary(a_field("record_id", "a"), field))

    assert field.name not in {rule.field for rule in suggestion.plan.rules}
    assert any("date of the scan" in remark for remark in suggestion.remarks)


@pytest.mark.acceptance("RC116")
@pytest.mark.parametrize(
    ("field", "target"),
    [
        (number("v1_wt_kg", "Weight"), "patient_weight_kg"),
        (number("q5", "Please enter your current weight in pounds"), "patient_weight_lb"),
        (day("enr_dob", "Date of birth"), "patient_birth_date"),
        (day("q3", "What is your date of birth?"), "patient_birth_date"),
        (day("q3", "Wann sind Sie geboren? (Geburtsdatum)"), "patient_birth_date"),
        (a_field("teen_dob", "parent_survey", label="Your teen's date of birth", validation="date_ymd"),
         "patient_birth_date"),
        (sexes("pt_gender", "Gender"), "patient_sex"),
        (sexes("q4", "What sex were you assigned at birth?"), "patient_sex"),
        (sexes("sexo_biol", "Sexo biológico"), "patient_sex"),
        (sexes("sexo_nacer", "Sexo asignado al nacer"), "patient_sex"),
        (day("q3", "Geboren am"), "patient_birth_date"),
        (day("q3", "geb. am"), "patient_birth_date"),
        (day("q3", "Né(e) le"), "patient_birth_date"),
        (day("birthdt", "Date of birth (if unknown enter 01-JUL)"), "patient_birth_date"),
        (sexes("vet_sex", "Veteran's sex"), "patient_sex"),
        (a_field("nhc", "a", label="Número de historia clínica"), "patient_id"),
        (a_field("name", "a", label="Name"), "patient_name"),
        (a_field("study_id", "a", label="Study ID"), "patient_id"),
        (clock("appt_time", "Time"), "scheduled_start_time"),
        (clock("mri_sched_time", "Scheduled time"), "scheduled_start_time"),
    ],
    ids=lambda given: given if isinstance(given, str) else given.name,
)  # fmt: skip
def test_what_is_plain_is_taken(field: Field, target: str) -> None:
    plan = suggest(a_dictionary(*WITH_A_SCAN, field)).plan

    assert [rule.field for rule in plan.rules if rule.target == target] == [field.name]


@pytest.mark.acceptance("RC116")
@pytest.mark.parametrize("type", ["yesno", "radio", "checkbox", "notes", "file"])
def test_a_weight_is_a_number(type: str) -> None:
    field = a_field("weight_kg", "a", type, label="Weight (kg)", choices={"1": "Yes", "0": "No"})

    assert proposal("patient_weight_kg", field) is None


@pytest.mark.acceptance("RC116")
@pytest.mark.parametrize(
    ("field", "unit"),
    [
        (a_field("weight", "a", label="Weight", validation="number"), ""),
        (a_field("weight", "a", label="Weight (kg or lb)", validation="number"), ""),
        (a_field("gewicht", "a", label="Gewicht in Pfund", validation="number"), ""),
        (replace(a_field("weight", "a", validation="number"), note="in kilograms"), "patient_weight_kg"),
        (replace(a_field("weight", "a", validation="number"), note="lbs"), "patient_weight_lb"),
        (replace(a_field("weight", "a", validation="number"), annotation="@PLACEHOLDER='kg'"),
         "patient_weight_kg"),
    ],
)  # fmt: skip
def test_a_weights_unit_is_read_wherever_it_is_said_or_asked(field: Field, unit: str) -> None:
    found = proposal("patient_weight_kg", field)

    assert found is not None
    if unit:
        (candidate,) = found.candidates
        assert (found.taken, candidate.rules[0].target) == (candidate.key, unit)
    else:
        assert not found.is_taken
        assert "in which unit" in found.remark
        assert {each.rules[0].target for each in found.candidates} == {
            "patient_weight_kg",
            "patient_weight_lb",
        }


@pytest.mark.acceptance("RC116")
def test_two_that_are_equally_good_are_left_open_and_said() -> None:
    first = a_field("dob", "a", label="Date of birth", validation="date_ymd")
    found = proposal("patient_birth_date", first, replace(first, name="birthdate"))

    assert found is not None
    assert not found.is_taken
    assert "dob and birthdate are as good as each other" in found.remark


@pytest.mark.acceptance("RC116")
@pytest.mark.parametrize(("date", "is_taken"), [("mri_date", False), ("child_mri_date", True)])
def test_a_childs_field_is_a_participants_where_the_child_is_scanned(date: str, is_taken: bool) -> None:
    dictionary = a_dictionary(
        a_field("record_id", "a"),
        a_field("child_sex", "a", "radio", label="Child's sex", choices=SEX),
        a_field(date, "mri", validation="date_ymd"),
    )

    (found,) = [each for each in suggest(dictionary).proposals if each.target == "patient_sex"]
    assert found.is_taken is is_taken
    assert found.candidates[0].fields == ("child_sex",)


@pytest.mark.acceptance("RC117")
def test_a_candidate_says_why_and_another_is_one_choice_away() -> None:
    dictionary = a_dictionary(
        *WITH_A_SCAN,
        a_field("visit_datetime", "visit", label="Date and time of the visit", validation="datetime_ymd"),
        a_field("visit_number", "visit"),
        repeating={("", "visit")},
    )
    (found,) = [each for each in suggest(dictionary).proposals if each.target == "scheduled_start_date"]
    first, second = found.candidates

    assert found.taken == first.key
    assert first.reason == "Its name is mri_date and the source checks it as a date."
    assert second.fields == ("visit_datetime",)

    other = suggest(dictionary, chosen={"scheduled_start_date": second.key})
    assert other.plan.sessions.instrument == "visit"
    assert [rule.field for rule in other.plan.rules if rule.target == "scheduled_start_datetime"] == [
        "visit_datetime"
    ]
    none = suggest(dictionary, chosen={"scheduled_start_date": ""})
    assert all(mistake.is_gap for mistake in mistakes(none.plan, dictionary))
    stale = suggest(dictionary, chosen={"scheduled_start_date": "of another dictionary"})
    assert stale.plan == suggest(dictionary).plan


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


def fields(*given: Field, **more: Any) -> dict[str, str]:
    """Return the field of each target, or its template, in a project with a scan."""
    plan = suggest(replace(a_dictionary(*WITH_A_SCAN, *given), **more)).plan
    return {rule.target: rule.field or rule.transforms for rule in plan.rules}


CHILDS = (
    a_field("child_last", "family", label="Child's last name"),
    a_field("child_first", "family", label="Child's first name"),
    a_field("child_birthday", "family", label="Child's date of birth", validation="date_mdy"),
    a_field("parent_dob", "family", label="Date of birth", validation="date_mdy"),
)


@pytest.mark.acceptance("RC253")
@pytest.mark.parametrize(
    ("title", "is_taken"),
    [
        ("Adolescent reward study", True),
        ("Aufmerksamkeit im Jugendalter", True),
        ("Adolescent pregnancy study", False),
        ("Teen parents and their brains", False),
        ("Reward study", False),
    ],
)
def test_in_a_study_of_minors_the_child_is_who_is_scanned(title: str, is_taken: bool) -> None:
    found = fields(*CHILDS, title=title)

    assert (found.get("patient_birth_date") == "child_birthday") is is_taken
    assert (found["patient_name"] == "template {child_last}^{child_first}") is is_taken
    assert "parent_dob" not in found.values()


@pytest.mark.acceptance("RC253")
@pytest.mark.parametrize(
    ("title", "field", "taken"),
    [
        ("Adolescent reward study", a_field("ars_id", "a", label="ARS participant ID"), "ars_id"),
        ("Imaging of the knee", a_field("iotk_id", "a", label="Participant ID"), "iotk_id"),
        ("Imaging of the knee", a_field("ars_id", "a", label="ARS participant ID"), "record_id"),
        ("A study", a_field("scr_subject_no", "enrolment", label="Subject no."), "scr_subject_no"),
        ("A study", a_field("lab_subject_no", "lab", label="Subject no."), "record_id"),
        ("Kidney imaging", a_field("recip_mrn", "recipient", label="Recipient MRN"), ""),
        ("A study", a_field("sub_study_id", "enrolment", label="Sub-study ID"), "record_id"),
    ],
)  # fmt: skip
def test_an_id_is_this_studys_own_or_is_asked_for(title: str, field: Field, taken: str) -> None:
    assert fields(field, title=title).get("patient_id", "") == taken


@pytest.mark.acceptance("RC253")
def test_a_family_name_beside_a_given_name_is_no_whole_name() -> None:
    pair = (a_field("pat_name", "a", label="Nachname"), a_field("pat_vorname", "a", label="Vorname"))

    assert fields(*pair)["patient_name"] == "template {pat_name}^{pat_vorname}"


@pytest.mark.acceptance("RC253")
def test_the_sex_at_birth_comes_before_the_gender_however_it_is_called() -> None:
    gender = a_field("genero", "a", "radio", label="Género", choices=SEX)
    at_birth = a_field("sexo_biol", "a", "radio", label="Sexo biológico", choices=SEX)

    assert fields(gender, at_birth)["patient_sex"] == "sexo_biol"


@pytest.mark.acceptance("RC254")
@pytest.mark.parametrize(("arm", "is_taken"), [(1, True), (2, False)])
def test_what_two_arms_ask_in_two_fields_is_left_open(arm: int, is_taken: bool) -> None:
    """A field of one arm alone would leave the participants of the other without a birth date."""
    dictionary = a_dictionary(
        *WITH_A_SCAN,
        a_field("dob", "patient", label="Date of birth", validation="date_ymd"),
        a_field("ctl_dob", "control", label="Date of birth", validation="date_ymd"),
        events={
            "patients_arm_1": ("enrolment", "mri", "patient"),
            f"controls_arm_{arm}": ("mri", "control"),
        },
    )

    found = suggest(dictionary)

    (born,) = [each for each in found.proposals if each.target == "patient_birth_date"]
    assert born.is_taken is is_taken
    assert any("else ctl_dob" in each.reason for each in born.candidates) is not is_taken


@pytest.mark.acceptance("RC253")
def test_german_says_in_one_word_what_is_measured_and_when() -> None:
    found = suggest(
        a_dictionary(
            a_field("pseudonym", "a"),
            a_field("mess_ende", "mrt_messung", label="Messende", validation="time"),
            a_field("mess_start", "mrt_messung", label="Messbeginn", validation="time"),
            a_field("mess_datum", "mrt_messung", label="Messdatum", validation="date_dmy"),
            a_field("befund", "mrt_messung", label="Befunddatum", validation="date_dmy"),
        )
    )

    taken = {rule.target: rule.field for rule in found.plan.rules}
    assert (taken["scheduled_start_date"], taken["scheduled_start_time"]) == ("mess_datum", "mess_start")


@pytest.mark.acceptance("RC253")
def test_a_fetus_is_scanned_in_its_mother_who_is_the_patient() -> None:
    dictionary = a_dictionary(
        a_field("study_id", "a"),
        a_field("fetal_sex", "a", "radio", label="Fetal sex", choices=SEX),
        a_field("mat_dob", "a", label="Mother's date of birth", validation="date_ymd"),
        a_field("fmri_appt", "fetal_mri", label="Fetal MRI appointment", validation="datetime_ymd"),
    )

    for title in ("Fetal MRI in congenital heart disease", "A study"):
        taken = {rule.target: rule.field for rule in suggest(replace(dictionary, title=title)).plan.rules}
        assert taken["patient_birth_date"] == "mat_dob"
        assert taken["scheduled_start_datetime"] == "fmri_appt"
        assert "fetal_sex" not in taken.values()
