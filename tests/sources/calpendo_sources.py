"""A source of the stand-in Calpendo, with a mapping that takes participants from titles."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone

from sources.mapping.rules import Rule
from sources.models import DataSource
from tests.calpendo.bookings import Booking
from tests.calpendo.server import PASSWORD, USER, CalpendoServer
from tests.sources import making
from tests.sources.calpendo_access import booking
from tests.sources.conftest import set_rules

RULES = (
    Rule("patient_id", "title", transforms="pattern 1 ^([A-Z0-9]+) - "),
    Rule("patient_name", "title", transforms="pattern 1 ^[A-Z0-9]+ - (.+)$"),
    Rule("scheduled_start_datetime", "dateRange.start"),
    Rule("modality", "resource.modality"),
    Rule("scheduled_station_aetitle", "resource.scanner"),
    Rule("study_description", "project.name"),
)
SCANNERS = "3T Diagnostic = MR, PRISMA\nEEG* = EEG, EEG1"
RESOURCES = "3T Diagnostic\nEEG Lab"


def calpendo_source(server: CalpendoServer, rules: tuple[Rule, ...] = RULES, **values: Any) -> DataSource:
    given = {
        "kind": "calpendo",
        "name": "bookings",
        "enabled": True,
        "url": server.url,
        "user_name": USER,
        "time_zone": "America/Edmonton",
        "resources": RESOURCES,
        "scanners": SCANNERS,
        "requests_per_minute": 6000,
        "read_timeout": 5,
        **values,
    }
    source = making.unsaved(**given)
    source.calpendo.set_password(PASSWORD, by="alice")
    source.save_with_details("alice")
    set_rules(source, rules)
    return source


def at(days: int, hour: int = 14, minute: int = 0) -> datetime:
    """Return a time some days from today, on the site's clock."""
    return datetime.combine(timezone.localdate() + timedelta(days=days), time(hour, minute))


def booked(number: int, days: int = 1, name: str = "John Doe", **changes: Any) -> Booking:
    """Return a booking of SUB001 and so on, by the name that its title has."""
    return booking(number, at(days), f"SUB{number:03} - {name}", **changes)
