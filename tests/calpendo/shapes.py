"""A booking is answered in one of the shapes that were seen or documented; nobody knows all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from tests.calpendo.bookings import Booking


@dataclass(frozen=True)
class Shape:
    status_on: Literal["top", "properties"] = "top"
    title_on: Literal["top", "properties"] = "top"
    times: Literal["utc", "offset", "naive", "formatted"] = "utc"  # the last: no dateRange at all
    end_key: Literal["finish", "end"] = "finish"
    with_fraction: bool = True  # in formattedName
    paths_as: Literal["flat", "nested"] = "flat"
    hides_operator: bool = False


def moment(at: datetime, shape: Shape, zone: ZoneInfo) -> str:
    if shape.times == "naive":
        return at.isoformat(timespec="minutes")
    aware = at.replace(tzinfo=zone)
    if shape.times == "offset":
        return aware.isoformat(timespec="minutes")
    return f"{aware.astimezone(UTC):%Y-%m-%dT%H:%M}Z"


def formatted_name(booking: Booking, shape: Shape) -> str:
    fraction = ".0" if shape.with_fraction else ""
    return f"[{booking.start:%Y-%m-%d %H:%M:%S}{fraction}, {booking.finish:%Y-%m-%d %H:%M:%S}{fraction}]"


def whole(booking: Booking, shape: Shape, zone: ZoneInfo) -> dict[str, Any]:
    """Return the booking as `/webdav/b/TYPE/ID` has it."""
    properties: dict[str, Any] = {
        "resource": booking.resource.as_json(),
        "project": booking.project.as_json() if booking.project else None,
        "owner": booking.owner.as_json(),
        "booker": booking.owner.as_json(),
        "durationInMinutes": round((booking.finish - booking.start).total_seconds() / 60),
        "created": "2025-02-03T20:18Z",
        "modified": "2025-02-04T10:30Z",
        "description": booking.description,
        "cancelled": booking.cancelled,
        "cancellationReason": None,
        **booking.more,
    }
    if shape.times != "formatted":
        properties["dateRange"] = {
            "start": moment(booking.start, shape, zone),
            shape.end_key: moment(booking.finish, shape, zone),
        }
    top: dict[str, Any] = {
        "id": booking.id,
        "biskitType": booking.kind,
        "formattedName": formatted_name(booking, shape),
        "created": "2025-02-03T20:18Z",
    }
    (top if shape.title_on == "top" else properties)["title"] = booking.title
    (top if shape.status_on == "top" else properties)["status"] = booking.status
    return {**top, "properties": properties}


def with_paths(booking: Booking, paths: Iterable[str], shape: Shape, zone: ZoneInfo) -> dict[str, Any]:
    """Return the booking as a question with `paths` has it: with its ID, and what was asked for."""
    everything = whole(booking, shape, zone)
    found: dict[str, Any] = {"id": booking.id}
    nested: dict[str, Any] = {}
    for path in paths:
        value = _at(everything, path, booking, shape)
        if shape.paths_as == "flat" or path in everything:
            found[path] = value
        else:
            _put(nested, path.split("."), value)
    return {**found, "properties": nested} if nested else found


def _at(everything: dict[str, Any], path: str, booking: Booking, shape: Shape) -> Any:
    if path == "Operator.name":
        shown = "<Hidden>" if shape.hides_operator else booking.operator
        return {"formattedName": shown, "id": 201} if shape.paths_as == "flat" and shown else shown
    properties = everything["properties"]
    value: Any = {**everything, **properties}
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _put(nested: dict[str, Any], names: list[str], value: Any) -> None:
    for name in names[:-1]:
        nested = nested.setdefault(name, {})
    nested[names[-1]] = value
