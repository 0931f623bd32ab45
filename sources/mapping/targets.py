"""A rule may fill a field of an item, any other DICOM attribute, or a named value for templates."""

from __future__ import annotations

import re

from pydicom.datadict import dictionary_VR, tag_for_keyword

from worklist.dicom import extra, representations
from worklist.dicom.item_attributes import BY_FIELD

STATUS = "performed_procedure_step_status"
START = "scheduled_start_datetime"
START_DATE = "scheduled_start_date"
START_TIME = "scheduled_start_time"
MOMENT = (START_DATE, START_TIME)
KILOGRAMS = "patient_weight_kg"
POUNDS = "patient_weight_lb"
BIRTH_DATE = "patient_birth_date"
SEX = "patient_sex"
STATION = "scheduled_station_aetitle"

# Without these an item cannot be: a rule for one is required whether it says so or not.
ALWAYS_REQUIRED = frozenset({"patient_id", "patient_name", "modality", START_DATE})
SEXES = frozenset({"M", "F", "O"})  # PS3.3 C.7.1.1
WANTED, NOT_WANTED = "SCHEDULED", "CANCELLED"  # what a source may say of the status; the rest is MPPS's

# Names that a template always knows: of the record, and {value}, what the rule has so far.
OF_THE_SESSION = frozenset({"record", "event", "instance"})
RESERVED = OF_THE_SESSION | {"value"}

_MADE_HERE = frozenset({"study_instance_uid", "scheduled_procedure_step_id"})
_VR_BESIDES = {"protocol_name": "LO", "hisris_coding_designator": "SH", START: "DT", POUNDS: "DS"}
_LABELS = {
    "protocol_name": "Protocol Name",
    "hisris_coding_designator": "Coding Scheme Designator",
    START: "Scheduled start: date and time in one field",
    KILOGRAMS: "Patient's Weight in kilograms",
    POUNDS: "Patient's Weight in pounds",
    STATUS: "Status: scheduled or cancelled",
    STATION: "Scanner (station AE title)",
}
TARGETS = {
    **{
        field: _LABELS.get(field, attribute.name)
        for field, attribute in BY_FIELD.items()
        if field not in _MADE_HERE
    },
    **{field: _LABELS[field] for field in _VR_BESIDES},
}

_IDENTIFIERS = frozenset(
    {"patient_id", "accession_number", "requested_procedure_id", "hisris_coding_designator"}
)
_MEASURES = frozenset({"DS", "IS", *representations.BINARY})
_NAMED = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def is_target(name: str) -> bool:
    return refusal(name) is None


def refusal(name: str) -> str | None:
    """Say why nothing can be mapped to the name, or return None."""
    if name in TARGETS:
        return None
    if not name:
        return "Choose what is to be filled."
    if name in _MADE_HERE or name == "data_source":
        return "This is made here and cannot be mapped."
    if name.startswith("{"):
        return _named_refusal(name)
    try:
        extra.check({name: ""})
    except extra.ExtraAttributesError as error:
        return error.problems[name]
    return "A sequence cannot be mapped from a field." if vr(name) == "SQ" else None


def name_of(target: str) -> str | None:
    """Return the name that a target in braces gives to templates."""
    match = _NAMED.fullmatch(target)
    return match[1] if match else None


def is_keyword(target: str) -> bool:
    """Tell whether the target goes among an item's extra attributes."""
    return target not in TARGETS and not target.startswith("{")


def vr(target: str) -> str:
    """Return the value representation; "" for a named value and for what is no target."""
    if target in BY_FIELD:
        return BY_FIELD[target].vr
    tag = tag_for_keyword(target)
    return _VR_BESIDES.get(target) or (dictionary_VR(tag) if tag is not None else "")


def is_measure(target: str) -> bool:
    """Tell whether it is a number, whose digits may be written in more than one way."""
    return vr(target) in _MEASURES


def is_description(target: str) -> bool:
    """Tell whether people read it: a choice is then given by its label."""
    text = vr(target) in representations.TEXT - {"PN"}
    return text and not is_identifier(target)


def is_identifier(target: str) -> bool:
    return target in _IDENTIFIERS or (is_keyword(target) and target.endswith(("ID", "IDs", "Number")))


def _named_refusal(name: str) -> str | None:
    found = name_of(name)
    if found is None:
        return "A named value is written {session}: small letters, digits and _ in braces."
    return f"{{{found}}} already has a meaning in templates." if found in RESERVED else None
