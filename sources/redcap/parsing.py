"""REDCap's JSON read into dictionaries and rows; what is not as documented is told, not guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sources.errors import TransientError
from sources.redcap.answers import plain
from sources.redcap.dictionary import Event, Field
from sources.redcap.rows import Row

YES_OR_NO = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
WITH_CHOICES = frozenset({"radio", "dropdown", "checkbox"})
PSEUDO = frozenset(
    {"redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "redcap_data_access_group"}
)


def objects(answer: Any, asked: str) -> list[dict[str, Any]]:
    """A list of objects, or an error."""
    if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
        raise TransientError(f"REDCap's answer to {asked} is not a list of rows.")
    return answer


def choices_of(kind: str, text: str) -> dict[str, str]:
    """`1, Male | 2, Female` as code to label; a label may hold commas and HTML."""
    if kind in YES_OR_NO:
        return dict(YES_OR_NO[kind])
    if kind not in WITH_CHOICES:
        return {}
    pairs = (part.partition(",") for part in text.replace("\n", " ").split("|"))
    return {code.strip(): plain(label) for code, _, label in pairs if code.strip()}


def missing_codes_of(text: str) -> frozenset[str]:
    return frozenset(part.partition(",")[0].strip() for part in text.split("|") if part.strip())


def field_of(entry: Mapping[str, Any], columns: Mapping[str, Mapping[str, str]]) -> Field:
    name, kind = str(entry["field_name"]), str(entry.get("field_type", ""))
    return Field(
        name=name,
        form=str(entry.get("form_name", "")),
        type=kind,
        label=plain(str(entry.get("field_label", ""))),
        choices=choices_of(kind, str(entry.get("select_choices_or_calculations") or "")),
        validation=str(entry.get("text_validation_type_or_show_slider_number") or ""),
        is_identifier=entry.get("identifier") == "y",
        columns=dict(columns.get(name, {})) if kind == "checkbox" else {},
    )


def checkbox_columns(names: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Of exportFieldNames: field -> choice code -> column."""
    found: dict[str, dict[str, str]] = {}
    for entry in names:
        code = str(entry.get("choice_value", ""))
        if code != "":
            found.setdefault(str(entry["original_field_name"]), {})[code] = str(entry["export_field_name"])
    return found


def event_of(entry: Mapping[str, Any]) -> Event:
    number = entry.get("event_id")
    return Event(
        name=str(entry["unique_event_name"]),
        label=plain(str(entry.get("event_name", ""))),
        arm=int(entry.get("arm_num") or 1),
        id=int(number) if number not in (None, "") else None,
    )


def row_of(entry: Mapping[str, Any], id_field: str, missing: frozenset[str]) -> Row:
    instance = entry.get("redcap_repeat_instance") or 0
    values = {
        name: "" if _text(value) in missing else _text(value)
        for name, value in entry.items()
        if name not in PSEUDO and name != id_field
    }
    record = _text(entry[id_field])
    return Row(
        record=record,
        event=_text(entry.get("redcap_event_name")),
        instrument=_text(entry.get("redcap_repeat_instrument")),
        instance=int(instance),
        values={id_field: record, **values},
        data_access_group=_text(entry.get("redcap_data_access_group")),
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)
