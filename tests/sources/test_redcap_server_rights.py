"""A user's rights shorten the stand-in REDCap's answers; other contents are exported beside records."""

from __future__ import annotations

import pytest

from tests.redcap.client import ask, ids, refusal, rows
from tests.redcap.server import RedcapServer
from tests.redcap.studies import BOSTON_TOKEN, TOKEN, cpip, long2arm, messy, multisite

# Rights


def test_a_de_identified_export_silently_lacks_fields_and_hashes_ids() -> None:
    project = messy()
    project.users[TOKEN].data_export = 2
    with RedcapServer(project) as server:
        first = rows(server)[0]
    assert len(first["record_id"]) == 32
    assert set(first) >= {"sex", "race___1", "age", "visit_complete"}
    assert not set(first) & {"first_name", "dob", "comments", "scan_date", "consent"}


def test_an_export_without_identifiers_keeps_dates_and_ids() -> None:
    project = cpip()
    project.users[TOKEN].data_export = 3
    with RedcapServer(project) as server:
        first = rows(server)[0]
    assert first["record_id"] == "CP-0042"
    assert set(first) >= {"t1_date", "mri_date"}
    assert not set(first) & {"study_id", "youth_dob_y"}


def test_an_instrument_without_access_is_silently_missing() -> None:
    project = cpip()
    project.users[TOKEN].data_export = {"mri": 0}
    with RedcapServer(project) as server:
        first = rows(server, fields=["record_id", "demo_sex", "mri_date"])[0]
    assert "demo_sex" in first
    assert "mri_date" not in first


def test_without_any_access_to_data_the_call_fails() -> None:
    project = cpip()
    project.users[TOKEN].data_export = 0
    with RedcapServer(project) as server:
        assert refusal(server)[0] == 403


def test_groups_come_when_asked_for_with_the_right_to_see_them() -> None:
    project = multisite()
    with RedcapServer(project) as server:
        assert "redcap_data_access_group" not in rows(server)[0]
        found = {
            row["record_id"]: row["redcap_data_access_group"]
            for row in rows(server, exportDataAccessGroups="true")
        }
        assert (found["101-1"], found["102-1"], found["103-1"]) == ("boston_site", "nyc_site", "")
        project.users[TOKEN].dags = False
        assert refusal(server, exportDataAccessGroups="true") == (
            400,
            "Insufficient user privileges: You must have 'API Export' privileges and 'Data Access Groups'"
            " privileges in the project.",
        )


def test_a_member_of_a_group_sees_its_records_alone_and_no_group() -> None:
    project = multisite()
    with RedcapServer(project) as server:
        found = rows(server, token=BOSTON_TOKEN, exportDataAccessGroups="true")
        assert [row["record_id"] for row in found] == ["101-1", "101-2"]
        assert "redcap_data_access_group" not in found[0]
        project.set_dag("102-1", "boston_site")
        assert ids(server, token=BOSTON_TOKEN) == ["101-1", "101-2", "102-1"]


# What else is exported


@pytest.mark.parametrize(
    ("content", "right", "name"),
    [
        ("log", "logging", "Logging"),
        ("repeatingFormsEvents", "design", "Project Design/Setup"),
        ("dag", "dags", "Data Access Groups"),
        ("user", "user_rights", "User Rights"),
    ],
)
def test_some_contents_need_a_right_of_their_own(content: str, right: str, name: str) -> None:
    project = cpip()
    with RedcapServer(project) as server:
        assert ask(server, content).status_code == 200
        setattr(project.users[TOKEN], right, False)
        status, text = refusal(server, content)
    assert (status, f"'{name}'" in text) == (400, True)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("event", "You cannot export events for classic projects"),
        ("formEventMapping", "You cannot export form/event mappings for classic projects"),
        (
            "repeatingFormsEvents",
            "You cannot export repeating instruments and events because the project does not contain any"
            " repeating instruments and events",
        ),
    ],
)
def test_a_classic_project_refuses_what_it_does_not_have(content: str, text: str) -> None:
    with RedcapServer(multisite()) as server:
        assert refusal(server, content) == (400, text)


def test_events_and_their_forms_come_by_arm() -> None:
    with RedcapServer(long2arm()) as server:
        assert rows(server, "event", arms=["2"])[0] == {
            "event_name": "Enrollment",
            "arm_num": 2,
            "unique_event_name": "enrollment_arm_2",
            "custom_event_label": None,
            "event_id": 2104,
        }
        assert rows(server, "formEventMapping", arms=["2"]) == [
            {"arm_num": 2, "unique_event_name": "enrollment_arm_2", "form": "demographics"},
            {"arm_num": 2, "unique_event_name": "visit_1_arm_2", "form": "mri_visit"},
        ]
        assert rows(server, "arm")[1] == {"arm_num": 2, "name": "Controls"}


def test_the_version_is_plain_text() -> None:
    with RedcapServer(cpip()) as server:
        assert ask(server, "version").text == "14.5.5"


def test_the_project_is_one_object_with_numbers() -> None:
    with RedcapServer(long2arm()) as server:
        project = ask(server, "project").json()
    assert (project["project_id"], project["is_longitudinal"]) == (21, 1)
    assert project["has_repeating_instruments_or_events"] == 0
    assert len(project) == 27


def test_the_dictionary_has_18_keys_for_each_field_in_order() -> None:
    with RedcapServer(messy()) as server:
        fields = rows(server, "metadata")
        assert [field["field_name"] for field in fields][:2] == ["record_id", "first_name"]
        assert {len(field) for field in fields} == {18}
        assert [field["field_name"] for field in rows(server, "metadata", fields=["sex"])] == ["sex"]
        assert refusal(server, "metadata", fields=["typo"])[0] == 400


def test_export_names_leave_out_calculations_files_and_texts() -> None:
    with RedcapServer(messy()) as server:
        names = [row["original_field_name"] for row in rows(server, "exportFieldNames")]
    assert not {"age", "consent", "introduction"} & set(names)
    assert names[-1] == "visit_complete"


def test_xml_has_an_item_for_each_row() -> None:
    with RedcapServer(cpip()) as server:
        text = ask(server, "instrument", format=None).text
    assert "<item><instrument_name><![CDATA[demographics]]></instrument_name>" in text
