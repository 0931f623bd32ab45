"""The stand-in REDCap exports records: rows, columns, and what chooses them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.redcap.client import ids, refusal, rows
from tests.redcap.server import RedcapServer, Switches
from tests.redcap.studies import MESSY, STUDIES, TODAY, big, cpip, empty, long2arm, messy, multisite, repevent

# Shapes of rows


def test_a_repeating_instrument_has_sparse_rows_of_text_and_a_number() -> None:
    with RedcapServer(cpip()) as server:
        first, second, *_ = rows(server, fields=["record_id", "study_id", "mri_date", "mri_complete"])
    assert first == {
        "record_id": "CP-0042",
        "redcap_repeat_instrument": "",
        "redcap_repeat_instance": "",
        "study_id": "CPIP-0042",
        "mri_date": "",
        "mri_complete": "",
    }
    assert second == {
        "record_id": "CP-0042",
        "redcap_repeat_instrument": "mri",
        "redcap_repeat_instance": 1,
        "study_id": "",
        "mri_date": "2026-03-02",
        "mri_complete": "0",
    }


def test_a_classic_project_without_repeats_has_no_columns_of_redcap() -> None:
    with RedcapServer(multisite()) as server:
        first = rows(server)[0]
    assert list(first) == [
        *("record_id", "study_id", "dob", "sex", "participant_complete"),
        *("weight", "scan_start", "scan_complete"),
    ]


def test_columns_of_redcap_come_only_with_the_record_id_field() -> None:
    with RedcapServer(repevent()) as server:
        assert list(rows(server, fields=["sex"])[0]) == ["sex"]
        assert list(rows(server, forms=["safety"])[0]) == ["implants", "safety_complete"]
        assert list(rows(server, fields=["participant_id"])[0]) == [
            *("participant_id", "redcap_event_name"),
            *("redcap_repeat_instrument", "redcap_repeat_instance"),
        ]


def test_a_repeating_event_has_instances_without_an_instrument() -> None:
    with RedcapServer(repevent()) as server:
        found = [
            (row["redcap_event_name"], row["redcap_repeat_instrument"], row["redcap_repeat_instance"])
            for row in rows(server, records=["P1"])
        ]
    assert found == [("baseline_arm_1", "", ""), *(("scan_arm_1", "", number) for number in (1, 2, 3))]


def test_a_record_may_be_in_two_arms() -> None:
    with RedcapServer(long2arm()) as server:
        events = [row["redcap_event_name"] for row in rows(server, records=["S-003"])]
        some = rows(server, records=["S-003"], events=["enrollment_arm_2"])
    assert events == ["enrollment_arm_1", "visit_1_arm_1", "enrollment_arm_2", "visit_1_arm_2"]
    assert [row["first_name"] for row in some] == ["Tom"]


def test_rows_come_in_the_order_of_records_as_people_count() -> None:
    with RedcapServer(big(11)) as server:
        found = list(dict.fromkeys(ids(server)))
    assert found == [str(number) for number in range(1, 12)]


def test_a_form_that_was_never_opened_is_incomplete_or_blank() -> None:
    project = multisite()
    project.save("103-2", study_id="A-010")
    with RedcapServer(project) as server:
        gray = rows(server, records=["103-2"])[0]
        blank = rows(server, records=["103-2"], exportBlankForGrayFormStatus="true")[0]
    assert (gray["participant_complete"], gray["scan_complete"]) == ("0", "0")
    assert (blank["participant_complete"], blank["scan_complete"]) == ("0", "")


def test_checkboxes_have_a_column_for_each_choice() -> None:
    with RedcapServer(messy()) as server:
        row = rows(server, records=["007"], fields=["race"])[0]
        named = {
            each["choice_value"]: each["export_field_name"]
            for each in rows(server, "exportFieldNames", field="race")
        }
    assert row == {"race___1": "0", "race___2": "1", "race___a": "0", "race____1": "0"}
    assert named == {"1": "race___1", "2": "race___2", "a": "race___a", "-1": "race____1"}


def test_a_checkbox_on_a_form_never_opened_may_be_blank() -> None:
    project = messy()
    project.save("new")
    with RedcapServer(project, switches=Switches(blank_checkbox="")) as server:
        assert rows(server, records=["new"], fields=["race"])[0]["race___2"] == ""
        assert rows(server, records=["007"], fields=["race"])[0]["race___1"] == "0"


def test_labels_replace_codes_events_and_instruments() -> None:
    project = cpip()
    project.save("CP-0042", instrument="mri", instance=1, status="2", mri_complete="2")
    with RedcapServer(project) as server:
        base, scan, *_ = rows(server, rawOrLabel="label")
    assert (base["demo_sex"], base["redcap_repeat_instrument"]) == ("Female", "")
    assert (scan["status"], scan["mri_complete"]) == ("Cancelled", "Complete")
    assert (scan["redcap_repeat_instrument"], scan["redcap_repeat_instance"]) == ("MRI session", 1)


def test_labels_of_checkboxes_and_events() -> None:
    with RedcapServer(messy()) as server:
        asked: dict[str, Any] = {"fields": ["race"], "records": ["007"], "rawOrLabel": "label"}
        assert rows(server, **asked)[0]["race___2"] == "Checked"
        assert rows(server, **asked, exportCheckboxLabel="true")[0]["race___2"] == "Black"
    with RedcapServer(long2arm()) as server:
        row = rows(server, rawOrLabel="label", events=["visit_1_arm_1"])[0]
    assert (row["redcap_event_name"], row["scan_type"]) == ("Visit 1", "Brain")


def test_numbers_keep_their_comma_unless_a_point_is_asked_for() -> None:
    with RedcapServer(multisite()) as server:
        assert rows(server, records=["101-1"])[0]["weight"] == "61,5"
        assert rows(server, records=["101-1"], decimalCharacter=".")[0]["weight"] == "61.5"


def test_eav_gives_one_row_for_each_value() -> None:
    with RedcapServer(cpip()) as server:
        found = rows(server, type="eav", records=["CP-0044"], fields=["record_id", "study_id", "mri_time"])
    assert found == [
        {
            "record": "CP-0044",
            "redcap_repeat_instrument": "",
            "redcap_repeat_instance": "",
            "field_name": "study_id",
            "value": "CPIP-0044",
        },
        {
            "record": "CP-0044",
            "redcap_repeat_instrument": "mri",
            "redcap_repeat_instance": 1,
            "field_name": "mri_time",
            "value": "13:45",
        },
    ]


def test_survey_columns_come_when_asked_for() -> None:
    project = cpip()
    project.surveys = {"demographics"}
    with RedcapServer(project) as server:
        assert "demographics_timestamp" not in rows(server)[0]
        assert rows(server, exportSurveyFields="true")[0]["demographics_timestamp"] == ""


def test_a_list_of_ids_may_have_one_row_for_each_record() -> None:
    with RedcapServer(cpip(), switches=Switches(id_only_rows="first")) as server:
        assert ids(server) == ["CP-0042", "CP-0043", "CP-0044", "CP-0045"]
        assert len(rows(server)) == 10


def test_mess_comes_back_as_it_was_typed() -> None:
    with RedcapServer(messy()) as server:
        found = {row["record_id"]: row for row in rows(server)}
    assert set(found) == set(MESSY)
    for record, values in MESSY.items():
        assert {name: found[record][name] for name in values} == values
    assert "introduction" not in found["007"]
    assert "consent" in found["007"]


@pytest.mark.parametrize("study", [study for study in STUDIES if study not in {"empty", "big"}])
def test_every_study_has_records_and_none_of_them_is_new(study: str) -> None:
    project = STUDIES[study](TODAY)
    with RedcapServer(project) as server:
        assert len(rows(server)) > 3
        assert rows(server, dateRangeBegin="2026-02-01 00:00:00") == []


def test_an_empty_project_has_no_rows() -> None:
    with RedcapServer(empty()) as server:
        assert rows(server) == []


# What is asked for


@pytest.mark.parametrize(
    ("name", "value"), [("fields", ["t1_date"]), ("fields[]", "t1_date"), ("fields", "t1_date")]
)
def test_arrays_come_in_three_notations(name: str, value: Any) -> None:
    with RedcapServer(cpip()) as server:
        assert list(rows(server, "record", **{name: value})[0]) == ["t1_date"]


def test_one_wrong_instrument_in_a_comma_string_gets_everything() -> None:
    with RedcapServer(cpip()) as server:
        assert list(rows(server, forms="demographics,flooble")[0]) == list(rows(server)[0])
        assert refusal(server, forms=["demographics", "flooble"]) == (
            400,
            "The following values in the parameter \"forms\" are not valid: 'flooble'",
        )


@pytest.mark.parametrize("field", ["typo", "redcap_event_name", "redcap_repeat_instance", "race___1"])
def test_what_is_no_field_is_refused(field: str) -> None:
    with RedcapServer(messy()) as server:
        assert refusal(server, fields=["record_id", field]) == (
            400,
            f"The following values in the parameter \"fields\" are not valid: '{field}'",
        )


def test_an_unknown_event_is_refused_and_an_unknown_record_is_absent() -> None:
    with RedcapServer(long2arm()) as server:
        assert refusal(server, events=["visit_9_arm_1"])[0] == 400
        assert rows(server, records=["nobody"]) == []


def test_parameters_are_case_sensitive() -> None:
    with RedcapServer(cpip()) as server:
        assert len(rows(server, Records=["CP-0042"])) == 10


def test_a_renamed_or_removed_field_is_refused_by_its_old_name() -> None:
    project = cpip()
    project.rename_field("mri_date", "scan_date")
    project.remove_field("mri_time")
    with RedcapServer(project) as server:
        assert rows(server, records=["CP-0044"], fields=["scan_date"])[1] == {"scan_date": "2026-03-03"}
        assert refusal(server, fields=["mri_date", "mri_time"]) == (
            400,
            "The following values in the parameter \"fields\" are not valid: 'mri_date', 'mri_time'",
        )


@pytest.mark.parametrize(
    ("logic", "wanted"),
    [
        ('[demo_sex] = "2"', {"CP-0042", "CP-0045"}),
        ("[mri_date] >= '2026-03-10'", {"CP-0042", "CP-0043"}),
        ('[demo_sex] <> "2" and ([family_id] = "" or [mri_wt_lbs] > 70)', {"CP-0043", "CP-0044"}),
        ('not [family_id] = "F-7" and [youth_dob_y] < 2012', {"CP-0044"}),
        ('[record_id] = "CP-0044"', {"CP-0044"}),
    ],
)
def test_filter_logic_chooses_rows(logic: str, wanted: set[str]) -> None:
    with RedcapServer(cpip()) as server:
        assert set(ids(server, filterLogic=logic)) == wanted


def test_filter_logic_reads_other_events() -> None:
    with RedcapServer(long2arm()) as server:
        logic = '[enrollment_arm_1][sex] = "2" and [visit_status] = "1"'
        assert ids(server, "study_id", filterLogic=logic) == ["S-001"]


@pytest.mark.parametrize(
    "logic", ["[demo_sex] =", '[demo_sex = "1"', "[typo] = 1", "([demo_sex] = 1", "DROP"]
)
def test_wrong_filter_logic_is_refused(logic: str) -> None:
    with RedcapServer(cpip()) as server:
        assert refusal(server, filterLogic=logic)[0] == 400
