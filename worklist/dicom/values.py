"""An item's fields are put into DICOM here: formats, and the values that follow from several fields.

A *record* is a mapping from the field names of `WorklistItem` to their Python values.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any

Record = Mapping[str, Any]

KILOGRAMS_PER_POUND = Decimal("0.45359237")
_A_TENTH = Decimal("0.1")
# No one was ever heavier, the lightest who lived are not lighter, and no one who lives was born before.
LIGHTEST_KG, HEAVIEST_KG = Decimal("0.3"), Decimal(650)
# The tallest who ever lived had 2.72 m, and the smallest of the premature who live had 0.21 m.
SHORTEST_M, TALLEST_M = Decimal("0.2"), Decimal("2.8")
EARLIEST_BIRTH_YEAR = 1850
CODE_VALUE_LENGTH = 16  # SH; a longer code goes into Long Code Value (PS3.3 8.8)

# (0040,0020) Scheduled Procedure Step Status, PS3.3 C.4-10: STARTED is the standard's own term,
# the others are its permitted extensions.
STATUS_ON_THE_WIRE = {
    "SCHEDULED": "SCHEDULED",
    "IN_PROGRESS": "STARTED",
    "COMPLETED": "COMPLETED",
    "DISCONTINUED": "DISCONTINUED",
    "CANCELLED": "CANCELLED",
}


def to_text(value: Any) -> str:
    """Write a field's value as DICOM text (PS3.5 6.2).

    DA is `YYYYMMDD`, TM is `HHMMSS`, and DS has no trailing zeros.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, date):
        return f"{value.year:04}{value.month:02}{value.day:02}"
    if isinstance(value, time):
        return f"{value.hour:02}{value.minute:02}{value.second:02}"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)


def pounds(kilograms: Decimal) -> Decimal:
    """Return a weight as it is shown to who thinks in pounds."""
    return (kilograms / KILOGRAMS_PER_POUND).quantize(_A_TENTH)


def status(record: Record) -> str:
    return STATUS_ON_THE_WIRE[record["performed_procedure_step_status"]]


def requested_procedure_description(record: Record) -> str:
    """Return the study's description, else the nearest thing that says what is to be done (type 1C)."""
    return _first(record, "study_description", "procedure_description", "protocol_name", "modality")


def scheduled_procedure_step_description(record: Record) -> str:
    """Return what an operator reads on the console (type 1C)."""
    return _first(record, "procedure_description", "protocol_name", "study_description", "modality")


def scheduled_protocol_codes(record: Record) -> list[dict[str, Any]]:
    """Make one code item of protocol and coding scheme.

    Without a scheme there is none, since a code needs both.
    """
    code, scheme = record["protocol_name"], record["hisris_coding_designator"]
    if not code or not scheme:
        return []
    return [code_item(code, scheme, code)]


def with_own_scheme(record: Record, codes: Any) -> Any:
    """Return stored codes of the protocol, those without a scheme with the item's."""
    return with_scheme(codes, record["hisris_coding_designator"])


def with_scheme(codes: Any, scheme: str) -> Any:
    """Return the codes, those without a scheme with this one; without it they are left out.

    A code is none without its scheme (type 1C, PS3.3 Table 8.8-1). What is no list of items stays as it is.
    """
    if not isinstance(codes, list) or not any(map(_lacks_scheme, codes)):
        return codes
    completed = (
        {**code, "CodingSchemeDesignator": scheme} if _lacks_scheme(code) else code for code in codes
    )
    return [code for code in completed if not _lacks_scheme(code)]


def _lacks_scheme(code: Any) -> bool:
    if not isinstance(code, Mapping) or code.get("CodingSchemeDesignator"):
        return False
    return bool(code.get("CodeValue") or code.get("LongCodeValue"))


def code_item(value: str, scheme: str, meaning: str) -> dict[str, Any]:
    """Return an item of a code sequence (PS3.3 Table 8.8-1)."""
    keyword = "CodeValue" if len(value) <= CODE_VALUE_LENGTH else "LongCodeValue"
    return {keyword: value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}


def _first(record: Record, *fields: str) -> str:
    return next((record[field] for field in fields if record[field]), "")
