"""A person says what a file of the original's does not tell itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.core.exceptions import ValidationError

from worklist import validators
from worklist.items import cleaning
from worklist.models import Sex


class Unmarked(StrEnum):
    """What becomes of scheduled rows that do not say who made them."""

    BY_FILE = "auto"  # people's, where the file has the column; a source's, where it is older
    PEOPLE = "people"
    SOURCES = "sources"


@dataclass(frozen=True)
class Options:
    """`sex_codes` and `modalities` say what a cell that is no value of DICOM's stands for."""

    sex_codes: Mapping[str, str] = field(default_factory=dict)
    modalities: Mapping[str, str] = field(default_factory=dict)
    unmarked: Unmarked = Unmarked.BY_FILE


def sex_codes(text: str) -> dict[str, str]:
    """Read `1=M, 2=F`. Raises ValueError with a sentence."""
    found = {code: sex.upper() for code, sex in _pairs(text, "1=M, 2=F").items()}
    if "" in found:
        raise ValueError("Say which code each sex has: 1=M, 2=F.")
    if strange := set(found.values()) - {*Sex.values}:
        raise ValueError(f"{', '.join(sorted(strange))} is no sex of DICOM's: write M, F or O.")
    return found


def modalities(text: str) -> dict[str, str]:
    """Read `7T Terra=MR, =MR`, of which the last is for cells without one. Raises ValueError."""
    found = _pairs(text, "7T Terra=MR")
    for meaning in found.values():
        try:
            cleaning.modality(meaning)
            validators.code_string(meaning)
        except ValidationError as error:
            raise ValueError(f"{meaning}: {' '.join(error.messages)}") from error
    return found


def _pairs(text: str, example: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        left, _, right = (each.strip() for each in part.partition("="))
        if not right:
            raise ValueError(f"Write what stands there and what it means: {example}.")
        if left in found:
            raise ValueError(f"{left or 'What is empty'} is given twice.")
        found[left] = right
    return found
