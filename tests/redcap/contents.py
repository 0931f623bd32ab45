"""The stand-in REDCap's API exports each `content` here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tests.redcap.answers import ApiError, Limits, Parameters, Rows, Switches
from tests.redcap.dictionary import Field, columns_of, status_of
from tests.redcap.log import LOG_TYPES, Entry
from tests.redcap.project import Project, User
from tests.redcap.rows import Export
from tests.redcap.selection import checked, lacks


@dataclass(frozen=True)
class Call:
    """A user who is let in sends one request."""

    project: Project
    user: User
    parameters: Parameters
    switches: Switches
    limits: Limits


def _project(call: Call) -> dict[str, object]:
    project = call.project
    texts = (
        *("project_notes", "custom_record_label", "secondary_unique_field", "project_irb_number"),
        *("project_grant_number", "project_pi_firstname", "project_pi_lastname", "project_pi_email"),
    )
    switched_off = (
        *("scheduling_enabled", "record_autonumbering_enabled", "randomization_enabled", "ddp_enabled"),
    )
    return {
        "project_id": project.id,
        "project_title": project.title,
        "creation_time": "2019-04-11 10:00:33",
        "production_time": "",
        "in_production": 0,
        "project_language": "English",
        "purpose": 4,
        "purpose_other": "",
        "is_longitudinal": int(project.longitudinal),
        "has_repeating_instruments_or_events": int(bool(project.repeating)),
        "surveys_enabled": int(bool(project.surveys)),
        **dict.fromkeys(switched_off, 0),
        **dict.fromkeys(texts, ""),
        "display_today_now_button": 1,
        "missing_data_codes": project.missing_codes,
        "external_modules": "",
        "bypass_branching_erase_field_prompt": 0,
    }


def _metadata(call: Call) -> Rows:
    fields = checked(call.parameters, "fields", _names(call.project))
    forms = checked(call.parameters, "forms", call.project.forms)
    return [
        field
        for field in call.project.fields
        if (not fields and not forms) or field["field_name"] in fields or field["form_name"] in forms
    ]


def _export_field_names(call: Call) -> Rows:
    named = call.parameters.get("field")
    if named and named not in _names(call.project):
        raise ApiError(400, 'The value of the parameter "field" is not valid')
    rows: list[dict[str, object]] = []
    for form in call.project.forms:
        here = [field for field in call.project.fields if field["form_name"] == form]
        rows += [row for field in here for row in _export_names(field)]
        rows.append(_export_name(status_of(form), "", status_of(form)))
    return [row for row in rows if not named or row["original_field_name"] == named]


def _export_names(field: Field) -> list[dict[str, object]]:
    if field["field_type"] in {"calc", "file", "descriptive"}:
        return []
    return [_export_name(field["field_name"], column.code, column.name) for column in columns_of(field)]


def _export_name(original: str, code: str, exported: str) -> dict[str, object]:
    return {"original_field_name": original, "choice_value": code, "export_field_name": exported}


def _instruments(call: Call) -> Rows:
    return [
        {"instrument_name": name, "instrument_label": label} for name, label in call.project.forms.items()
    ]


def _arms(call: Call) -> Rows:
    _longitudinal_only(call, "arms")
    return [{"arm_num": number, "name": name} for number, name in call.project.arms.items()]


def _events(call: Call) -> Rows:
    _longitudinal_only(call, "events")
    return [
        {
            "event_name": event.label,
            "arm_num": event.arm,
            "unique_event_name": event.name,
            "custom_event_label": None,
            "event_id": call.project.id * 100 + number,
        }
        for number, event in enumerate(call.project.events, start=1)
        if _in_asked_arm(call, event.arm)
    ]


def _form_event_mapping(call: Call) -> Rows:
    _longitudinal_only(call, "form/event mappings")
    return [
        {"arm_num": event.arm, "unique_event_name": event.name, "form": form}
        for event in call.project.events
        for form in call.project.form_event[event.name]
        if _in_asked_arm(call, event.arm)
    ]


def _repeating(call: Call) -> Rows:
    if not call.user.design:
        raise lacks("Project Design/Setup")
    if not call.project.repeating:
        raise ApiError(
            400,
            "You cannot export repeating instruments and events because the project does not contain any"
            " repeating instruments and events",
        )
    return [
        ({"event_name": event} if call.project.longitudinal else {})
        | {"form_name": form, "custom_form_label": ""}
        for event, form in sorted(call.project.repeating)
    ]


def _users(call: Call) -> Rows:
    if not call.user.user_rights:
        raise lacks("User Rights")
    return [_user(call.project, user) for user in call.project.users.values()]


def _user(project: Project, user: User) -> dict[str, object]:
    return {
        "username": user.name,
        "email": f"{user.name}@example.org",
        "firstname": user.name.title(),
        "lastname": "",
        "expiration": "2020-01-01" if user.expired else "",
        "data_access_group": user.dag,
        "design": int(user.design),
        "user_rights": int(user.user_rights),
        "data_access_groups": int(user.dags),
        "logging": int(user.logging),
        "api_export": int(user.api_export),
        "api_import": int(user.api_import),
        "forms": dict.fromkeys(project.forms, 1),
        "forms_export": {form: user.export_right(form) for form in project.forms},
    }


def _dags(call: Call) -> Rows:
    if not call.user.dags:
        raise lacks("Data Access Groups")
    return [
        {
            "data_access_group_name": label,
            "unique_group_name": name,
            "data_access_group_id": call.project.id * 100 + number,
        }
        for number, (name, label) in enumerate(call.project.dags.items(), start=1)
    ]


def _log(call: Call) -> Rows:
    """Return the log, newest first."""
    if not call.user.logging:
        raise lacks("Logging")
    log_type = call.parameters.get("logtype")
    if log_type not in LOG_TYPES:
        raise ApiError(400, 'The value of the parameter "logtype" is not valid')
    begin, end = _log_time(call, "beginTime"), _log_time(call, "endTime")
    return [
        {
            "timestamp": entry.wall.strftime("%Y-%m-%d %H:%M"),
            "username": entry.user,
            "action": entry.action,
            "details": entry.details,
            "record": entry.record,
        }
        for entry in reversed(call.project.log.entries)
        if entry.kind in LOG_TYPES[log_type] and _is_asked(call, entry, begin, end)
    ]


def _is_asked(call: Call, entry: Entry, begin: datetime | None, end: datetime | None) -> bool:
    user, record = call.parameters.get("user"), call.parameters.get("record")
    return (
        (not user or entry.user == user)
        and (not record or entry.record == record)
        and (begin is None or entry.wall >= begin)
        and (end is None or entry.wall <= end)
        and (not (call.user.dag and entry.record) or call.project.dag(entry.record) == call.user.dag)
    )


def _log_time(call: Call, name: str) -> datetime | None:
    """Read a time with or without seconds."""
    text = call.parameters.get(name)
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise ApiError(400, f'The value of the parameter "{name}" is not valid') from None


def _records(call: Call) -> Rows:
    return Export(call.project, call.user, call.parameters, call.switches, call.limits).rows()


def _names(project: Project) -> set[str]:
    return {field["field_name"] for field in project.fields}


def _in_asked_arm(call: Call, arm: int) -> bool:
    asked = call.parameters.values("arms")
    return not asked or str(arm) in asked


def _longitudinal_only(call: Call, what: str) -> None:
    if not call.project.longitudinal:
        raise ApiError(400, f"You cannot export {what} for classic projects")


class Content(NamedTuple):
    export: Callable[[Call], Rows | Mapping[str, object]]
    called: str  # in the log


CONTENTS = {
    "project": Content(_project, "project information"),
    "metadata": Content(_metadata, "data dictionary"),
    "exportFieldNames": Content(_export_field_names, "export field names"),
    "instrument": Content(_instruments, "instruments"),
    "arm": Content(_arms, "arms"),
    "event": Content(_events, "events"),
    "formEventMapping": Content(_form_event_mapping, "instrument-event mappings"),
    "repeatingFormsEvents": Content(_repeating, "repeating instruments and events"),
    "user": Content(_users, "users"),
    "dag": Content(_dags, "Data Access Groups"),
    "log": Content(_log, "logging"),
    "record": Content(_records, "records"),
}
