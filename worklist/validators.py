"""The limits of DICOM's value representations (PS3.5 6.2) as Django validators.

They judge values that `worklist.intake` has cleaned, so padding and control characters are refused here.
"""

from __future__ import annotations

import re
from decimal import Decimal

from django.core.exceptions import ValidationError

AE_TITLE_LENGTH = 16
PERSON_NAME_GROUP_LENGTH = 64
LIGHTEST_KG, HEAVIEST_KG = Decimal("0.3"), Decimal(650)

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))*", re.ASCII)
_CODE_STRING = re.compile(r"[A-Z0-9_ ]{1,16}", re.ASCII)


def text(value: str) -> None:
    """LO and SH: no backslash, which would make two values of one, and no control characters."""
    if "\\" in value:
        raise ValidationError("A backslash is not allowed: DICOM separates values by it.", code="backslash")
    if _CONTROL.search(value):
        raise ValidationError("Control characters are not allowed.", code="control")


def person_name(value: str) -> None:
    """PN: at most three component groups of 64 characters with five components each."""
    text(value)
    groups = value.split("=")
    if len(groups) > 3:
        raise ValidationError("A name has at most three component groups (=).", code="groups")
    if any(len(group) > PERSON_NAME_GROUP_LENGTH for group in groups):
        raise ValidationError("A component group of a name has at most 64 characters.", code="max_length")
    if any(group.count("^") > 4 for group in groups):
        raise ValidationError("A name has at most five components (^).", code="components")


def ae_title(value: str) -> None:
    if not value.isascii() or not 1 <= len(value) <= AE_TITLE_LENGTH or value != value.strip():
        raise ValidationError("An AE title has 1 to 16 ASCII characters.", code="ae_title")
    text(value)


def ae_titles(value: str) -> None:
    for title in value.split("\\"):
        ae_title(title)


def code_string(value: str) -> None:
    if not _CODE_STRING.fullmatch(value) or value != value.strip():
        raise ValidationError(
            "A code has 1 to 16 capital letters, digits, spaces or underscores, such as MR.",
            code="code_string",
        )


def uid(value: str) -> None:
    if len(value) > 64 or not _UID.fullmatch(value):
        raise ValidationError(
            "A UID has at most 64 digits and dots, and no part with a leading zero.", code="uid"
        )


def plausible_weight(value: Decimal) -> None:
    if not LIGHTEST_KG <= value <= HEAVIEST_KG:
        raise ValidationError(
            f"A weight of {value} kg is not plausible ({LIGHTEST_KG} to {HEAVIEST_KG} kg): kilograms?",
            code="implausible",
        )
