"""These Django validators hold the rules of DICOM's value representations (PS3.5 6.2).

They judge values that `worklist.items.intake` has cleaned: padding and control characters are refused here.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from worklist.dicom import representations
from worklist.dicom.values import HEAVIEST_KG, LIGHTEST_KG, STATUS_ON_THE_WIRE
from worklist.validators import peers


def text(value: str) -> None:
    """Judge a value of LO or SH; the fields bound its length themselves."""
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


def networks(value: str) -> None:
    try:
        peers.read_networks(value)
    except ValueError as error:
        raise ValidationError(str(error), code="network") from error


def certificate_subject(value: str) -> None:
    try:
        peers.read_subject(value)
    except ValueError as error:
        raise ValidationError(str(error), code="subject") from error


@cache
def time_zones() -> frozenset[str]:
    """Return the names that this system knows; it reads a file for each, and so is asked once."""
    return frozenset(available_timezones())


def time_zone(value: str) -> None:
    if value not in time_zones():
        raise ValidationError(
            _("There is no such time zone: write one like Europe/Berlin."), code="time_zone"
        )


def statuses(value: Any) -> None:
    if not isinstance(value, list) or not set(map(str, value)) <= STATUS_ON_THE_WIRE.keys():
        raise ValidationError(_("Choose among the statuses of an item."), code="statuses")


def _judge(vr: str, value: str) -> None:
    problem = representations.problem(vr, value)
    if problem:
        raise ValidationError(problem, code="vr")


def plausible_weight(value: Decimal) -> None:
    if not LIGHTEST_KG <= value <= HEAVIEST_KG:
        raise ValidationError(
            _("Only %(lightest)s to %(heaviest)s kg are plausible: is it in kilograms?")
            % {"lightest": LIGHTEST_KG, "heaviest": HEAVIEST_KG},
            code="implausible",
        )
