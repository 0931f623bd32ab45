"""The stand-in REDCap takes records by its API here, all of an import or nothing of it.

What it does not take it tells in a line for each value: record, field, value and message, in quotation marks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tests.redcap.answers import ApiError
from tests.redcap.contents import Call
from tests.redcap.dictionary import STATUS_LABELS, Column, choices_of
from tests.redcap.log import RowKey
from tests.redcap.project import Project

PSEUDO = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")
LOCKED = "This field is located on a form that is locked. You must first unlock this form for this record."
NOT_A_CHOICE = "The value is not a valid category for {}"
NOT_A_DATE = "The value you provided could not be validated because it does not follow the expected format."
NUMBER = r"-?\d+([.,]\d+)?"
PATTERNS = {"integer": r"-?\d+", "number": NUMBER, "number_comma_decimal": NUMBER, "time": r"\d\d:\d\d"}
PATTERNS["time_hh_mm_ss"] = r"\d\d:\d\d:\d\d"
Row = tuple[str, RowKey, dict[str, str]]


def imported(call: Call) -> list[str]:
    """Store the rows, and return the records that they are of. Raises ApiError."""
    if call.parameters.get("format") != "json" or call.parameters.get("type", "flat") != "flat":
        raise ApiError(400, "The stand-in takes flat JSON alone")
    if call.parameters.get("overwriteBehavior", "normal") != "normal":
        raise ApiError(400, 'The value of the parameter "overwriteBehavior" is not valid')
    try:
        entries: Any = json.loads(call.parameters.get("data"))
    except ValueError:
        raise ApiError(400, "The data being imported is not formatted correctly") from None
    rows = [_row(call.project, entry) for entry in entries]
    refused = [line for row in rows for line in _refusals(call, row)]
    if refused:
        raise ApiError(400, "\n".join(refused))
    for record, key, values in rows:
        call.project.import_values(call.user, record, key, values)
    return list(dict.fromkeys(record for record, _, _ in rows))


def _row(project: Project, entry: Mapping[str, Any]) -> Row:
    columns = {column.name for column in project.columns()}
    unknown = [name for name in entry if name not in columns and name not in PSEUDO]
    if unknown:
        told = "The following fields were not found in the project as real data fields: "
        raise ApiError(400, told + ", ".join(unknown))
    if not entry.get(project.id_field):
        raise ApiError(400, "The record ID field is missing")
    event = str(entry.get("redcap_event_name", ""))
    if project.longitudinal and event not in project.form_event:
        raise ApiError(400, f"The following values of the parameter redcap_event_name are not valid: {event}")
    instrument = str(entry.get("redcap_repeat_instrument", ""))
    instance = int(entry.get("redcap_repeat_instance") or 0)
    values = {
        name: str(value)
        for name, value in entry.items()
        if name not in (*PSEUDO, project.id_field) and value not in ("", None)
    }
    return str(entry[project.id_field]), RowKey(event, instrument, instance), values


def _refusals(call: Call, row: Row) -> Iterator[str]:
    project, (record, key, values) = call.project, row
    by_name = {column.name: column for column in project.columns()}
    named = f"{record} ({key.event})" if key.event else record
    for name, value in values.items():
        column = by_name[name]
        message = _message(call, record, key, column, value)
        if message:
            yield ",".join('"' + text.replace('"', '""') + '"' for text in (named, name, value, message))


def _message(call: Call, record: str, key: RowKey, column: Column, value: str) -> str:
    project = call.project
    if column.form not in project.forms_on(key):
        return "This field does not exist on this event or instrument."
    if (record, key, column.form) in project.locked:
        return LOCKED
    if column.kind == "calc":
        return "This is a calculated field: its value is computed."
    codes = choices_of(column.field) if column.field else STATUS_LABELS
    if codes and value not in codes:
        return NOT_A_CHOICE.format(column.name)
    return "" if _is_valid(column.validation, value) else NOT_A_DATE


def _is_valid(validation: str, value: str) -> bool:
    if validation.startswith("date"):
        form = "%Y-%m-%d"
        form += " %H:%M:%S" if "seconds" in validation else " %H:%M" if "datetime" in validation else ""
        try:
            return datetime.strptime(value, form).strftime(form) == value
        except ValueError:
            return False
    pattern = PATTERNS.get(validation)
    return pattern is None or re.fullmatch(pattern, value) is not None
