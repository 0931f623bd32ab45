"""A source's fields may hold what these validators let through."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError

from sources.redcap.address import normalise_url


def api_url(value: str) -> None:
    try:
        normalise_url(value)
    except ValueError as error:
        raise ValidationError(str(error), code="url") from error


def time_zone(value: str) -> None:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValidationError(
            "This must be an IANA time zone such as America/Edmonton.", code="zone"
        ) from error


def existing_file(value: str) -> None:
    if not Path(value).is_file():
        raise ValidationError("There is no such file on this machine.", code="file")
