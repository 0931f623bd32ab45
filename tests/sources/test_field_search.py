"""Fields and instruments are found by what is typed of a name or a label; what is asked is a table.

Not here: the admin's answer to a page (test_project_search.py).
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.mapping.field_search import field_lines, instrument_lines, search
from tests.sources.projects import a_dictionary, a_field

PROJECT = a_dictionary(
    a_field("record_id", "enrolment", label="Record ID"),
    a_field("parent_dob", "enrolment", label="Parent's date of birth", validation="date_ymd"),
    a_field("dob", "enrolment", label="Date of birth", validation="date_ymd"),
    a_field("sex", "enrolment", "radio", label="Sex", choices={"1": "Male", "2": "Female"}),
    a_field("groesse", "mri", label="Körpergröße\nin cm"),
    a_field("fecha", "mri", label="Fecha de la Resonancia Magnética"),
    a_field("mri_date", "mri", label="Scan"),
    a_field("visit", "mri", "radio", label="Visit", choices={str(number): "x" for number in range(7)}),
    a_field("nom", "enrolment", label="原子 nom"),
    events={"baseline_arm_1": ["enrolment", "mri"]},
)
LINES = field_lines(PROJECT)


def names(text: str, **options: int) -> list[str]:
    return [entry.name for entry in search(LINES, text, **options).entries]


@pytest.mark.acceptance("RC127")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dob", ["dob", "parent_dob"]),  # the exact name first
        ("date of birth", ["parent_dob", "dob"]),
        ("birth DATE", ["parent_dob", "dob"]),
        ("mri_date", ["mri_date"]),
        ("mridate", ["mri_date"]),
        ("date mri", ["mri_date"]),
        ("resonancia magnetica", ["fecha"]),
        ("RESONANCIA MAGNÉTICA", ["fecha"]),
        ("korpergrosse", ["groesse"]),
        ("koerpergroesse", ["groesse"]),
        ("größe", ["groesse"]),
        ("原子", ["nom"]),
        ("parent's", ["parent_dob"]),
        ("data access", ["redcap_data_access_group"]),
        ("mri complete", ["mri_complete"]),
        ("redcap event", ["redcap_event_name"]),
        ("redcap repeat", []),  # nothing repeats
        ("nothing of it", []),
        ("°", []),
        ("\0", []),
        ("a\tb\nc", []),
    ],
)
def test_what_is_typed_finds(text: str, found: list[str]) -> None:
    assert names(text) == found


def test_nothing_typed_lists_the_first_and_says_that_there_are_more() -> None:
    found = search(LINES, " ", most=2)

    assert [entry.name for entry in found.entries] == ["record_id", "parent_dob"]
    assert found.has_more
    assert not search(LINES, "dob", most=2).has_more
    assert search(LINES, "d", most=2).has_more
    assert search("", "").entries == search("", "dob").entries == ()


def test_of_many_names_that_begin_so_the_exact_one_is_first_and_the_rest_are_in_order() -> None:
    numbered = [f"q{number}" for number in range(30)]
    lines = field_lines(a_dictionary(*(a_field(name, "mri") for name in [*numbered, "q", "aq"])))

    assert [entry.name for entry in search(lines, "q", most=3).entries] == ["q", "q0", "q1"]
    assert [entry.name for entry in search(lines, "Q2", most=3).entries] == ["q2", "q20", "q21"]
    assert [entry.name for entry in search(lines, "q", most=31).entries] == ["q", *numbered]
    assert [entry.name for entry in search(lines, "q", most=32).entries] == ["q", *numbered, "aq"]


def test_an_entry_says_enough_to_choose_by() -> None:
    [sex] = search(LINES, "sex").entries
    assert sex == ("sex", "Sex", "enrolment", "radio", "1=Male, 2=Female")
    [visit] = search(LINES, "visit").entries
    assert visit.choices == "0=x, 1=x, 2=x, 3=x, 4=x, …"
    [size] = search(LINES, "groesse").entries
    assert size.label == "Körpergröße in cm"


def test_a_long_label_is_searched_as_a_whole_and_shown_in_part() -> None:
    label = "please read " * 100 + "pacemaker"
    [found] = search(field_lines(a_dictionary(a_field("q1", "mri", label=label))), "pacemaker").entries

    assert len(found.label) < 200
    assert found.label.endswith("…")


def test_an_instrument_is_found_by_name_and_label() -> None:
    lines = instrument_lines(PROJECT)

    assert [entry.name for entry in search(lines, "").entries] == ["enrolment", "mri"]
    assert [entry.name for entry in search(lines, "MR").entries] == ["mri"]


NAMES = st.text(alphabet="ab_1", min_size=1, max_size=5).map("q{}".format)
LABELS = st.text(alphabet="abé_ 0\t\n'ßÖ", max_size=15)


@given(st.dictionaries(NAMES, LABELS, min_size=1, max_size=6), st.data())
def test_each_field_is_first_for_its_own_name_and_is_found_by_its_label(
    labels: dict[str, str], data: st.DataObject
) -> None:
    lines = field_lines(a_dictionary(*(a_field(name, "mri", label=label) for name, label in labels.items())))
    name = data.draw(st.sampled_from(sorted(labels)))

    assert search(lines, name).entries[0].name == name
    by_label = search(lines, labels[name], most=len(labels) + 10).entries
    is_said = any(character.isalnum() for character in labels[name])
    assert not is_said or name in [entry.name for entry in by_label]
