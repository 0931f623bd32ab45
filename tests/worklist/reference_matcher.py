"""Keys are matched once more, from PS3.4 C.2.2.2 and K.6.1.2.2 alone: slow, obvious, and sharing no code.

This works on an item as a mapping of the model's fields, and on a decoded identifier whose keys all stand
where they belong.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any

from pydicom import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

Item = Mapping[str, Any]
Moment = tuple[int, ...]
Ends = tuple[Moment | None, Moment | None]

STEPS = "ScheduledProcedureStepSequence"
TEXTS = {
    "PatientID": "patient_id",
    "AccessionNumber": "accession_number",
    "RequestedProcedureID": "requested_procedure_id",
    "ScheduledProcedureStepID": "scheduled_procedure_step_id",
    "ScheduledStationName": "station_name",
    "ScheduledProcedureStepLocation": "scheduled_procedure_step_location",
}
CODES = {"Modality": "modality", "PatientSex": "patient_sex"}
NAMES = {
    "PatientName": "patient_name",
    "ReferringPhysicianName": "referring_physician_name",
    "RequestingPhysician": "requesting_physician",
    "ScheduledPerformingPhysicianName": "performing_physician",
}
TERMS = {
    "SCHEDULED": ["SCHEDULED"],
    "IN_PROGRESS": ["STARTED", "IN_PROGRESS", "IN PROGRESS"],
    "COMPLETED": ["COMPLETED"],
    "DISCONTINUED": ["DISCONTINUED"],
    "CANCELLED": ["CANCELLED", "CANCELED"],
}
DELIMITER = "\x01"  # a trailing component delimiter that a name was written without


class Malformed(Exception):
    pass


def malformed(identifier: Dataset) -> set[BaseTag]:
    found = set()
    if len(identifier.get(STEPS) or []) > 1:
        found.add(Tag(STEPS))
    for keyword, read in {
        "PatientBirthDate": read_date,
        "ScheduledProcedureStepStartDate": read_date,
        "ScheduledProcedureStepStartTime": read_time,
    }.items():
        for value in key(identifier, keyword):
            try:
                ends(value, read)
            except Malformed:
                found.add(Tag(keyword))
    return found


def matches(item: Item, identifier: Dataset) -> bool:
    """Return whether an answer to the identifier holds the item."""
    return all(
        (
            *(text_matches(item[field], key(identifier, word)) for word, field in TEXTS.items()),
            *(code_matches(item[field], key(identifier, word)) for word, field in CODES.items()),
            *(name_matches(item[field], key(identifier, word)) for word, field in NAMES.items()),
            station_matches(item["scheduled_station_aetitle"], key(identifier, "ScheduledStationAETitle")),
            uid_matches(item["study_instance_uid"], key(identifier, "StudyInstanceUID")),
            date_matches(item["patient_birth_date"], key(identifier, "PatientBirthDate")),
            schedule_matches(
                item,
                key(identifier, "ScheduledProcedureStepStartDate"),
                key(identifier, "ScheduledProcedureStepStartTime"),
            ),
            status_matches(
                item["performed_procedure_step_status"], key(identifier, "ScheduledProcedureStepStatus")
            ),
        )
    )


def key(identifier: Dataset, keyword: str) -> list[str]:
    """Return the values of a key wherever it stands; none for universal matching."""
    places = [identifier, *(identifier.get(STEPS) or [])[:1]]
    holders = [place for place in places if keyword in place]
    if not holders:
        return []
    value = holders[0][keyword].value
    values = list(value) if isinstance(value, MultiValue) else [value]
    given = []
    for each in values:
        text = "" if each is None else unicodedata.normalize("NFC", str(each))
        while text.endswith((" ", "\0")):
            text = text[:-1]
        while text.startswith(" "):
            text = text[1:]
        if text and set(text) == {"*"}:
            return []
        if text:
            given.append(text)
    return given


def like(pattern: str, text: str) -> bool:
    """Match wild cards (C.2.2.2.4), one character after the other."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return like(pattern[1:], text) or (text != "" and like(pattern, text[1:]))
    if not text:
        return False
    if text[0] == DELIMITER:
        return pattern[0] == "^" and like(pattern[1:], text[1:])
    return pattern[0] in ("?", text[0]) and like(pattern[1:], text[1:])


def text_matches(stored: str, asked: list[str]) -> bool:
    return not asked or (stored != "" and any(like(each, stored) for each in asked))


def code_matches(stored: str, asked: list[str]) -> bool:
    return text_matches(stored, [each.upper() for each in asked])


def station_matches(stored: str, asked: list[str]) -> bool:
    return any(text_matches(station, asked) for station in stored.split("\\"))


def uid_matches(stored: str, asked: list[str]) -> bool:
    return not asked or stored in asked


def status_matches(stored: str, asked: list[str]) -> bool:
    if not asked:
        return stored not in ("COMPLETED", "CANCELLED")
    return any(code_matches(term, asked) for term in TERMS[stored])


def name_matches(stored: str, asked: list[str]) -> bool:
    names = [name for each in asked if (name := each.rstrip("^= "))]
    return not names or any(one_name_matches(stored, name) for name in names) or any(map(is_any_name, names))


def one_name_matches(stored: str, asked: str) -> bool:
    has = [*(in_small_letters(group) for group in stored.split("=")), "", "", ""][:3]
    wants = [in_small_letters(group) for group in asked.split("=")]
    if len(wants) == 1:
        return any(group_matches(group, wants[0]) for group in has)
    has += [""] * len(wants)
    return all(group_matches(group, want) for group, want in zip(has, wants, strict=False))


def group_matches(stored: str, asked: str) -> bool:
    """Match a group in any of its forms: DOE is DOE^ and DOE^^ (PS3.5 6.2.1)."""
    if is_any_name(asked):
        return True
    forms = [stored + DELIMITER * more for more in range(asked.count("^") + 1)]
    return stored != "" and any(like(asked, form) for form in forms)


def is_any_name(asked: str) -> bool:
    return all(group == "" or (group[0] == "*" and set(group) <= {"*", "^"}) for group in asked.split("="))


def in_small_letters(group: str) -> str:
    small = {"İ": "i", "ς": "σ"}
    text = "".join(small.get(letter, letter.lower()) for letter in unicodedata.normalize("NFC", group))
    while text.endswith((" ", "^")):
        text = text[:-1]
    return text.lstrip(" ")


def date_matches(stored: date | None, asked: list[str]) -> bool:
    if not asked:
        return True
    if stored is None:
        return False
    day = (stored.year, stored.month, stored.day)
    return any(lies_between(day, ends(each, read_date)) for each in asked)


def time_matches(stored: time, asked: list[str]) -> bool:
    moment = as_moment(stored)
    for each in asked:
        low, high = ends(each, read_time)
        if low and high and low > high:  # over midnight
            if moment >= low or moment <= high:
                return True
        elif lies_between(moment, (low, high)):
            return True
    return not asked


def schedule_matches(item: Item, days: list[str], times: list[str]) -> bool:
    day, moment = item["scheduled_start_date"], item["scheduled_start_time"]
    if len(days) == 1 and len(times) == 1 and "-" in times[0]:
        first, last = ends(days[0], read_date)
        early, late = ends(times[0], read_time)
        starts = (day.year, day.month, day.day, *as_moment(moment))
        low = first and (*first, *(early or (0, 0, 0, 0)))
        high = last and (*last, *(late or (23, 59, 59, 999999)))
        return lies_between(starts, (low, high))
    return date_matches(day, days) and time_matches(moment, times)


def as_moment(moment: time) -> Moment:
    return (moment.hour, moment.minute, moment.second, moment.microsecond)


def lies_between(moment: Moment, between: Ends) -> bool:
    low, high = between
    return (low is None or low <= moment) and (high is None or moment <= high)


def ends(text: str, read: Callable[[str], Moment]) -> Ends:
    parts = text.split("-")
    if len(parts) == 1:
        return read(text), read(text)
    if len(parts) > 2 or parts == ["", ""]:
        raise Malformed
    low, high = (read(part) if part else None for part in parts)
    return low, high


def read_date(text: str) -> Moment:
    if re.fullmatch("[0-9]{4}[.][0-9]{2}[.][0-9]{2}", text):
        text = text.replace(".", "")
    if not re.fullmatch("[0-9]{8}", text):
        raise Malformed
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= days[month - 1]:
        raise Malformed
    return (year, month, day)


def read_time(text: str) -> Moment:
    if re.fullmatch("[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?", text):
        text = text.replace(":", "")
    if not re.fullmatch("([0-9]{2}){1,3}|[0-9]{6}[.][0-9]{1,6}", text):
        raise Malformed
    whole, _, fraction = text.partition(".")
    padded = whole + "0" * (6 - len(whole))
    hour, minute, second = int(padded[:2]), int(padded[2:4]), int(padded[4:])
    if hour > 23 or minute > 59 or second > 60:
        raise Malformed
    if second == 60:  # as late in the minute as a stored time can be
        return (hour, minute, 59, 999999)
    return (hour, minute, second, int(fraction + "0" * (6 - len(fraction))))
