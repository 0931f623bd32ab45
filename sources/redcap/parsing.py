"""REDCap's JSON is read into dictionaries and rows; what is not as documented is told, not guessed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sources.dictionary import Field, ProjectEvent
from sources.errors import TransientError
from sources.http.markup import plain
from sources.rows import ExportRow

YES_OR_NO = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
WITH_CHOICES = frozenset({"radio", "dropdown", "checkbox"})
PSEUDO = frozenset(
    {"redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "redcap_data_access_group"}
)


@contextmanager
def reading(asked: str) -> Iterator[None]:
    """Blame the server for a missing key or a value of another kind. Raises TransientError."""
    try:
        yield
    except (KeyError, TypeError, ValueError):
        raise TransientError(f"REDCap's answer to {asked} is not as it documents it.") from None


def objects(answer: Any, asked: str) -> list[dict[str, Any]]:
    """Return a list of objects. Raises TransientError for anything else."""
    if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
        raise TransientError(f"REDCap's answer to {asked} is not a list of rows.")
    return answer


def text_of(value: Any) -> str:
    """Return a value as it was written. Raises TypeError for what is no single value."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError("Neither a text nor a number.")
    return str(value)


def choices_of(kind: str, text: str) -> dict[str, str]:
    """Read `1, Male | 2, Female` as code to label; an entry without a comma is code and label in one."""
    if kind in YES_OR_NO:
        return dict(YES_OR_NO[kind])
    if kind not in WITH_CHOICES:
        return {}
    pairs = (part.partition(",") for part in text.split("|"))
    return {code.strip(): plain(label if comma else code) for code, comma, label in pairs if code.strip()}


def missing_codes_of(text: str) -> frozenset[str]:
    return frozenset(part.partition(",")[0].strip() for part in text.split("|") if part.strip())


def fields_of(
    entries: Iterable[Mapping[str, Any]], columns: Mapping[str, Mapping[str, str]]
) -> Iterator[Field]:
    """Read the metadata; a section's header is given with its first field, and holds to the form's end."""
    form, section = "", ""
    for entry in entries:
        header = plain(text_of(entry.get("section_header")))
        section = header if header or entry["form_name"] != form else section
        form = entry["form_name"]
        yield field_of(entry, columns, section)


def field_of(entry: Mapping[str, Any], columns: Mapping[str, Mapping[str, str]], section: str = "") -> Field:
    name, kind = text_of(entry["field_name"]), text_of(entry["field_type"])
    return Field(
        name=name,
        form=text_of(entry["form_name"]),
        type=kind,
        label=plain(text_of(entry.get("field_label"))),
        choices=choices_of(kind, text_of(entry.get("select_choices_or_calculations"))),
        validation=text_of(entry.get("text_validation_type_or_show_slider_number")),
        is_identifier=entry.get("identifier") == "y",
        columns=dict(columns.get(name, {})) if kind == "checkbox" else {},
        note=plain(text_of(entry.get("field_note"))),
        section=section,
        annotation=text_of(entry.get("field_annotation")),
    )


def checkbox_columns(names: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Read exportFieldNames as field to choice code to column."""
    found: dict[str, dict[str, str]] = {}
    for entry in names:
        code = text_of(entry.get("choice_value"))
        if code:
            columns = found.setdefault(text_of(entry["original_field_name"]), {})
            columns[code] = text_of(entry["export_field_name"])
    return found


def form_labels(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {
        text_of(entry["instrument_name"]): plain(text_of(entry.get("instrument_label"))) for entry in entries
    }


def event_of(entry: Mapping[str, Any]) -> ProjectEvent:
    number = text_of(entry.get("event_id"))
    return ProjectEvent(
        name=text_of(entry["unique_event_name"]),
        label=plain(text_of(entry.get("event_name"))),
        arm=int(entry.get("arm_num") or 1),
        id=int(number) if number else None,
    )


def event_forms(pairs: Iterable[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in pairs:
        found.setdefault(text_of(pair["unique_event_name"]), set()).add(text_of(pair["form"]))
    return {event: frozenset(forms) for event, forms in found.items()}


def repeating(entries: Iterable[Mapping[str, Any]]) -> frozenset[tuple[str, str]]:
    """Return pairs of event and form: a classic project has no event, a whole event no form."""
    return frozenset((text_of(entry.get("event_name")), text_of(entry.get("form_name"))) for entry in entries)


def row_of(entry: Mapping[str, Any], id_field: str, missing: frozenset[str]) -> ExportRow:
    texts = {name: text_of(value) for name, value in entry.items()}
    values = {name: "" if text in missing else text for name, text in texts.items() if name not in PSEUDO}
    return ExportRow(
        record=texts[id_field],
        event=texts.get("redcap_event_name", ""),
        instrument=texts.get("redcap_repeat_instrument", ""),
        instance=int(texts.get("redcap_repeat_instance") or 0),
        values={**values, id_field: texts[id_field]},
        data_access_group=texts.get("redcap_data_access_group", ""),
    )
