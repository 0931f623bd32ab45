"""The rules of DICOM's value representations (PS3.5 6.2) as Django validators.

They judge values that `worklist.intake` has cleaned: padding and control characters are refused here.
"""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError

from worklist.dicom import representations

LIGHTEST_KG, HEAVIEST_KG = Decimal("0.3"), Decimal(650)


def text(value: str) -> None:
    """LO and SH, whose lengths are the fields' own."""
    _judge("UC", value)


def person_name(value: str) -> None:
    _judge("PN", value)


def ae_title(value: str) -> None:
    _judge("AE", value)


def ae_titles(value: str) -> None:
    for title in value.split("\\"):
        ae_title(title)


def code_string(value: str) -> None:
    _judge("CS", value)


def uid(value: str) -> None:
    _judge("UI", value)


def _judge(vr: str, value: str) -> None:
    problem = representations.problem(vr, value)
    if problem:
        raise ValidationError(problem, code="vr")


def plausible_weight(value: Decimal) -> None:
    if not LIGHTEST_KG <= value <= HEAVIEST_KG:
        raise ValidationError(
            f"Only {LIGHTEST_KG} to {HEAVIEST_KG} kg are plausible: is it in kilograms?",
            code="implausible",
        )
