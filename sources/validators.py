"""A source's fields may hold what these validators let through."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError

from sources import host
from sources.calpendo import address, biskits, query, resources, states
from sources.mapping.patterns import InvalidPattern, Pattern
from sources.redcap.address import normalise_url


def api_url(value: str) -> None:
    try:
        normalise_url(value)
    except ValueError as error:
        raise ValidationError(str(error), code="url") from error


def calpendo_url(value: str) -> None:
    _read(address.normalise_url, value)


def calpendo_resources(value: str) -> None:
    """Let through names, one a line, that a question to Calpendo can carry."""
    for name in resources.listed(value):
        _read(lambda name: query.Comparison("resource.name", query.Relation.EQ, name), name)


def calpendo_scanners(value: str) -> None:
    _read(resources.read, value)


def calpendo_states(value: str) -> None:
    _read(states.read, value)


def calpendo_paths(value: str) -> None:
    for line in value.splitlines():
        if line.strip() and not query.is_path(biskits.path_of(line)):
            raise ValidationError(f"“{line.strip()}” is no path such as Operator.name.", code="path")


def regular_expression(value: str) -> None:
    try:
        Pattern(value)
    except InvalidPattern as error:
        raise ValidationError(f"This is no regular expression: {error}.", code="pattern") from error


def _read(read: Callable[[str], object], value: str) -> None:
    try:
        read(value)
    except ValueError as error:
        raise ValidationError(str(error), code="calpendo") from error


def time_zone(value: str) -> None:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValidationError(
            "This must be an IANA time zone such as America/Edmonton.", code="zone"
        ) from error


def token_variable(value: str) -> None:
    _check(host.check_variable, value)


def token_file(value: str) -> None:
    _check(host.token_file, value)


def existing_file(value: str) -> None:
    """Let through the path of a CA bundle; migrations know the validator by this name."""
    _check(host.certificates, value)


def _check(check: Callable[[str], object], value: str) -> None:
    try:
        check(value)
    except host.NotAllowed as error:
        raise ValidationError(str(error), code="host") from error
    except OSError as error:
        raise ValidationError("There is no such file on this machine.", code="file") from error
