"""REDCap's metadata and rows are read as tables: labels, choices, checkbox columns, row keys, values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sources.dictionary import Dictionary, Field, ProjectEvent
from sources.errors import TransientError
from sources.http.markup import plain
from sources.redcap import parsing

RICH = '<div class="rich-text-field-label"><p>Sex &amp; gender<br><b>a</b>t birth</p></div>'


@pytest.mark.acceptance("RC35")
@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Sex", "Sex"),
        (RICH, "Sex & gender at birth"),
        ("  Date\r\n of\u00a0scan ", "Date of scan"),
        ("H<sub>2</sub>O", "H2O"),
        ("O&#39;Brien &eacute;t&eacute;", "O'Brien été"),
        ("<18 or >65", "<18 or >65"),
        ("weight < 50 kg", "weight < 50 kg"),
        ("a &lt;b&gt; c", "a <b> c"),
        ("<!-- hidden --><p>Shown</p><p>Too</p>", "Shown Too"),
        ("", ""),
    ],
)
def test_labels_are_plain_text(text: str, label: str) -> None:
    assert plain(text) == label


@pytest.mark.acceptance("RC35")
@pytest.mark.parametrize(
    ("kind", "text", "choices"),
    [
        ("radio", "1, Male | 2, Female", {"1": "Male", "2": "Female"}),
        ("dropdown", "a, Yes, really | -1, No | 01, One", {"a": "Yes, really", "-1": "No", "01": "One"}),
        ("checkbox", "1, <b>Asian</b>\n| 2,Mixed &amp; other|", {"1": "Asian", "2": "Mixed & other"}),
        ("radio", "1, | 2", {"1": "", "2": "2"}),
        ("radio", "", {}),
        ("yesno", "", {"1": "Yes", "0": "No"}),
        ("truefalse", "", {"1": "True", "0": "False"}),
        ("calc", "round([a], 2)", {}),
        ("sql", "select code, label from list", {}),
        ("slider", "low | middle | high", {}),
        ("text", "", {}),
    ],
)
def test_choices_are_codes_and_labels(kind: str, text: str, choices: dict[str, str]) -> None:
    assert parsing.choices_of(kind, text) == choices


@pytest.mark.acceptance("RC39")
@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", set()),
        ("-999, Not known | UNK, Unknown, or not said", {"-999", "UNK"}),
        ("NASK", {"NASK"}),
    ],
)
def test_missing_data_codes_are_read(text: str, codes: set[str]) -> None:
    assert parsing.missing_codes_of(text) == codes


def metadata(**changes: Any) -> dict[str, Any]:
    return {
        "field_name": "sex",
        "form_name": "demographics",
        "section_header": "",
        "field_type": "radio",
        "field_label": RICH,
        "select_choices_or_calculations": "1, Male | 2, Female",
        "text_validation_type_or_show_slider_number": "",
        "identifier": "y",
        **changes,
    }


def test_a_field_is_read_from_its_metadata() -> None:
    assert parsing.field_of(metadata(), {}) == Field(
        name="sex",
        form="demographics",
        type="radio",
        label="Sex & gender at birth",
        choices={"1": "Male", "2": "Female"},
        is_identifier=True,
    )


def test_what_a_field_has_not_is_empty() -> None:
    blank = metadata(
        field_type="text", field_label=None, select_choices_or_calculations=None, identifier=None
    )
    blank["text_validation_type_or_show_slider_number"] = None

    assert parsing.field_of(blank, {}) == Field(name="sex", form="demographics", type="text", label="")


def test_a_note_and_an_annotation_belong_to_the_field() -> None:
    read = parsing.field_of(metadata(field_note="in <b>kg</b>", field_annotation="@HIDDEN"), {})

    assert (read.note, read.annotation, read.section) == ("in kg", "@HIDDEN", "")


def test_a_section_holds_until_the_next_or_to_the_end_of_its_form() -> None:
    headers = [
        ("a", ""),
        ("a", "<i>Mother</i>"),
        ("a", ""),
        ("a", "You"),
        ("b", ""),
        ("b", "Scan"),
        ("b", ""),
    ]
    entries = [
        metadata(field_name=f"f{place}", form_name=form, section_header=header)
        for place, (form, header) in enumerate(headers)
    ]

    found = [field.section for field in parsing.fields_of(entries, {})]

    assert found == ["", "Mother", "Mother", "You", "", "Scan", "Scan"]


@pytest.mark.acceptance("RC36")
def test_a_checkbox_s_columns_are_redcap_s_own() -> None:
    names: list[dict[str, Any]] = [
        {"original_field_name": "sex", "choice_value": "", "export_field_name": "sex"},
        {"original_field_name": "race", "choice_value": 1, "export_field_name": "race___1"},
        {"original_field_name": "race", "choice_value": "-1", "export_field_name": "race____1"},
        {"original_field_name": "race", "choice_value": "A B", "export_field_name": "race___a_b"},
    ]

    columns = parsing.checkbox_columns(names)

    assert columns == {"race": {"1": "race___1", "-1": "race____1", "A B": "race___a_b"}}
    checkbox = parsing.field_of(metadata(field_name="race", field_type="checkbox"), columns)
    assert checkbox.columns == columns["race"]


@pytest.mark.parametrize(
    ("entry", "event"),
    [
        (
            {"event_name": "Visit &amp; scan", "arm_num": 2, "unique_event_name": "v_arm_2", "event_id": 41},
            ProjectEvent("v_arm_2", "Visit & scan", 2, 41),
        ),
        (
            {"event_name": "Visit", "arm_num": "2", "unique_event_name": "v_arm_2", "event_id": "41"},
            ProjectEvent("v_arm_2", "Visit", 2, 41),
        ),
        ({"event_name": "Visit", "unique_event_name": "v_arm_1"}, ProjectEvent("v_arm_1", "Visit", 1)),
    ],
)
def test_an_event_is_read(entry: dict[str, Any], event: ProjectEvent) -> None:
    assert parsing.event_of(entry) == event


@pytest.mark.parametrize(
    ("entry", "pair"),
    [
        ({"event_name": "v_arm_1", "form_name": "mri", "custom_form_label": ""}, ("v_arm_1", "mri")),
        ({"event_name": "v_arm_1", "form_name": ""}, ("v_arm_1", "")),
        ({"event_name": "v_arm_1", "form_name": None}, ("v_arm_1", "")),
        ({"form_name": "mri"}, ("", "mri")),
    ],
)
def test_what_repeats_is_read(entry: dict[str, Any], pair: tuple[str, str]) -> None:
    assert parsing.repeating([entry]) == {pair}


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        ({}, ("", "", 0)),
        ({"redcap_repeat_instrument": "", "redcap_repeat_instance": ""}, ("", "", 0)),
        ({"redcap_repeat_instrument": "mri", "redcap_repeat_instance": 1}, ("", "mri", 1)),
        ({"redcap_repeat_instrument": "mri", "redcap_repeat_instance": "12"}, ("", "mri", 12)),
        ({"redcap_event_name": "scan_arm_1"}, ("scan_arm_1", "", 0)),
        (
            {
                "redcap_event_name": "s_arm_1",
                "redcap_repeat_instrument": None,
                "redcap_repeat_instance": 2,
            },
            ("s_arm_1", "", 2),
        ),
    ],
)
def test_a_row_s_key_is_apart_from_its_values(entry: dict[str, Any], key: tuple[str, str, int]) -> None:
    row = parsing.row_of({"record_id": "1", **entry, "dob": "2001-02-03"}, "record_id", frozenset())

    assert (row.event, row.instrument, row.instance) == key
    assert row.values == {"record_id": "1", "dob": "2001-02-03"}


@pytest.mark.acceptance("RC39")
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", ""),
        (None, ""),
        ("007", "007"),
        (7, "7"),
        (0, "0"),
        (" Zoë\u00a0Ann \r\n", " Zoë\u00a0Ann \r\n"),
        ("UNK", ""),
        (-999, ""),
        ("UNKNOWN", "UNKNOWN"),
    ],
)
def test_values_are_verbatim_but_for_missing_data_codes(value: object, text: str) -> None:
    row = parsing.row_of({"record_id": "1", "field": value}, "record_id", frozenset({"UNK", "-999"}))

    assert row.values["field"] == text


@pytest.mark.acceptance("RC11", "RC13")
@pytest.mark.parametrize("record", ["A-001-B", "007", "rec 1 ", "ü1", "1e3", "UNK", "-999"])
def test_a_record_s_id_is_verbatim_whatever_its_field_is_called(record: str) -> None:
    row = parsing.row_of({"study_id": record, "record_id": "x"}, "study_id", frozenset({"UNK", "-999"}))

    assert row.record == row.values["study_id"] == record


@pytest.mark.parametrize(
    "entry",
    [
        {"other": "1"},
        {"record_id": ["1"]},
        {"record_id": True},
        {"record_id": "1", "dob": {"year": 2001}},
        {"record_id": "1", "redcap_repeat_instance": "Doe^Jane"},
    ],
)
def test_a_row_that_is_not_as_documented_is_trouble_at_the_server(entry: dict[str, Any]) -> None:
    with pytest.raises(TransientError, match="the records") as raised, parsing.reading("the records"):
        parsing.row_of(entry, "record_id", frozenset())

    assert "Doe" not in str(raised.value)
    assert raised.value.__suppress_context__


@pytest.mark.parametrize("answer", [{}, "text", None, [["1"]], [{"a": 1}, "b"]])
def test_rows_are_a_list_of_objects(answer: object) -> None:
    with pytest.raises(TransientError, match="the records"):
        parsing.objects(answer, "the records")


@pytest.mark.parametrize("repeating", [None, frozenset(), frozenset({("v_arm_1", ""), ("v_arm_1", "mri")})])
def test_a_dictionary_is_the_same_after_it_was_kept_as_json(
    repeating: frozenset[tuple[str, str]] | None,
) -> None:
    fields = [
        Field("study_id", "demographics", "text", "Study"),
        Field("race", "demographics", "checkbox", "Race", {"a": "A"}, columns={"a": "race___a"}),
        Field("a_first", "mri", "text", "Sorted before the others", validation="date_ymd"),
    ]
    dictionary = Dictionary(
        project_id=14,
        title="Zoë's",
        version="14.5.5",
        is_longitudinal=True,
        has_repeats=True,
        fields={field.name: field for field in fields},
        forms={"demographics": "Demographics", "mri": "MRI"},
        events=(ProjectEvent("v_arm_1", "Visit", 1, 41), ProjectEvent("w_arm_2", "Other", 2)),
        event_forms={"v_arm_1": frozenset({"mri", "demographics"})},
        repeating=repeating,
        missing_codes=frozenset({"UNK"}),
    )

    # PostgreSQL's jsonb does not keep the order of keys, nor does a sorting dump.
    again = Dictionary.from_json(json.loads(json.dumps(dictionary.to_json(), sort_keys=True)))

    assert again == dictionary
    assert list(again.fields) == list(dictionary.fields)
    assert again.record_id_field == "study_id"
