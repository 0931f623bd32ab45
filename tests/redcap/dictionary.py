"""The stand-in REDCap has a data dictionary: fields as the API's metadata gives them, and events."""

from __future__ import annotations

import re
from dataclasses import dataclass

Field = dict[str, str]

METADATA_KEYS = (
    "field_name", "form_name", "section_header", "field_type", "field_label",
    "select_choices_or_calculations", "field_note", "text_validation_type_or_show_slider_number",
    "text_validation_min", "text_validation_max", "identifier", "branching_logic", "required_field",
    "custom_alignment", "question_number", "matrix_group_name", "matrix_ranking", "field_annotation",
)  # fmt: skip
YES_OR_NO = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
STATUS_LABELS = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}


@dataclass(frozen=True)
class Event:
    name: str  # unique_event_name
    label: str
    arm: int = 1


@dataclass(frozen=True)
class Column:
    """A record export has a column for a field, a checkbox's choice, or a form's status (without a field)."""

    name: str
    form: str
    field: Field | None = None
    code: str = ""

    @property
    def kind(self) -> str:
        return self.field["field_type"] if self.field else "status"

    @property
    def validation(self) -> str:
        return self.field["text_validation_type_or_show_slider_number"] if self.field else ""


def field(
    name: str,
    form: str,
    kind: str = "text",
    *,
    label: str = "",
    choices: str = "",
    validation: str = "",
    identifier: bool = False,
    note: str = "",
    annotation: str = "",
) -> Field:
    """Make one entry of the metadata, with all 18 keys."""
    given = {
        "field_name": name,
        "form_name": form,
        "field_type": kind,
        "field_label": label or name.replace("_", " ").capitalize(),
        "select_choices_or_calculations": choices,
        "text_validation_type_or_show_slider_number": validation,
        "identifier": "y" if identifier else "",
        "field_note": note,
        "field_annotation": annotation,
    }
    return dict.fromkeys(METADATA_KEYS, "") | given


def choices_of(field: Field) -> dict[str, str]:
    """Return code to label, each as it is in the dictionary: labels may hold commas and HTML."""
    if field["field_type"] in YES_OR_NO:
        return YES_OR_NO[field["field_type"]]
    if field["field_type"] not in {"radio", "dropdown", "checkbox"}:
        return {}
    pairs = (pair.split(",", 1) for pair in field["select_choices_or_calculations"].split("|"))
    return {code.strip(): label.strip() for code, label in pairs}


def columns_of(field: Field) -> list[Column]:
    """Return the field's columns: a descriptive field has none, a checkbox one for each choice."""
    name, form = field["field_name"], field["form_name"]
    match field["field_type"]:
        case "descriptive":
            return []
        case "checkbox":
            return [Column(checkbox_column(name, code), form, field, code) for code in choices_of(field)]
        case _:
            return [Column(name, form, field)]


def checkbox_column(name: str, code: str) -> str:
    """Return the column's name: lower case letters, digits and underscores, whatever the code is."""
    return f"{name}___{re.sub('[^a-z0-9_]', '_', code.lower())}"


def status_of(form: str) -> str:
    return f"{form}_complete"
