"""Each pair of the original's samples goes one way, with the project at hand and by names alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone

from sources.config_import import directions, planning
from sources.config_import.directions import PairDecision
from sources.config_import.entries import Pair, RowDetails, SourceEntry
from sources.dictionary import Dictionary
from sources.mapping.rules import Rule
from sources.redcap.client import Access, Client
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN, cpip, repevent


def dictionary_of(server: RedcapServer) -> Dictionary:
    with Client(Access(server.url, TOKEN)) as client:
        return client.dictionary()


@pytest.fixture(scope="module")
def cpip_dictionary() -> Iterator[Dictionary]:
    with RedcapServer(cpip(today=timezone.localdate())) as server:
        yield dictionary_of(server)


@pytest.fixture(scope="module")
def other_dictionary() -> Iterator[Dictionary]:
    with RedcapServer(repevent(today=timezone.localdate())) as server:
        yield dictionary_of(server)


def decided(left: str, right: str, dictionary: Dictionary | None) -> PairDecision:
    [decision] = directions.decide([Pair(left, right)], dictionary)
    return decision


REFERRING, PERFORMING = "referring_physician_name", "performing_physician"
NEW_FORMAT = [
    ("study_id", "study_id", "forward", "study_id", "{study}"),
    ("instrument", "redcap_repeat_instrument", "reversed", "", ""),
    ("session_id", "mri_instance", "reversed", "mri_instance", "{session}"),
    ("family_id", "family_id", "forward", "family_id", "{family}"),
    ("youth_dob_y", "youth_dob_y", "forward", "youth_dob_y", "patient_birth_date"),
    ("t1_date", "t1_date", "forward", "", ""),
    ("demo_sex", "demo_sex", "forward", "demo_sex", "patient_sex"),
    ("scheduled_date", "mri_date", "reversed", "mri_date", "scheduled_start_date"),
    ("scheduled_time", "mri_time", "reversed", "mri_time", "scheduled_start_time"),
    ("mri_wt_lbs", "patient_weight_lb", "forward", "mri_wt_lbs", "patient_weight_lb"),
    ("referring_physician", REFERRING, "forward", "referring_physician", REFERRING),
    (PERFORMING, PERFORMING, "forward", PERFORMING, PERFORMING),
    ("station_name", "station_name", "forward", "station_name", "station_name"),
    ("status", "performed_procedure_step_status", "forward", "status", "performed_procedure_step_status"),
]
MULTI_SOURCE = [
    ("mri_instance", "session_id", "forward", "mri_instance", "{session}"),
    ("youth_dob_y", "patient_birth_date", "forward", "youth_dob_y", "patient_birth_date"),
    ("demo_sex", "patient_sex", "forward", "demo_sex", "patient_sex"),
    ("mri_date", "scheduled_start_date", "forward", "mri_date", "scheduled_start_date"),
    ("mri_time", "scheduled_start_time", "forward", "mri_time", "scheduled_start_time"),
]


@pytest.mark.acceptance("RC8")
@pytest.mark.parametrize(("left", "right", "direction", "field", "target"), [*NEW_FORMAT, *MULTI_SOURCE])
@pytest.mark.parametrize("is_known", [True, False])
def test_each_pair_of_the_samples_goes_its_way(
    left: str,
    right: str,
    direction: str,
    field: str,
    target: str,
    is_known: bool,
    cpip_dictionary: Dictionary,
) -> None:
    decision = decided(left, right, cpip_dictionary if is_known else None)

    assert (decision.direction, decision.field, decision.target) == (direction, field, target)
    assert decision.line.startswith(f"{left}: {right} – ")


def test_the_shipped_file_s_scheduled_date_is_left_out_where_the_project_lacks_it(
    cpip_dictionary: Dictionary,
) -> None:
    decision = decided("scheduled_date", "scheduled_start_date", cpip_dictionary)

    assert (decision.direction, decision.target) == ("forward", "")
    assert "the project has no field scheduled_date" in decision.text


def test_the_shipped_file_s_scheduled_date_is_a_field_by_its_name() -> None:
    decision = decided("scheduled_date", "scheduled_start_date", None)

    assert (decision.direction, decision.field) == ("forward", "scheduled_date")


def test_a_patient_id_that_the_project_has_not_is_left_out(cpip_dictionary: Dictionary) -> None:
    assert decided("patient_id", "patient_id", cpip_dictionary).target == ""
    assert decided("patient_id", "patient_id", None).target == "patient_id"


@pytest.mark.parametrize(
    ("left", "right", "direction", "field", "target"),
    [
        ("patient_name", "name", "reversed", "name", "patient_name"),
        ("name", "patient_name", "forward", "name", "patient_name"),
        ("PatientComments", "implants", "reversed", "implants", "PatientComments"),
        ("name", "sex", "left out", "", ""),
        ("colour", "nose", "left out", "", ""),
        ("name", "colour", "forward", "", ""),
    ],
)
def test_the_project_decides_what_no_sample_has(
    left: str, right: str, direction: str, field: str, target: str, other_dictionary: Dictionary
) -> None:
    decision = decided(left, right, other_dictionary)

    assert (decision.direction, decision.field, decision.target) == (direction, field, target)


def test_without_the_project_two_strange_names_are_undecided() -> None:
    decision = decided("my_name", "their_name", None)

    assert (decision.direction, decision.target) == ("left out", "")
    assert "undecided" in decision.text


def test_an_object_names_its_target_itself(cpip_dictionary: Dictionary) -> None:
    pairs = [
        Pair("mri_instance", "session_id", RowDetails()),
        Pair("nose", "patient_name", RowDetails(template="{study_id}")),
        Pair("nose", "PatientComments", RowDetails()),
    ]

    found = directions.decide(pairs, cpip_dictionary)

    assert [(each.field, each.target) for each in found] == [
        ("mri_instance", "{session}"),
        ("", "patient_name"),
        ("", ""),
    ]


# The rows that are made of it


def rows(dictionary: Dictionary | None, *pairs: tuple[str, str]) -> dict[str, Rule]:
    entry = SourceEntry("main", site_id="792", pairs=tuple(Pair(*pair) for pair in pairs))
    return {rule.target: rule for rule in planning.plan(entry, dictionary).plan.rules}


def test_the_original_s_own_rules_become_rows(cpip_dictionary: Dictionary) -> None:
    made = rows(cpip_dictionary)

    assert {target: (rule.field, rule.level.value, rule.transforms) for target, rule in made.items()} == {
        "{study}": ("study_id", "record", ""),
        "{family}": ("family_id", "record", ""),
        "{session}": ("mri_instance", "session", ""),
        "patient_name": ("", "record", "template cpip-id-{study}[^fa-{family}]"),
        "patient_id": ("", "session", "template sub_{study}_ses_{session}[_fam_{family}]_site_{site_id}"),
        "patient_birth_date": ("youth_dob_y", "record", "year only empty"),
        "patient_sex": ("demo_sex", "record", "codes 1=M, 2=F"),
        "scheduled_start_date": ("mri_date", "session", ""),
        "scheduled_start_time": ("mri_time", "session", ""),
        "modality": ("", "session", ""),
    }
    assert made["modality"].default == "MR"


def test_a_rule_of_the_mapping_takes_the_place_of_the_original_s(cpip_dictionary: Dictionary) -> None:
    made = rows(cpip_dictionary, ("record_id", "patient_id"), ("mri_comments", "patient_name"))

    assert (made["patient_id"].field, made["patient_name"].field) == ("record_id", "mri_comments")
    assert made["patient_id"].transforms == ""  # no record is without its ID


@pytest.mark.acceptance("RC138")
def test_where_a_mapped_name_or_id_is_empty_the_original_s_own_stands_in(cpip_dictionary: Dictionary) -> None:
    made = rows(cpip_dictionary, ("mri_comments", "patient_id"), ("mri_comments", "patient_name"))

    assert made["patient_id"].transforms == "else {original_id}"
    assert made["patient_name"].transforms == "else {original_name}"
    assert made["{original_name}"].transforms == "template cpip-id-{study}[^fa-{family}]"
    assert made["{original_id}"].transforms.startswith("template sub_{study}_ses_{session}")


def test_a_status_gets_its_codes_by_their_labels(cpip_dictionary: Dictionary) -> None:
    made = rows(cpip_dictionary, ("status", "performed_procedure_step_status"))

    codes = "codes 0=SCHEDULED, 1=SCHEDULED, 2=CANCELLED, 3=CANCELLED"
    assert made["performed_procedure_step_status"].transforms == codes


def test_a_project_without_the_original_s_fields_gets_no_made_up_identity(
    other_dictionary: Dictionary,
) -> None:
    assert not {"patient_id", "patient_name"} & rows(other_dictionary).keys()


def test_no_row_for_sex_is_made_without_knowing_its_codes() -> None:
    assert "patient_sex" not in rows(None, ("demo_sex", "demo_sex"))
